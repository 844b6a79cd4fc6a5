"""A small HTTP server in a thread of this process, listening on the loopback address alone."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple, Self


class Asked(NamedTuple):
    """A request; its headers are named in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is answered."""

    body: bytes
    kind: str
    status: int = 200
    headers: Mapping[str, str] = {}


class LoopbackServer(ABC):
    """Listens on `port`, at `url`, from its construction on, and answers GET and POST while the `with` block lasts.

    Each request has a thread of its own; `turn` is for what one alone may do at a time.
    """

    largest_body: ClassVar[int] = 8 * 1024 * 1024

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), partial(_Handler, self))
        self.turn = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @abstractmethod
    def respond(self, asked: Asked) -> Answer:
        """Answer one request, in a thread of its own."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def __init__(self, ours: LoopbackServer, *connection: Any) -> None:
        self._ours = ours
        super().__init__(*connection)

    def do_GET(self) -> None:
        """Have it answered."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._ours.largest_body:
            self.send_error(413)
            return
        answer = self._ours.respond(Asked(self.command, self.path, headers, self.rfile.read(int(length))))
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET  # noqa: N815 - so http.server calls it

    def log_message(self, *_: object) -> None:
        """Log nothing: requests may hold codes."""
