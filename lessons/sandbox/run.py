"""One run container, from its start to its removal, and park's end of the conversation.

The wire format is labs/park/protocol.go's: four bytes of length, big endian, then JSON, inside the
engine's multiplexed attach stream (eight bytes of header: stream, three zeros, length).
"""

from __future__ import annotations

import base64
import itertools
import json
import logging
import secrets
import struct
import time
import uuid
from typing import Any

from lessons.contracts import Ended, Run, RunEvidence
from lessons.sandbox.engine import Engine, engine_errors, receive
from lessons.sandbox.errors import DeadlineError, EngineUnavailableError
from lessons.sandbox.limits import Shape, host_config, job

logger = logging.getLogger(__name__)

LABEL_PROCESS = "naru.process"
LABEL_OWNER = "naru.owner"  # the submission; "pool" where there was none yet
LABEL_DEADLINE = "naru.deadline"  # unix seconds; past it, the reaper takes the container
LABEL_SHAPE = "naru.shape"
GRACE_SECONDS = 12.0  # for start, the end of what a learner left behind, and collection
MOST_REPLY = 16 << 20
# One per container: RLIMIT_NPROC counts a user over all of them. Processes beside each other begin apart.
_FIRST_UID = secrets.choice(range(20_000, 60_000))
UIDS = itertools.cycle([*range(_FIRST_UID, 60_000), *range(20_000, _FIRST_UID)])


class RunContainer:
    """A container with park waiting in it; good for one job."""

    def __init__(self, engine: Engine, shape: Shape, image: str, labels: dict[str, str], lifetime: float) -> None:
        """Create it; ``begin`` starts it. Raises SandboxError, with nothing made."""
        self.shape = shape
        self.born = time.monotonic()
        self.id = ""
        self._engine = engine
        self._stream: Any = None
        self._inspect: dict[str, Any] = {}
        self._unread = bytearray()
        self.runtime = engine.runtime()
        name = f"naru-run-{uuid.uuid4().hex[:16]}"
        config = {
            "Image": image,
            "User": "0:0",
            "Hostname": "naru",
            "NetworkDisabled": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "OpenStdin": True,
            "StdinOnce": True,  # a portal that goes away closes it, and park ends
            "Tty": False,
            "WorkingDir": "/",
            "Labels": {**labels, LABEL_DEADLINE: str(int(time.time() + lifetime)), LABEL_SHAPE: shape.environment},
            "HostConfig": host_config(shape, self.runtime),
        }
        with engine_errors():
            self.id = engine.api.create_container_from_config(config, name)["Id"]

    def begin(self) -> None:
        """Attach and start. Raises SandboxError; the container is there then, for its maker to remove."""
        with engine_errors():
            self._stream = self._attach()
            self._engine.api.start(self.id)

    def _attach(self) -> Any:
        """A raw socket, before the start, so that nothing park says is missed."""
        holder = self._engine.api.attach_socket(self.id, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "logs": 0})
        holder._sock.settimeout(self._engine.api.timeout)
        self._holder = holder  # owns the connection
        return holder._sock

    def park(self, seconds: float) -> None:
        """Wait until park is ready and look at the container. Raises SandboxError."""
        with engine_errors():
            hello = self._reply(time.monotonic() + seconds)
            if hello is None or not hello.get("parked"):
                raise EngineUnavailableError(f"the container did not park: {hello}")
            self._inspect = self._engine.api.inspect_container(self.id)

    def carry_out(self, run: Run, deadline: float) -> RunEvidence:
        """Give park its one job and read what it left. ``deadline`` is of time.monotonic(). Raises SandboxError."""
        wanted = job(run, next(UIDS)) | {
            "stdin": _encoded(run.stdin),
            "files": {path: _encoded(text) for path, text in run.files.items()},
        }
        body = json.dumps(wanted).encode()
        began = time.monotonic()
        limit = min(deadline, began + run.limits.seconds + GRACE_SECONDS)
        with engine_errors():
            self._stream.settimeout(max(0.1, limit - began))
            self._stream.sendall(struct.pack(">I", len(body)) + body)
            if not self._inspect:
                self._inspect = self._engine.api.inspect_container(self.id)
            report = self._reply(limit)
            if report is not None and report.get("parked"):
                report = self._reply(limit)
            if report is None:
                return self._without_report(run, began)
        if report.get("fault"):
            raise EngineUnavailableError(f"park: {report['fault']}")
        try:
            return self._evidence(run, report)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise EngineUnavailableError(f"park: a report of another version: {error!r}") from error

    def _evidence(self, run: Run, report: dict[str, Any]) -> RunEvidence:
        return RunEvidence(
            ended=Ended(report["ended"]),
            exit_code=report["exit_code"],
            stdout=base64.b64decode(report["stdout"] or ""),
            stderr=base64.b64decode(report["stderr"] or ""),
            files={
                path: None if text is None else base64.b64decode(text) for path, text in (report["files"] or {}).items()
            },
            limits=run.limits,
            inspect=self._inspect,
            cpu_ms=report["cpu_ms"],
            peak_mb=round(report["peak_bytes"] / 2**20, 1) or None,
            wall_ms=report["wall_ms"],
            truncated=report["truncated"],
        )

    def _without_report(self, run: Run, began: float) -> RunEvidence:
        """Park is gone. Of the container's own limits a learner can reach only memory; all else is our trouble."""
        self._engine.api.wait(self.id, timeout=10)
        state = self._engine.api.inspect_container(self.id)["State"]
        if not state.get("OOMKilled"):
            raise EngineUnavailableError(f"the container ended without a report: {state}")
        return RunEvidence(
            ended=Ended.MEMORY,
            exit_code=None,
            stdout=b"",
            stderr=b"",
            files=dict.fromkeys(run.collect),
            limits=run.limits,
            inspect=self._inspect,
            cpu_ms=None,
            peak_mb=None,
            wall_ms=round((time.monotonic() - began) * 1000),
        )

    def _reply(self, deadline: float) -> dict[str, Any] | None:
        """Park's next message; None at the end of the stream."""
        head = self._take(4, deadline)
        if len(head) < 4:
            return None
        (length,) = struct.unpack(">I", head)
        if length > MOST_REPLY:
            raise EngineUnavailableError(f"a reply of {length} bytes")
        body = self._take(length, deadline)
        if len(body) < length:
            return None
        try:
            return dict(json.loads(body))
        except (TypeError, ValueError) as error:
            raise EngineUnavailableError(f"park: no message: {error}") from error

    def _take(self, count: int, deadline: float) -> bytes:
        """``count`` bytes of park's standard output; fewer at the end. Its standard error goes to the log."""
        while len(self._unread) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeadlineError("no report in time")
            self._stream.settimeout(left)
            try:
                header = receive(self._stream, 8)
                if len(header) < 8:
                    break
                kind, length = struct.unpack(">BxxxI", header)
                payload = receive(self._stream, length)
            except TimeoutError as error:
                raise DeadlineError("no report in time") from error
            if kind == 2:
                logger.warning("park in %s: %s", self.id[:12], payload.decode(errors="replace").strip()[:500])
            else:
                self._unread += payload
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken

    def close(self) -> None:
        """Let go of the connection; removal is somebody else's, after the reply."""
        if self._stream is not None:
            self._stream, stream = None, self._stream
            stream.close()
            self._holder.close()


def _encoded(text: str) -> str:
    """As a byte field of park's. Half a surrogate pair, which YAML can spell, is no reason to break a run."""
    return base64.b64encode(text.encode(errors="replace")).decode()
