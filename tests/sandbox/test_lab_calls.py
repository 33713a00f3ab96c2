"""What a Lab asks of its engine and makes of the answers, with an engine that is none."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from lessons.contracts import Ask, ExecResult, TooLarge
from lessons.sandbox import DeadlineError, EngineUnavailableError, LabGoneError, LabTooLargeError, SandboxError, events
from lessons.sandbox import lab as labs
from lessons.sandbox import shell as shells
from tests.sandbox.lab_engine import Answer, LabEngine, frame, refusal

DOCKER = Ask("docker", '{"name": "web", "object": "container"}', seconds=3.0)


@pytest.fixture
def lab(engine: LabEngine):
    return engine.lab()


def answers(*values: object) -> Answer:
    return Answer({"answers": [{"ok": True, "value": value} for value in values]})


def test_questions_go_in_one_command_and_answers_keep_their_order(engine, lab):
    engine.answers["ask"] = answers({"Name": "/web"}, None)
    assert lab.ask([DOCKER, Ask("registry", "{}")], seconds=9) == [{"Name": "/web"}, None]
    assert engine.execs[0]["argv"] == ["/naru/bin/naru-attendant", "ask"]
    first, second = json.loads(engine.heard())["asks"]
    assert first == {"tool": "docker", "request": {"name": "web", "object": "container"}, "seconds": 3.0}
    assert second["tool"] == "registry"
    assert engine.open_sockets() == 0


def test_no_question_needs_no_engine(engine, lab):
    assert lab.ask([], seconds=1) == []
    assert engine.execs == []


def test_answer_that_is_too_large_takes_no_other_with_it(engine, lab):
    told = [{"ok": False, "reason": "size", "message": "an answer of 2 MB"}, {"ok": True, "value": {"Id": "c1"}}]
    engine.answers["ask"] = Answer({"answers": told})
    assert lab.ask([DOCKER, DOCKER], seconds=1) == [TooLarge(), {"Id": "c1"}]


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("time", DeadlineError),
        ("engine", LabGoneError),
        ("request", EngineUnavailableError),
        ("failed", EngineUnavailableError),
    ],
)
def test_question_that_could_not_be_answered_says_why(engine, lab, reason, error):
    engine.answers["ask"] = Answer({"answers": [{"ok": False, "reason": reason, "message": "so it is"}]})
    with pytest.raises(error, match="so it is") as caught:
        lab.ask([DOCKER], seconds=1)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "answer",
    [
        answers(),
        answers(1, 2),
        Answer({"answers": 3}),
        Answer({"answers": [{}]}),
        Answer({"answers": [3]}),
        Answer(out=b"no json"),
        Answer(out=b"[1]"),
        Answer(code=2, err="모르는 명령".encode()),
    ],
)
def test_answer_that_makes_no_sense_is_one_of_our_errors(engine, lab, answer):
    engine.answers["ask"] = answer
    with pytest.raises(EngineUnavailableError):
        lab.ask([DOCKER], seconds=1)


def test_answers_too_large_are_no_answers(engine, lab, monkeypatch):
    monkeypatch.setattr(labs, "MOST_ANSWERS_KB", 1)
    engine.answers["ask"] = answers("x" * 2000)
    with pytest.raises(LabTooLargeError):
        lab.ask([DOCKER], seconds=1)


def test_command_ends_with_its_code_and_bytes(engine, lab):
    engine.answers["-c"] = Answer(code=3, out=b"\xff\0", err=b"e")
    assert lab.run(["sh", "-c", "x"], stdin=b"in", seconds=5) == ExecResult(3, b"\xff\0", b"e")
    assert engine.heard() == b"in"
    assert engine.execs[0]["environment"]["LANG"] == "ko_KR.UTF-8"


def test_command_that_says_too_much_is_cut_and_swept_away(engine, lab):
    engine.answers["x"] = Answer(out=b"y" * 5000, holds=True)
    done = lab.run(["yes", "x"], seconds=5, most_kb=1)
    assert (len(done.stdout), done.truncated, done.exit_code) == (1024, True, 137)
    mark = engine.execs[0]["environment"][labs.MARK]
    assert f"{labs.MARK}={mark}" in engine.execs[1]["argv"][2]
    assert engine.open_sockets() == 0


def test_command_that_does_not_end_is_left_and_swept_away(engine, lab):
    engine.answers["9"] = Answer(holds=True)
    with pytest.raises(DeadlineError):
        lab.run(["sleep", "9"], seconds=0.05)
    assert engine.execs[1]["argv"][0] == "/bin/sh"
    assert engine.open_sockets() == 0


def test_sweeping_that_fails_is_only_logged(engine, lab, caplog):
    engine.answers["9"] = Answer(holds=True)
    create = engine.exec_create

    def only_once(*args, **options):
        made = create(*args, **options)
        engine.refusals["exec_create"] = [refusal("busy", 500)]
        return made

    engine.exec_create = only_once
    with pytest.raises(DeadlineError):
        lab.run(["sleep", "9"], seconds=0.05)
    assert "left behind" in caplog.text


def test_paused_lab_goes_on_for_a_question(engine, lab):
    engine.answers["ask"] = answers(1)
    lab.pause()
    assert lab.is_paused
    assert lab.ask([DOCKER], seconds=1) == [1]
    assert not lab.is_paused


def test_pause_and_resume_twice_are_fine(lab):
    for switch, paused in ((lab.pause, True), (lab.pause, True), (lab.resume, False), (lab.resume, False)):
        switch()
        assert lab.is_paused is paused


@pytest.mark.parametrize(
    "call",
    [
        lambda lab: lab.wait_ready(1),
        lambda lab: lab.ask([DOCKER], seconds=1),
        lambda lab: lab.run(["true"], seconds=1),
        lambda lab: lab.put({"/a": "b"}),
        lambda lab: lab.save(["/a"], most_kb=1),
        lambda lab: lab.load(b""),
        lambda lab: lab.stats(),
        lambda lab: lab.pause(),
        lambda lab: lab.resume(),
        lambda lab: lab.open_shell(number=1, columns=80, rows=24),
        lambda lab: lab.events(),
    ],
)
@pytest.mark.parametrize("removed", [False, True])
def test_lab_that_died_is_told_from_an_engine_that_did(engine, lab, call, removed):
    if removed:
        del engine.containers_made[lab.id]
    else:
        engine.kill(lab)
    assert not lab.alive()
    with pytest.raises(LabGoneError) as caught:
        call(lab)
    assert caught.value.reason == "lab"
    assert engine.open_sockets() == 0


def test_engine_that_is_gone_does_not_mean_that_the_lab_is(engine, lab):
    engine.refusals["exec_create"] = [ConnectionRefusedError("no engine")]
    engine.refusals["inspect"] = [ConnectionRefusedError("no engine")]
    with pytest.raises(EngineUnavailableError) as caught:
        lab.stats()
    assert caught.value.reason == "engine"


def test_lab_that_dies_in_the_middle_of_an_answer_is_gone(engine, lab):
    engine.answers["ask"] = Answer(code=128, err=b"waiting on PID: EOF")
    threading.Timer(0.05, engine.kill, [lab]).start()  # the engine knows a moment later
    with pytest.raises(LabGoneError):
        lab.ask([DOCKER], seconds=1)


def test_lab_that_is_not_ready_in_time_is_a_deadline(engine, lab):
    engine.answers["wait"] = Answer(code=1, err=b"dockerd")
    with pytest.raises(DeadlineError, match="dockerd"):
        lab.wait_ready(1)
    assert engine.execs[0]["argv"][2:] == ["--seconds", "1"]


def test_lab_that_is_ready_says_since_when(lab):
    assert lab.wait_ready(5) == {"ready_ms": 5, "hosts": []}


def test_files_are_put_with_their_modes(engine, lab):
    lab.put({"/root/app.py": "안녕\n", "/root/run.sh": ("#!/bin/sh\n", 0o755)}, host="server")
    files = {"/root/app.py": {"text": "안녕\n", "mode": 420}, "/root/run.sh": {"text": "#!/bin/sh\n", "mode": 493}}
    assert json.loads(engine.heard()) == {"host": "server", "files": files}


def test_files_that_cannot_be_put_are_an_error(engine, lab):
    engine.answers["put"] = Answer(code=1, err=b"read-only")
    with pytest.raises(EngineUnavailableError, match="read-only"):
        lab.put({"/proc/x": ""})


def test_what_is_saved_comes_back_as_bytes(engine, lab):
    engine.answers["save"] = Answer(out=b"\x1f\x8b\0")
    assert lab.save(["/root"], most_kb=8) == b"\x1f\x8b\0"
    assert engine.execs[0]["argv"][1:] == ["save", "--most-kb", "8", "/root"]
    lab.load(b"\x1f\x8b\0")
    assert engine.heard() == b"\x1f\x8b\0"


def test_too_much_to_save_is_told(engine, lab):
    engine.answers["save"] = Answer(code=3)
    with pytest.raises(LabTooLargeError) as caught:
        lab.save(["/root"], most_kb=8)
    assert caught.value.reason == "size"


def test_end_lets_a_paused_lab_go_on_first_and_is_fine_twice(engine, lab):
    lab.pause()
    lab.end()
    lab.end()
    assert engine.removed == [lab.id]
    assert not lab.alive()


def test_shell_speaks_raw_bytes_to_an_event_loop(engine, lab):
    engine.answers["shell"] = Answer(code=None, holds=True)
    shell = lab.open_shell(number=2, columns=100, rows=30, host="server")
    assert engine.execs[0]["argv"][1:] == ["shell", "--id", "2", "--host", "server"]
    far = engine.execs[0]["far"]

    async def talk() -> bytes:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(shell.socket, "echo 안녕\r".encode())
        assert far.recv(100) == "echo 안녕\r".encode()
        far.sendall("안녕\r\n".encode())
        return await loop.sock_recv(shell.socket, 100)

    assert asyncio.run(talk()) == "안녕\r\n".encode()
    shell.close()
    shell.close()
    assert engine.open_sockets() == 0


def test_shell_is_resized_within_bounds_and_again_when_too_early(engine, lab):
    engine.answers["shell"] = Answer(code=None)
    shell = lab.open_shell(number=1, columns=80, rows=24)
    engine.refusals["exec_resize"] = [refusal("no such exec: not started", 500)]
    shell.resize(120, 40)
    shell.resize(0, 100_000)
    assert engine.resized == [("0", 80, 24), ("0", 120, 40), ("0", 2, 1000)]
    shell.close()


def test_shell_that_ends_before_it_has_its_size_is_not_held(engine, lab):
    engine.answers["shell"] = Answer(code=1)
    engine.refusals["exec_resize"] = [refusal("no such exec", 500)]
    with pytest.raises(EngineUnavailableError):
        lab.open_shell(number=1, columns=80, rows=24)
    assert engine.open_sockets() == 0


def test_shell_that_has_ended_cannot_be_resized(engine, lab, monkeypatch):
    monkeypatch.setattr(shells, "START_SECONDS", 60.0)
    engine.answers["shell"] = Answer(code=0)
    shell = lab.open_shell(number=1, columns=80, rows=24)
    engine.refusals["exec_resize"] = [refusal("no such exec", 500)]
    began = time.monotonic()
    with pytest.raises(SandboxError):
        shell.resize(120, 40)
    assert time.monotonic() - began < 30
    assert shell.exit_code() == 0
    shell.close()


def test_learner_is_freed_and_hung_up_through_the_attendant(engine, lab):
    engine.answers |= {"shell": Answer(code=None), "free": Answer({"freed": 2}), "hangup": Answer({})}
    shell = lab.open_shell(number=3, columns=80, rows=24)
    assert shell.free() == 2
    shell.hang_up()
    assert [made["argv"][1:] for made in engine.execs[1:]] == [["free", "--id", "3"], ["hangup", "--id", "3"]]
    assert engine.open_sockets() == 0


def test_hanging_up_in_a_lab_that_died_is_fine(engine, lab):
    shell = lab.open_shell(number=3, columns=80, rows=24)
    engine.kill(lab)
    shell.hang_up()
    assert engine.open_sockets() == 0


def event(number: int) -> bytes:
    return frame(json.dumps({"host": "", "event": {"Action": "start", "n": number}}).encode() + b"\n")


@pytest.fixture
def stream(engine, lab):
    engine.answers["events"] = Answer(code=None, holds=True)
    made = lab.events(since=1234.5678)
    yield made
    made.close()


def test_streams_go_on_as_long_as_events_are_read(engine, lab):
    engine.answers["events"] = Answer(code=None, holds=True)
    made = lab.events(since=1.0, streams=[{"id": "shop", "http": {"url": "http://shop/"}}])
    words = engine.execs[0]["argv"][1:]
    made.close()
    assert words[:4] == ["events", "--since", "1.000", "--streams"]
    assert json.loads(words[4]) == [{"id": "shop", "http": {"url": "http://shop/"}}]


def test_events_are_read_one_by_one(engine, stream):
    assert engine.execs[0]["argv"][1:] == ["events", "--since", "1234.568"]
    far = engine.execs[0]["far"]
    far.sendall(event(1) + event(2)[:20])
    assert stream.read(1) == {"host": "", "event": {"Action": "start", "n": 1}}
    assert stream.read(0.02) is None
    far.sendall(event(2)[20:])
    assert next(iter(stream))["event"]["n"] == 2


def test_events_end_at_once_when_closed_from_elsewhere(engine, stream, monkeypatch):
    monkeypatch.setattr(events, "LOOK_SECONDS", 60.0)
    engine.execs[0]["far"].sendall(event(1))
    reading = iter(stream)
    assert next(reading)["event"]["n"] == 1
    closer = threading.Timer(0.05, stream.close)
    closer.start()
    began = time.monotonic()
    assert list(reading) == []
    assert time.monotonic() - began < 30
    closer.join()
    assert stream.read(5) is None
    assert engine.open_sockets() == 0


@pytest.mark.parametrize(("dies", "error"), [(True, LabGoneError), (False, EngineUnavailableError)])
def test_events_that_end_by_themselves_say_why(engine, lab, stream, dies, error):
    engine.execs[0]["far"].sendall(event(1) + frame(b"dockerd went away", 2))
    if dies:
        engine.kill(lab)
    engine.execs[0]["far"].close()
    assert stream.read(1)["event"]["n"] == 1
    with pytest.raises(error) as caught:
        list(stream)
    assert type(caught.value) is error
    assert engine.open_sockets() == 0


@pytest.mark.parametrize("line", [b"no json\n", b"{}\n", b'{"host": "", "event": 3}\n', b"[]\n"])
def test_event_that_makes_no_sense_is_one_of_our_errors(engine, stream, line):
    engine.execs[0]["far"].sendall(frame(line))
    with pytest.raises(EngineUnavailableError):
        stream.read(1)


def test_event_without_an_end_is_refused(engine, stream, monkeypatch):
    stream._frames._most = 100
    engine.execs[0]["far"].sendall(frame(b"x" * 101))
    with pytest.raises(EngineUnavailableError, match="too large"):
        stream.read(1)


def test_complaints_of_the_attendant_do_not_fill_the_stream(engine, stream):
    for _ in range(3):
        engine.execs[0]["far"].sendall(frame(b"warning" * 2000, 2))
    engine.execs[0]["far"].sendall(event(7))
    while (found := stream.read(1)) is None:
        pass
    assert found["event"]["n"] == 7
    assert len(stream._frames.error) <= 4096
