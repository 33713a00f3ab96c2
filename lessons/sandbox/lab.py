"""One lab: a container that lives with a learner, with the attendant as pid 1 and what its image starts inside.

Everything asked of it goes through an exec of the attendant, whose program lies where the learner cannot write.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import APIError

from lessons.contracts import Ask, ExecResult, LabShape, TooLarge
from lessons.sandbox.engine import Engine, engine_errors, remove_container
from lessons.sandbox.errors import (
    DeadlineError,
    EngineUnavailableError,
    LabGoneError,
    LabTooLargeError,
    SandboxError,
)
from lessons.sandbox.events import EventStream, read_event
from lessons.sandbox.execs import EXIT_SECONDS, Exec, is_alive, lab_errors
from lessons.sandbox.shell import Shell

logger = logging.getLogger(__name__)

ATTENDANT = "/naru/bin/naru-attendant"
GRACE_SECONDS = 5.0  # beyond what the attendant was told, before the portal gives up on it
MOST_ANSWERS_KB = 5 * 1024  # the attendant's own bound is 4 MiB
MOST_TOLD_KB = 12 * 1024
UPKEEP_SECONDS = 20.0  # for what takes milliseconds unless the machine is in trouble
KILLED, CUT_OFF = 137, 128  # exit codes: by SIGKILL, and where the lab died before its command
NOT_READY = 1  # exit code of `wait`
TOO_LARGE = 3  # exit code of `save`
ENVIRONMENT = {"LANG": "ko_KR.UTF-8", "TERM": "xterm-256color"}
MARK = "NARU_EXEC"
# What outlived its deadline is found by its environment and killed; every tool here is the lab's own, no harm in that.
SWEEP = (
    f"for p in $(grep -lszx '{MARK}={{mark}}' /proc/[0-9]*/environ); "
    "do p=${{p#/proc/}}; kill -KILL ${{p%/environ}}; done"
)


class Lab:
    """Any thread may call; every call has a deadline. All raise SandboxError, LabGoneError once the lab has died.

    A paused lab is resumed by whatever needs it running. ``shape`` is None where the caller did not know it.
    """

    def __init__(self, engine: Engine, container_id: str, shape: LabShape | None = None) -> None:
        """No call is made."""
        self.id, self.shape = container_id, shape
        self.born = time.monotonic()
        self._engine = engine

    def __repr__(self) -> str:
        return f"<Lab {self.id[:12]}>"

    def wait_ready(self, seconds: float) -> dict[str, Any]:
        """Until everything in it that has to answer does: {"ready_ms", "hosts"}. Raises DeadlineError."""
        argv = [ATTENDANT, "wait", "--seconds", str(max(1, round(seconds)))]
        done = self.run(argv, seconds=seconds + GRACE_SECONDS)
        if done.exit_code == NOT_READY and self.outlives():
            raise DeadlineError(f"the lab did not become ready: {_tail(done)}")
        return self._document(done, "wait")

    def ask(self, asks: Sequence[Ask], *, seconds: float) -> list[Any]:
        """The answers, in order, one JSON value each (labs/attendant). ``seconds`` bounds all of them.

        TooLarge stands for one that says too much: what a learner made is no fault of ours. Raises DeadlineError when
        one of them took too long, LabTooLargeError where nothing can be read for the size of all, LabGoneError when
        an engine inside has died.
        """
        if not asks:
            return []
        questions = [{"tool": ask.tool, "request": json.loads(ask.request), "seconds": ask.seconds} for ask in asks]
        body = json.dumps({"asks": questions}).encode()
        done = self.run([ATTENDANT, "ask"], stdin=body, seconds=seconds, most_kb=MOST_ANSWERS_KB)
        if done.truncated:
            raise LabTooLargeError("the answers of a lab are too large")
        answers = self._document(done, "ask").get("answers")
        if not isinstance(answers, list) or len(answers) != len(asks):
            raise EngineUnavailableError("the attendant answered another number of questions")
        return [_value(ask, answer) for ask, answer in zip(asks, answers, strict=True)]

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float, most_kb: int = 256) -> ExecResult:
        """Any command as root. What outlives ``seconds`` or says more than ``most_kb`` is killed.

        Raises DeadlineError; a command that said too much is a result, cut (``truncated``).
        """
        ends_at = time.monotonic() + seconds
        mark = uuid.uuid4().hex
        made = self._begin(argv, environment={**ENVIRONMENT, MARK: mark})
        try:
            with lab_errors(self._engine, self.id):
                stdout, stderr, cut = made.converse(stdin, ends_at, most_kb * 1024)
        except DeadlineError:
            self._sweep(mark)
            raise
        finally:
            made.close()
        if cut:
            self._sweep(mark)
            return ExecResult(KILLED, stdout, stderr, truncated=True)
        code = made.exit_code(EXIT_SECONDS)
        if code in (None, KILLED, CUT_OFF) and not self.outlives():
            raise LabGoneError(f"lab {self.id[:12]} ended during {argv[0]}")
        return ExecResult(KILLED if code is None else code, stdout, stderr)

    def _begin(self, argv: Sequence[str], **options: Any) -> Exec:
        """An exec; a lab that turns out to be paused is resumed for it."""
        try:
            return Exec(self._engine, self.id, argv, **options)
        except LabGoneError:
            raise
        except EngineUnavailableError:
            if not self.is_paused:
                raise
        self.resume()
        return Exec(self._engine, self.id, argv, **options)

    def _sweep(self, mark: str) -> None:
        try:
            sweeper = self._begin(["/bin/sh", "-c", SWEEP.format(mark=mark)])
            try:
                sweeper.converse(b"", time.monotonic() + GRACE_SECONDS, 4096)
            finally:
                sweeper.close()
        except SandboxError as error:
            logger.warning("A command is left behind in lab %s: %s", self.id[:12], error)

    def put(self, files: Mapping[str, str | tuple[str, int]], *, host: str = "") -> None:
        """Write files: absolute path -> text, or (text, mode)."""
        named = {
            path: {"text": value, "mode": 0o644} if isinstance(value, str) else {"text": value[0], "mode": value[1]}
            for path, value in files.items()
        }
        body = json.dumps({"host": host, "files": named}).encode()
        self._done(self.run([ATTENDANT, "put"], stdin=body, seconds=UPKEEP_SECONDS), "put")

    def save(self, paths: Sequence[str], *, most_kb: int, seconds: float = UPKEEP_SECONDS) -> bytes:
        """What lies at these absolute paths, as a tar.gz; missing ones are left out. The words ``cluster`` and
        ``registry`` among them are the objects of its cluster and what its registry holds. Raises LabTooLargeError.
        """
        argv = [ATTENDANT, "save", "--most-kb", str(most_kb), *paths]
        done = self.run(argv, seconds=seconds, most_kb=most_kb + 64)
        if done.exit_code == TOO_LARGE or done.truncated:
            raise LabTooLargeError(f"more than {most_kb} KB would have to be saved")
        return self._done(done, "save")

    def load(self, data: bytes, *, seconds: float = UPKEEP_SECONDS) -> None:
        """Put back what ``save`` gave; a cluster's other objects go."""
        self._done(self.run([ATTENDANT, "load"], stdin=data, seconds=seconds), "load")

    def stats(self) -> dict[str, int]:
        """{"memory_mb", "cpu_ms", "processes"} of the whole lab."""
        return self.attend("stats")

    def pause(self) -> None:
        """Stop its clockwork; one that is paused already is fine."""
        self._switch(paused=True)

    def resume(self) -> None:
        """Let it go on; one that runs already is fine."""
        self._switch(paused=False)

    def _switch(self, *, paused: bool) -> None:
        with lab_errors(self._engine, self.id):
            try:
                (self._engine.api.pause if paused else self._engine.api.unpause)(self.id)
            except APIError:
                if not self.alive() or self.is_paused is not paused:
                    raise

    @property
    def is_paused(self) -> bool:
        """As the engine says. Raises SandboxError."""
        with lab_errors(self._engine, self.id):
            return bool(self._engine.api.inspect_container(self.id)["State"].get("Paused"))

    def alive(self) -> bool:
        """Whether it still runs (or is paused). Raises SandboxError when the engine does not answer."""
        return is_alive(self._engine, self.id)

    def adopt(self, name: str) -> None:
        """Give it another name, which says whose it is and until when (``reaper``)."""
        with lab_errors(self._engine, self.id):
            self._engine.api.rename(self.id, name)

    def killed_by_memory(self) -> bool:
        """Whether it ended because it used all of its memory. Raises SandboxError."""
        with engine_errors():
            return bool(self._engine.api.inspect_container(self.id)["State"].get("OOMKilled"))

    def end(self) -> None:
        """Remove it with all it holds; one that is gone already is fine."""
        remove_container(self._engine.api, self.id, may_be_paused=True)

    def close(self) -> None:
        """Nothing is held between calls: for the pool, which closes what it removes."""

    def open_shell(self, *, number: int, columns: int, rows: int, host: str = "") -> Shell:
        """A terminal of the learner's. ``number`` tells it from the lab's others; ``host`` is one of the shape's."""
        argv = [ATTENDANT, "shell", "--id", str(number), "--host", host]
        made = self._begin(argv, environment=ENVIRONMENT, tty=(columns, rows))
        shell = Shell(self._engine, self, made, number)
        try:
            shell.resize(columns, rows)  # runsc does not take the size that the engine starts it with
        except SandboxError:
            shell.close()
            raise
        return shell

    def events(self, *, since: float | None = None, streams: Sequence[Mapping[str, Any]] = ()) -> EventStream:
        """What the engines and the cluster inside report from ``since`` (unix seconds, None: now) on.

        ``streams``, as graders.streams gives them, are requests made for as long as somebody reads; every second with
        news of one comes as an event of Type traffic.
        """
        argv = [ATTENDANT, "events", "--since", f"{time.time() if since is None else since:.3f}"]
        if streams:
            argv += ["--streams", json.dumps([dict(stream) for stream in streams], ensure_ascii=False)]
        return EventStream(self, self._begin(argv))

    def told(self, *, since: float, seconds: float = UPKEEP_SECONDS) -> list[dict[str, Any]]:
        """What ``events`` tells from ``since`` up to now, all of it, as the engines and the cluster still know it."""
        argv = [ATTENDANT, "events", "--since", f"{since:.3f}", "--until", f"{time.time():.3f}"]
        done = self._done(self.run(argv, seconds=seconds, most_kb=MOST_TOLD_KB), "events")
        return [read_event(line) for line in done.splitlines()]

    def attend(self, verb: str, *words: str, seconds: float = UPKEEP_SECONDS) -> dict[str, Any]:
        """The document that a subcommand of the attendant's prints. Raises SandboxError."""
        return self._document(self.run([ATTENDANT, verb, *words], seconds=seconds), verb)

    def _done(self, done: ExecResult, what: str) -> bytes:
        """Standard output of an attendant's command that went well."""
        if done.exit_code == 0 and not done.truncated:
            return done.stdout
        if not self.outlives():
            raise LabGoneError(f"lab {self.id[:12]} ended during {what}")
        raise EngineUnavailableError(f"attendant {what}: {done.exit_code}: {_tail(done)}")

    def outlives(self) -> bool:
        """Whether it lives, looked at for half a second: a lab that dies takes its commands with it a moment before the
        engine knows."""
        ends_at = time.monotonic() + 0.5
        while self.alive():
            if time.monotonic() > ends_at:
                return True
            time.sleep(0.05)
        return False

    def _document(self, done: ExecResult, what: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self._done(done, what)))
        except (TypeError, ValueError) as error:
            raise EngineUnavailableError(f"attendant {what}: no answer: {error}") from error


def _value(ask: Ask, answer: Any) -> Any:
    try:
        if answer["ok"]:
            return answer["value"]
        reason, message = str(answer["reason"]), str(answer.get("message", ""))
    except (KeyError, TypeError) as error:
        raise EngineUnavailableError(f"attendant {ask.tool}: no answer: {error!r}") from error
    if reason == "time":
        raise DeadlineError(f"{ask.tool}: {message}")
    if reason == "size":
        logger.info("Attendant %s: too large: %s", ask.tool, message)
        return TooLarge()
    if reason == "engine":
        raise LabGoneError(f"{ask.tool}: an engine in the lab has died: {message}")
    raise EngineUnavailableError(f"{ask.tool}: {reason}: {message}")


def _tail(done: ExecResult) -> str:
    return (done.stderr or done.stdout)[-500:].decode(errors="replace").strip()
