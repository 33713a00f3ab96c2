"""Labs that are none: they answer from a script, and shells are socket pairs whose other end the test holds."""

from __future__ import annotations

import json
import queue
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lessons.contracts import Ask, ExecResult, LabShape
from lessons.sandbox import EngineUnavailableError, LabGoneError, LabTooLargeError

DOCKER = LabShape("docker")
END = object()


class FakeShell:
    """Same methods as ``lessons.sandbox.shell.Shell``. ``far`` is the lab's end: what is sent there, the shell said."""

    def __init__(self, lab: FakeLab, number: int, columns: int, rows: int, host: str = "") -> None:
        self.lab, self.number, self.host = lab, number, host
        self.sizes = [(columns, rows)]
        self.freed = 0
        self.hung_up = self.closed = False
        self.code: int | None = None
        self.socket, self.far = socket.socketpair()
        self.socket.setblocking(False)
        self.far.settimeout(5)

    def resize(self, columns: int, rows: int) -> None:
        self.lab.check()
        self.sizes.append((columns, rows))

    def free(self) -> int:
        self.lab.check()
        self.freed += 1
        return 1

    def hang_up(self) -> None:
        """Never raises, as the real one."""
        self.hung_up = True
        self.code = 129 if self.code is None else self.code
        self.close()

    def exit_code(self) -> int | None:
        return self.code

    def exit(self, code: int = 0) -> None:
        """The learner typed exit: the lab's end closes."""
        self.code = code
        self.far.close()

    def close(self) -> None:
        self.closed = True
        self.socket.close()
        self.far.close()


class FakeEventStream:
    """Same methods as ``lessons.sandbox.events.EventStream``; ``push`` gives it an event.

    ``requests`` are the streams that were asked for.
    """

    def __init__(self, since: float, requests: Sequence[Mapping[str, Any]] = ()) -> None:
        self.since = since
        self.requests = [dict(request) for request in requests]
        self.closed = False
        self.pushed: list[dict[str, Any]] = []
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def push(self, event: Mapping[str, Any], host: str = "") -> None:
        """``event``: a document of Docker's, as {"Type": "container", "Action": "start", …}."""
        self.pushed.append({"host": host, "event": dict(event)})
        self._waiting.put(self.pushed[-1])

    def fail(self, error: Exception) -> None:
        self._waiting.put(error)

    def read(self, seconds: float) -> dict[str, Any] | None:
        """The next event; None after ``seconds`` without one, or once closed."""
        if self.closed:
            return None
        try:
            found = self._waiting.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return None if found is END else found

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while not self.closed:
            event = self.read(1.0)
            if event is not None:
                yield event

    def close(self) -> None:
        self.closed = True
        self._waiting.put(END)


class FakeLab:
    """Same methods as ``lessons.sandbox.lab.Lab``.

    ``answer_ask`` answers each question; ``run_result`` each command. ``asked``, ``ran``, ``files`` (absolute path ->
    text of what was put, one dictionary a host in ``hosts``), ``loaded``, ``shells`` and ``streams`` remember.
    ``kill()`` makes it a lab that died: shells and event streams end, every call raises LabGoneError.
    """

    def __init__(self, container_id: str = "lab0", shape: LabShape | None = DOCKER, owner: str = "") -> None:
        self.id, self.shape, self.owner, self.lifetime = container_id, shape, owner, 0.0
        self.answer_ask: Callable[[Ask], Any] = lambda ask: None
        self.run_result: Callable[[tuple[str, ...]], ExecResult] = lambda argv: ExecResult(0, b"", b"")
        self.saved = b"saved"
        self.registry = b""  # what its registry adds to that
        self.home = b""  # likewise /root
        self.save_error: Exception | None = None
        self.load_error: Exception | None = None
        self.usage = {"memory_mb": 90, "cpu_ms": 1000, "processes": 9}
        self.asked: list[Ask] = []
        self.ran: list[tuple[str, ...]] = []
        self.done: list[str] = []  # put, run, ask and load, in their order
        self.hosts: dict[str, dict[str, str]] = {}
        self.loaded: list[bytes] = []
        self.save_calls: list[tuple[str, ...]] = []
        self.save_seconds: list[float] = []
        self.shells: list[FakeShell] = []
        self.streams: list[FakeEventStream] = []
        self.unheard: list[dict[str, Any]] = []  # {"host", "event"}: what it tells only when it is asked
        self.dead = self.ended = False
        self.paused = False
        self.not_ready: Exception | None = None

    def check(self) -> None:
        if self.dead or self.ended:
            raise LabGoneError(f"lab {self.id} has ended")

    def kill(self) -> None:
        self.dead = True
        for shell in self.shells:
            if not shell.closed:
                shell.exit(137)
        for stream in self.streams:
            stream.fail(LabGoneError(f"lab {self.id} has ended"))

    def wait_ready(self, seconds: float) -> dict[str, Any]:
        self.check()
        if self.not_ready is not None:
            raise self.not_ready
        return {"ready_ms": 5, "hosts": list(self.shape.engines if self.shape else ())}

    def ask(self, asks: Sequence[Ask], *, seconds: float) -> list[Any]:
        self.check()
        self.paused = False
        self.asked.extend(asks)
        self.done.append("ask")
        return [json.loads(json.dumps(self.answer_ask(ask))) for ask in asks]  # it crosses as JSON

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float, most_kb: int = 256) -> ExecResult:
        self.check()
        self.paused = False
        self.ran.append(tuple(argv))
        self.done.append("run")
        return self.run_result(tuple(argv))

    def put(self, files: Mapping[str, Any], *, host: str = "") -> None:
        self.check()
        self.done.append("put")
        for path, value in files.items():
            if not path.startswith("/"):
                raise EngineUnavailableError(f"not an absolute path: {path}")
            self.hosts.setdefault(host, {})[path] = value if isinstance(value, str) else value[0]

    @property
    def files(self) -> dict[str, str]:
        return self.hosts.setdefault("", {})

    def save(self, paths: Sequence[str], *, most_kb: int, seconds: float = 20.0) -> bytes:
        self.check()
        self.save_calls.append(tuple(paths))
        self.save_seconds.append(seconds)
        if self.save_error is not None:
            raise self.save_error
        saved = self.saved + (self.registry if "registry" in paths else b"") + (self.home if "/root" in paths else b"")
        if len(saved) > most_kb * 1024:
            raise LabTooLargeError(f"more than {most_kb} KB")
        return saved

    def load(self, data: bytes, *, seconds: float = 20.0) -> None:
        self.check()
        if self.load_error is not None:
            raise self.load_error
        self.loaded.append(data)
        self.done.append("load")

    def stats(self) -> dict[str, int]:
        self.check()
        return dict(self.usage)

    def pause(self) -> None:
        self.check()
        self.paused = True

    def resume(self) -> None:
        self.check()
        self.paused = False

    @property
    def is_paused(self) -> bool:
        self.check()
        return self.paused

    def alive(self) -> bool:
        return not (self.dead or self.ended)

    def end(self) -> None:
        if not self.ended:
            self.kill()
        self.ended = True

    def open_shell(self, *, number: int, columns: int, rows: int, host: str = "") -> FakeShell:
        self.check()
        self.paused = False
        self.shells.append(FakeShell(self, number, columns, rows, host))
        return self.shells[-1]

    def told(self, *, since: float, seconds: float = 20.0) -> list[dict[str, Any]]:
        self.check()
        events = [*self.unheard, *(event for stream in self.streams for event in stream.pushed)]
        return [event for event in events if event["event"].get("timeNano", 0) / 1e9 >= since]

    def events(self, *, since: float | None = None, streams: Sequence[Mapping[str, Any]] = ()) -> FakeEventStream:
        self.check()
        self.streams.append(FakeEventStream(time.time() if since is None else since, streams))
        return self.streams[-1]
