"""A full-screen window that writes down what it is told: a program of its own, with Tk alone.

Arguments: the file to write JSON lines to; optionally an edge in pixels and places "x,y", for a
window that is white but for black squares of that edge there.
"""

import json
import sys
import tkinter
from pathlib import Path
from typing import TextIO

CONTROL = 4


def main() -> None:
    with Path(sys.argv[1]).open("a", encoding="utf-8", buffering=1) as log:
        window(log)


def window(log: TextIO) -> None:
    """Opens the window and stays until it is closed."""

    def note(kind: str, **more: object) -> None:
        log.write(json.dumps({"kind": kind, **more}) + "\n")

    root = tkinter.Tk()
    root.attributes("-fullscreen", True)
    canvas = tkinter.Canvas(root, bg="white", highlightthickness=0, borderwidth=0)
    if len(sys.argv) > 2:
        edge = int(sys.argv[2])
        for place in sys.argv[3:]:
            x, y = map(int, place.split(","))
            canvas.create_rectangle(x, y, x + edge, y + edge, fill="black", width=0)
        canvas.pack(fill="both", expand=True)
    else:
        canvas.configure(height=300)
        canvas.pack(fill="x")
        text = tkinter.Text(root, font=("monospace", 12))
        text.pack(fill="both", expand=True)

        def reset(_: object = None) -> str:
            text.delete("1.0", "end")
            text.insert("1.0", "\n".join(f"line {n}" for n in range(1, 201)))
            text.mark_set("insert", "1.0")
            text.see("1.0")
            text.focus_force()
            return "break"

        def changed(_: object) -> None:
            if text.edit_modified():
                note("text", text=text.get("1.0", "end-1c"))
                text.edit_modified(False)

        reset()
        text.bind("<<Modified>>", changed)
        text.configure(yscrollcommand=lambda top, _: note("top", at=float(top)))
        root.bind_all("<F12>", lambda _: (reset(), note("reset")))

    def pressed(event: "tkinter.Event[tkinter.Misc]") -> None:
        state = int(event.state)
        note(
            "press",
            button=event.num,
            at=[event.x_root, event.y_root],
            shift=bool(state & 1),
            ctrl=bool(state & CONTROL),
        )

    root.bind_all("<ButtonPress>", pressed)
    root.bind_all(
        "<ButtonRelease>", lambda e: note("release", button=e.num, at=[e.x_root, e.y_root])
    )
    root.bind_all("<Motion>", lambda e: note("motion", at=[e.x_root, e.y_root], state=e.state))
    canvas.bind("<Double-ButtonPress-1>", lambda _: note("double"))
    canvas.bind("<Triple-ButtonPress-1>", lambda _: note("triple"))
    root.bind_all("<KeyPress>", lambda e: note("key down", key=e.keysym, state=e.state))
    root.bind_all("<KeyRelease>", lambda e: note("key up", key=e.keysym))
    root.bind("<Map>", lambda _: root.after_idle(lambda: note("mapped")))
    root.mainloop()


if __name__ == "__main__":
    main()
