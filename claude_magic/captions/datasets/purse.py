"""One purse for a job that runs in many processes: each request draws a lease from it.

The process of the user listens; a worker draws, for each request, what that may cost, and reports
what it did cost. So a budget holds for all of them together, on however many machines. What a
worker had drawn when it was killed counts as spent: its requests may have been answered. What the
server says of its rate limits to one of them is passed on to the others.

Lines of JSON over TCP, each answered by one; who does not know the secret is not heard.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import socketserver
import sys
import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...messages.errors import ClaudeError
from ...value_classes import frozen
from ..image_question import JobBudget

if TYPE_CHECKING:
    from ...messages.transport.retry import Waiter
    from ..limits import Limit

_SECONDS = 10.0
_PAUSE = 0.1
_LONGEST_LINE = 64 * 1024
_HEARD = "anthropic-ratelimit-"


@frozen
class PurseAddress:
    """Where the purse is, and what opens it."""

    host: str
    port: int
    secret: str


class PurseServer:
    """Lends from `purse`, from its start until nobody has it any more."""

    def __init__(self, purse: JobBudget) -> None:
        secret = secrets.token_hex(16)
        listening = _Listening(purse, secret)
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.name = "claude-magic purse"
        thread.start()
        self.address = PurseAddress(listening.host, listening.server_address[1], secret)
        self._end = weakref.finalize(self, _close, listening)

    def close(self) -> None:
        """Lend nothing more."""
        self._end()


class LeasedBudget(JobBudget):
    """The budget of a worker: what it holds and spends is held and spent where the purse is."""

    def __init__(self, address: PurseAddress, budget: float | None) -> None:
        super().__init__(budget)
        self._address = address
        self._talk = threading.Lock()
        self._connection: Any = None
        self._seen = 0
        self._limit: Limit | None = None

    def joined(self, limit: Limit) -> None:
        """Pass on what the server says of its limits, and learn what it says to others."""
        self._limit = limit
        limit.tell = self._tell

    def hold(self, price: float, cancel: Waiter | None = None) -> bool:
        """As of any budget. Raises ClaudeError where there is one and it cannot be reached."""
        while True:
            try:
                held = self._ask({"hold": price})["held"]
            except ClaudeError:
                if self.budget is None:
                    return True
                raise
            match held:
                case "yes":
                    return True
                case "later" if cancel is not None and not cancel.wait(_PAUSE):
                    continue
            return False

    def settle(self, price: float, paid: float) -> None:
        """As of any budget; what cannot be told any more counts as spent there."""
        self.spent += paid
        try:
            self._ask({"settle": price, "paid": paid})
        except ClaudeError:
            return

    def _tell(self, status: int, headers: Mapping[str, str]) -> None:
        said = {name: value for name, value in headers.items() if name.startswith(_HEARD)}
        try:
            self._ask({"status": status, "headers": said})
        except ClaudeError:
            return  # the next request says that the purse is gone

    def _ask(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._talk:
            try:
                if self._connection is None:
                    self._connection = self._opened()
                answer = self._said({**said, "seen": self._seen})
            except (OSError, ValueError) as error:
                self._connection = None
                raise ClaudeError(
                    f"The process that keeps the budget cannot be reached ({error}): run the job "
                    "again from where it is."
                ) from None
            self._seen = answer["seen"]
        if self._limit is not None:
            for status, headers in answer["heard"]:
                self._limit.learn(status, headers)
        return answer

    def _opened(self) -> Any:
        there = (self._address.host, self._address.port)
        connection = socket.create_connection(there, _SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            self._connection = connection.makefile("rwb")
        self._seen = self._said({"secret": self._address.secret})["seen"]
        return self._connection

    def _said(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        self._connection.write(json.dumps(said).encode() + b"\n")
        self._connection.flush()
        line = self._connection.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise OSError("it closed the connection")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


class _Listening(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, purse: JobBudget, secret: str) -> None:
        self.purse, self.secret = purse, secret
        self.host = _own_address()
        self.lock = threading.Lock()
        # What the server said of its limits, and to which connection.
        self.heard: list[tuple[object, int, Mapping[str, str]]] = []
        super().__init__((self.host, 0), _Worker)


class _Worker(socketserver.StreamRequestHandler):
    """One worker's connection."""

    server: _Listening
    disable_nagle_algorithm = True

    def handle(self) -> None:
        if not hmac.compare_digest(str(self._line().get("secret")), self.server.secret):
            return
        held = 0.0
        self._answer(len(self.server.heard))
        try:
            while said := self._line():
                more = {}
                if "hold" in said:
                    price = float(said["hold"])
                    more["held"] = self.server.purse.lend(price)
                    held += price if more["held"] == "yes" else 0.0
                elif "settle" in said:
                    price = min(held, float(said["settle"]))
                    held -= price
                    self.server.purse.settle(price, float(said["paid"]))
                elif "status" in said:
                    with self.server.lock:
                        self.server.heard.append((self, int(said["status"]), said["headers"]))
                self._answer(int(said["seen"]), **more)
        except (OSError, ValueError, KeyError):
            return  # it is gone, or says what no worker says
        finally:
            if held:
                self.server.purse.settle(held, held)

    def _line(self) -> Mapping[str, Any]:
        line = self.rfile.readline(_LONGEST_LINE)
        found = json.loads(line) if line.endswith(b"\n") else {}
        return found if isinstance(found, dict) else {}

    def _answer(self, seen: int, **more: Any) -> None:
        with self.server.lock:
            new = self.server.heard[seen:]
            heard = [(status, headers) for who, status, headers in new if who is not self]
            said = {**more, "seen": len(self.server.heard), "heard": heard[-20:]}
        self.wfile.write(json.dumps(said).encode() + b"\n")


def _own_address() -> str:
    """Where workers find this machine: the address that Ray has for it, else loopback."""
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        return str(ray.util.get_node_ip_address())
    return "127.0.0.1"


def _close(listening: _Listening) -> None:
    listening.shutdown()
    listening.server_close()
