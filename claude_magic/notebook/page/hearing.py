"""Hears what a shell shows, as a front end hears it.

Where the kernel has an iopub thread, all that it is given to send is heard: what cells print and
display, what is written to the file descriptors, by children and by threads that outlive their
cell. The frames are kept as they are and read when someone asks. A terminal and xeus-python have no
such thread: there the shell's publisher, its display hook and the two standard streams are heard.

What this package shows is marked in the output's metadata, its errors by their class; neither is
told on.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from ...messages.errors import ClaudeError, Interrupted
from ...value_classes import frozen

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

OURS = "claude_magic"
"""The key in an output's metadata that says it is a reply and not something to look at."""


def nothing() -> object:
    """None: no object is known."""
    return None


@frozen
class Heard:
    """One message as iopub carries it: its kind is its `msg_type`. Serials are in order of sending.

    `request` is the id of the message that it answers, None for the cell that runs. `drawn` gives
    the figure that a display shows. `buffers` are those of a widget's state.
    """

    serial: int
    kind: str
    content: Mapping[str, Any]
    request: str | None = None
    drawn: Callable[[], object] = nothing
    buffers: Sequence[bytes] = ()


Tell = Callable[[Heard], None]


def _to_nobody(_: Heard) -> None: ...


class Shadows:
    """Methods of objects shadowed by our own, on the object and not on its class."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def put(self, owner: Any, name: str, method: Callable[..., Any]) -> None:
        """Have `method` called instead; its first argument is the original."""
        shadow = partial(method, getattr(owner, name))
        before = vars(owner).get(name)
        setattr(owner, name, shadow)
        self._undo.append(partial(_put_back, owner, name, shadow, before))

    def end(self) -> None:
        """Take away all that nobody has wrapped meanwhile: theirs must not be torn out."""
        while self._undo:
            self._undo.pop()()


def _put_back(owner: Any, name: str, shadow: object, before: object) -> None:
    """`before` is what stood on the object itself: ipykernel puts methods there too."""
    if vars(owner).get(name) is not shadow:
        return
    if before is None:
        delattr(owner, name)
    else:
        setattr(owner, name, before)


_LIBRARIES = ("matplotlib", "seaborn", "plotly", "altair")
_MOST_KEPT = 4
"""The newest figures are kept: the inline backend closes each when its cell ends."""


class DrawnFigures:
    """The figures that a shell displays; the older ones only as long as the notebook holds them."""

    def __init__(self) -> None:
        self._kept: deque[object] = deque(maxlen=_MOST_KEPT)
        # A figure that displays itself (Plotly's) does so while it is formatted.
        self._under_way: list[object] = []
        self._last: tuple[object, object] = (None, None)

    def format(self, original: Callable[..., Any], thing: Any, *args: Any, **kwargs: Any) -> Any:
        """What the shell's formatter makes of a thing, seen in passing."""
        if not _is_figure(thing):
            return original(thing, *args, **kwargs)
        self._under_way.append(thing)
        try:
            found = original(thing, *args, **kwargs)
        finally:
            self._under_way.pop()
        self._last = (thing, found[0])
        return found

    def forget(self) -> None:
        """Hold no figure any more."""
        self._kept.clear()
        self._last = (None, None)

    def of(self, bundle: Mapping[str, Any]) -> Callable[[], object]:
        """What gives the figure of which this bundle was made, None once that is gone."""
        figure, made = self._last
        if self._under_way:
            figure = self._under_way[-1]
        elif made is not bundle:
            return nothing
        self._last = (None, None)
        try:
            found = weakref.ref(figure)
        except TypeError:  # of a class that cannot be referred to so
            return nothing
        if not any(kept is figure for kept in self._kept):
            self._kept.append(figure)
        return found


def _is_figure(thing: object) -> bool:
    return any(cls.__module__.partition(".")[0] in _LIBRARIES for cls in type(thing).__mro__)


class Hearing:
    """What is heard of one shell, told on as it comes: here by the ways of any IPython."""

    def __init__(self, shell: InteractiveShell, serial: Callable[[], int], tell: Tell) -> None:
        self.failed: BaseException | None = None
        """The last error whose traceback was shown."""
        self._shell = shell
        self._serial = serial
        self._tell = tell
        self._figures = DrawnFigures()
        self._shadows = Shadows()
        self._of_publisher = Shadows()
        self._publisher: object = None
        self._here = threading.local()

    def attach(self) -> None:
        """Begin to hear."""
        hook = self._shell.displayhook
        self._shadows.put(self._shell.display_formatter, "format", self._figures.format)
        self._shadows.put(self._shell, "_showtraceback", self._traceback)
        self._shadows.put(hook, "write_format_data", self._result)
        if not hasattr(self._shell, "kernel"):  # it prints what it shows
            for name in ("write_output_prompt", "finish_displayhook"):
                if hasattr(hook, name):
                    self._shadows.put(hook, name, self._muted)
        self._listen()

    def detach(self) -> None:
        """Undo `attach`."""
        self.cell_ended()
        self._tell = _to_nobody  # who wrapped ours calls it still
        self._of_publisher.end()
        self._publisher = None
        self._shadows.end()
        self._figures.forget()

    def cell_started(self) -> None:
        """Look at what may have been replaced since the last cell."""
        self._listen()
        # A cell may have put back the stream of an earlier one, which records too.
        sys.stdout = _Tee(bare(sys.stdout), partial(self._printed, "stdout"))
        sys.stderr = _Tee(bare(sys.stderr), partial(self._printed, "stderr"))

    def cell_ended(self) -> None:
        """Leave the streams alone until the next cell starts."""
        for name in ("stdout", "stderr"):
            if isinstance(stream := getattr(sys, name), _Tee):
                setattr(sys, name, bare(stream))

    def flush(self) -> None:
        """Have all that was printed so far be heard."""

    def hear(self) -> None:
        """Tell on what has come and was not told yet."""

    def say(self, kind: str, content: Mapping[str, Any], request: str | None = None) -> None:
        """Tell of what no message came for."""
        self._tell(Heard(self._serial(), kind, content, request))

    def _listen(self) -> None:
        """Hear what the shell's display publisher gets.

        Looked at with each cell: the extension may be loaded within `%%capture`, where another
        publisher stands in its place.
        """
        publisher = self._shell.display_pub
        if publisher is not self._publisher:
            self._of_publisher.end()
            self._publisher = publisher
            self._of_publisher.put(publisher, "publish", self._displayed)
            self._of_publisher.put(publisher, "clear_output", self._cleared)

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """What is printed meanwhile, in this thread, is the shell's own way to show something."""
        before = getattr(self._here, "silent", False)
        self._here.silent = True
        try:
            yield
        finally:
            self._here.silent = before

    def _muted(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._silence():
            return original(*args, **kwargs)

    def _printed(self, name: str, text: str) -> None:
        if not getattr(self._here, "silent", False):
            self.say("stream", {"name": name, "text": text})

    def _displayed(
        self,
        original: Callable[..., Any],
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        kind = "update_display_data" if kwargs.get("update") else "display_data"
        content = {
            "data": dict(data),
            "metadata": dict(metadata or {}),
            "transient": kwargs.get("transient") or {},
        }
        self._tell(Heard(self._serial(), kind, content, drawn=self._figures.of(data)))
        with self._silence():
            return original(data, metadata, *args, **kwargs)

    def _result(
        self,
        original: Callable[..., Any],
        format_dict: Mapping[str, Any],
        md_dict: Mapping[str, Any] | None = None,
    ) -> Any:
        content = {"data": dict(format_dict), "metadata": dict(md_dict or {})}
        drawn = self._figures.of(format_dict)
        self._tell(Heard(self._serial(), "execute_result", content, drawn=drawn))
        with self._silence():
            return original(format_dict, md_dict)

    def _cleared(
        self,
        original: Callable[..., Any],
        wait: bool = False,
    ) -> Any:
        self.say("clear_output", {"wait": wait})
        return original(wait)

    def _traceback(
        self, original: Callable[..., Any], kind: Any, error: Any, lines: Sequence[str]
    ) -> Any:
        self.failed = error
        shown = error_shown(error, lines)
        if shown:
            self.say("error", {"traceback": [shown]})
        with self._silence():
            return original(kind, error, lines)


def error_shown(error: BaseException, lines: Sequence[str]) -> str:
    """An error as the model reads it, without colours; "" for one of ours.

    `lines` are those that the shell shows: they are taken where an error says itself how it looks.
    """
    if isinstance(error, ClaudeError | Interrupted):
        return ""
    if hasattr(error, "_render_traceback_"):
        return _plain(lines)
    from ...tools.results import traceback_text

    return traceback_text(error)


def _plain(lines: Sequence[str]) -> str:
    from ...messages.plain_text import terminal_text

    return terminal_text("\n".join(lines))


class _Tee:
    """A standard stream that also records. Everything but `write` is the stream's own."""

    def __init__(self, stream: TextIO, record: Callable[[str], None]) -> None:
        self.stream = stream
        self._record = record

    def write(self, text: str) -> int:
        written = self.stream.write(text)
        if isinstance(text, str):  # another stream, set by the user, may take bytes
            self._record(text)
        return written

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def bare(stream: TextIO | _Tee) -> TextIO:
    """The stream itself, past the recording."""
    while isinstance(stream, _Tee):
        stream = stream.stream
    return stream


# Of frames that nobody asked for: what is more is read at once, and only what it comes to is kept.
_MOST_BYTES = 1_000_000
_MOST_FRAMES = 500
# A widget's state that comes as bytes, in bytes: a larger picture is not carried by any question.
_MOST_OF_BUFFERS = 10_000_000
# Seconds that a question waits for what a process in the background goes on writing.
_MOST_WAIT = 0.25
_DELIMITER = b"<IDS|MSG>"
_NO_OUTPUT = (b".status", b".execute_input", b".debug_event")
# In the state of Output widgets, of ipympl's canvases, of boxes; an Image's picture is a buffer.
_OF_MODELS = (b'"msg_id"', b'"outputs"', b'"_data_url"', b"IPY_MODEL_")
_OUR_OUTPUT = object()
_OUR_UPDATE = object()
_OUR_ERROR = object()

Frames = Sequence[bytes]


class IopubHearing(Hearing):
    """What is heard of a shell whose kernel has an iopub thread, kept until it is asked for."""

    def __init__(
        self, shell: InteractiveShell, serial: Callable[[], int], tell: Tell, kernel: Any
    ) -> None:
        super().__init__(shell, serial, tell)
        self._kernel = kernel
        self._streams: dict[str, Any] = {}
        self._kept: deque[tuple[int, Frames, Frames, object] | Heard] = deque()
        self._size = 0
        # Held while what was kept is told on. Whoever sends does not wait for it, who asks waits
        # no longer than a second: in a forked child it may stay shut.
        self._telling = threading.Lock()
        self._attached = False

    def attach(self) -> None:
        self._attached = True
        super().attach()
        self._shadows.put(self._kernel.iopub_thread, "send_multipart", self._sending)
        self._find_streams()

    def detach(self) -> None:
        super().detach()
        self._attached = False
        self._kept.clear()
        self._streams.clear()

    def cell_started(self) -> None:
        self._listen()
        self._find_streams()

    def _find_streams(self) -> None:
        """The streams that the kernel prints by; a cell may have put others in their place."""
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if hasattr(stream, "pub_thread"):
                self._streams[name] = stream

    def flush(self) -> None:
        """Have what was printed and not sent yet be sent; nothing is waited for if that is none."""
        for stream in self._streams.values():
            if getattr(stream, "closed", True):
                continue
            if _in_hand(stream):
                until = time.monotonic() + _MOST_WAIT
                while _in_hand(stream) and time.monotonic() < until:
                    stream.flush()
                stream.flush()
            elif getattr(stream, "_flush_pending", True):
                stream.flush()

    def hear(self) -> None:
        if self._kept and self._telling.acquire(timeout=1):
            self._tell_all()

    def say(self, kind: str, content: Mapping[str, Any], request: str | None = None) -> None:
        self._kept.append(Heard(self._serial(), kind, content, request))

    def _tell_all(self) -> None:
        """Tell on what was kept, and let go of the lock."""
        try:
            while self._kept:
                kept = self._kept.popleft()
                heard = kept if isinstance(kept, Heard) else self._read(*kept)
                if heard is not None:
                    self._tell(heard)
            self._size = 0
        finally:
            self._telling.release()

    def _sending(self, original: Callable[..., Any], frames: Any, *args: Any, **kwargs: Any) -> Any:
        if self._attached:
            self._keep(frames)
        return original(frames, *args, **kwargs)

    def _keep(self, frames: Sequence[Any]) -> None:
        if _DELIMITER not in frames or bytes(frames[0]).endswith(_NO_OUTPUT):
            return
        begin = frames.index(_DELIMITER) + 2  # the signature stands between
        said, buffers = frames[begin : begin + 4], frames[begin + 4 :]
        if len(said) < 4:
            return
        note = self._note_of(said[0])
        if note is _OUR_UPDATE or note is _OUR_ERROR:
            return
        copied: Frames = ()
        if b'"comm_' in said[0]:
            if buffers and b'"value"' in said[3]:
                sizes = sum(memoryview(buffer).nbytes for buffer in buffers)
                copied = [bytes(b) for b in buffers] if sizes <= _MOST_OF_BUFFERS else ()
            elif b'"comm_close"' not in said[0] and not any(w in said[3] for w in _OF_MODELS):
                return
        self._kept.append((self._serial(), [bytes(frame) for frame in said], copied, note))
        self._size += len(said[3]) + sum(map(len, copied))
        # The one that is at it already takes this too.
        full = self._size > _MOST_BYTES or len(self._kept) > _MOST_FRAMES
        if full and self._telling.acquire(blocking=False):
            self._tell_all()

    def _note_of(self, header: bytes) -> object:
        """What is known, in the thread that sends, of what it sends; None for most."""
        if b'"execute_result"' in header:
            note = getattr(self._here, "result", None)
            self._here.result = None
            return note
        if b'display_data"' in header:
            return getattr(self._here, "display", None)
        return getattr(self._here, "error", None) if b'"error"' in header else None

    def _read(self, serial: int, said: Frames, buffers: Frames, note: object) -> Heard | None:
        """The message; None for what does not fit, or is one of ours and an output no more."""
        unpack = self._kernel.session.unpack
        try:
            header, parent = unpack(said[0]), unpack(said[1])
            kind, request = str(header["msg_type"]), str(parent["msg_id"])
            if note is _OUR_OUTPUT:
                return Heard(serial, kind, {"metadata": {OURS: {}}}, request)
            content = unpack(said[3])
        except (ValueError, KeyError, TypeError):
            return None
        if kind == "error":
            lines = content.get("traceback") or [content.get("evalue")]
            content = {"traceback": [note if isinstance(note, str) else _plain(lines)]}
        drawn = note if callable(note) else nothing
        return Heard(serial, kind, content, request, drawn, buffers)

    @contextmanager
    def _noted(self, name: str, note: object) -> Iterator[None]:
        """What this thread sends meanwhile is known as this."""
        setattr(self._here, name, note)
        try:
            yield
        finally:
            setattr(self._here, name, None)

    def _displayed(
        self,
        original: Callable[..., Any],
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        note: object = self._figures.of(data)
        if metadata and OURS in metadata:
            note = _OUR_UPDATE if kwargs.get("update") else _OUR_OUTPUT
        with self._noted("display", note):
            return original(data, metadata, *args, **kwargs)

    def _result(
        self,
        original: Callable[..., Any],
        format_dict: Mapping[str, Any],
        md_dict: Mapping[str, Any] | None = None,
    ) -> Any:
        # It is sent later, when the display hook is done.
        ours = bool(md_dict and OURS in md_dict)
        self._here.result = _OUR_OUTPUT if ours else self._figures.of(format_dict)
        return original(format_dict, md_dict)

    def _cleared(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    def _traceback(
        self, original: Callable[..., Any], kind: Any, error: Any, lines: Sequence[str]
    ) -> Any:
        self.failed = error
        with self._noted("error", error_shown(error, lines) or _OUR_ERROR):
            return original(kind, error, lines)


def _in_hand(stream: Any) -> bool:
    """Whether a stream's reader of its file descriptor has bytes that it has not printed yet.

    It is at rest where it waits in `read` of its end of the pipe. Where the system does not say
    what a thread waits for, only what nobody has read yet is seen.
    """
    end = getattr(stream, "_fid", None)
    if end is None:
        return False
    try:
        call = _call_of(stream.watch_fd_thread.native_id)
    except (OSError, AttributeError):
        return bool(select.select([end], [], [], 0)[0])
    return len(call) < 2 or call[1] != hex(end).encode()


def _call_of(thread: int) -> Sequence[bytes]:
    """The system call that a thread waits in, and its arguments; in a few microseconds."""
    file = os.open(f"/proc/self/task/{thread}/syscall", os.O_RDONLY)
    try:
        return os.read(file, 64).split()
    finally:
        os.close(file)


def hearing_of(shell: InteractiveShell, serial: Callable[[], int], tell: Tell) -> Hearing:
    """The way in which this shell can be heard."""
    kernel = getattr(shell, "kernel", None)
    thread = getattr(kernel, "iopub_thread", None)
    if hasattr(thread, "send_multipart") and hasattr(kernel, "session"):
        return IopubHearing(shell, serial, tell, kernel)
    return Hearing(shell, serial, tell)
