"""Real labs: opened, asked, filled, typed into, watched, and ended in every way."""

from __future__ import annotations

import io
import itertools
import json
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessons.contracts import Ask, LabShape, Place, Plan
from lessons.sandbox import DeadlineError, Lab, LabGoneError, LabTooLargeError, Sandbox, Shell
from lessons.sandbox.lab_pool import KIND_LAB, LABEL_KIND
from lessons.sandbox.reaper import Reaper
from tests.sandbox.running import eventually, lab_sandbox, labelled, make_sandbox, read_until, type_line

pytestmark = pytest.mark.docker

DOCKER = LabShape("docker")


@pytest.fixture(scope="module")
def labs(engine_socket: Path, lock_dir: Path) -> Iterator[Sandbox]:
    """With one lab in its pool."""
    with lab_sandbox(engine_socket, lock_dir, lab_pool_size=1) as sandbox:
        sandbox.labs.start()
        eventually(lambda: sandbox.labs.pool.parked_count() == 1, seconds=60)
        yield sandbox


@pytest.fixture(scope="module")
def lab(labs: Sandbox) -> Lab:
    """Out of the pool, and used by many tests."""
    parked = {one.id for one in labs.labs.pool._parked[DOCKER]}
    taken = labs.open_lab(DOCKER, owner="test", lifetime=1800)
    assert taken.id in parked
    return taken


@pytest.fixture
def another(labs: Sandbox) -> Iterator[Lab]:
    """One test's own, to be ruined."""
    made = labs.labs._begin(DOCKER, "naru-lab-9999999999-another", "test", 1800)
    try:
        made.wait_ready(60)
        yield made
    finally:
        made.end()


@pytest.fixture
def shell(lab: Lab) -> Iterator[Shell]:
    made = lab.open_shell(number=1, columns=100, rows=30)
    try:
        read_until(made, b"# ")
        yield made
    finally:
        made.hang_up()


def said(lab: Lab, line: str, seconds: float = 60.0) -> str:
    done = lab.run(["/bin/bash", "-c", line], seconds=seconds)
    assert done.exit_code == 0, (line, done)
    return done.stdout.decode()


def inspect(name: str) -> Ask:
    return Ask("docker", json.dumps({"engine": "", "name": name, "object": "container"}, sort_keys=True))


def test_pooled_lab_is_ready_at_once(lab):
    assert lab.wait_ready(10)["ready_ms"] > 0
    assert not lab.is_paused
    assert lab.alive()


def test_cold_lab_becomes_ready(another):
    assert said(another, "docker run --rm busybox:1.37 echo hi") == "hi\n"
    assert another.stats()["memory_mb"] < 400


def test_questions_are_answered_by_the_labs_own_engine(lab):
    said(lab, "docker run -d --name web busybox:1.37 sleep 600")
    found, nobody = lab.ask([inspect("web"), inspect("nobody")], seconds=20)
    assert found["State"]["Running"] is True
    assert nobody is None
    said(lab, "docker rm -f web")


def test_files_go_in_and_come_out_again(lab, another):
    lab.put({"/root/한글.txt": "안녕하세요\n", "/root/run.sh": ("#!/bin/sh\necho 실행\n", 0o755)})
    assert said(lab, "cat /root/한글.txt; /root/run.sh") == "안녕하세요\n실행\n"
    saved = lab.save(["/root/한글.txt", "/root/run.sh", "/root/none"], most_kb=64)
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        assert len(archive.getmembers()) == 2
    another.load(saved)
    assert said(another, "cat /root/한글.txt; /root/run.sh") == "안녕하세요\n실행\n"


def test_saving_too_much_is_refused(lab):
    said(lab, "mkdir -p /root/big && head -c 300000 /dev/urandom >/root/big/x")
    with pytest.raises(LabTooLargeError):
        lab.save(["/root/big"], most_kb=64)
    said(lab, "rm -r /root/big")


def test_shell_takes_and_gives_korean(shell):
    type_line(shell, "echo 나루_$((20+2))")
    assert "나루_22" in read_until(shell, "나루_22".encode()).decode()


def test_shell_knows_its_size_and_is_told_of_a_new_one(shell):
    type_line(shell, "stty size")
    read_until(shell, b"30 100")
    shell.resize(132, 43)
    type_line(shell, "stty size")  # no moment later: keys do not overtake a size
    read_until(shell, b"43 132")


def test_shell_loses_no_key_while_its_size_changes(shell):
    over = threading.Event()

    def resize() -> None:
        for step in itertools.count():
            if over.is_set():
                return
            shell.resize(80 + step % 40, 20 + step % 20)

    resizing = threading.Thread(target=resize)
    resizing.start()
    try:
        for number in range(20):
            for key in f"echo keys_$((100+{number}))\r".encode():
                shell.socket.sendall(bytes([key]))
            read_until(shell, f"keys_{100 + number}\r\n".encode())
    finally:
        over.set()
        resizing.join()


def test_shell_in_which_control_p_is_a_key_like_any_other(shell):
    type_line(shell, "echo up_$((1+1))")
    read_until(shell, b"up_2")
    read_until(shell, b"# ")
    shell.socket.sendall(b"\x10")  # back in the history
    read_until(shell, b"echo up_")
    shell.socket.sendall(b"\r")
    read_until(shell, b"up_2")


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("sleep 6001", "sleep 6001"),
        ("less /etc/services", "less /etc/services"),
        ("trap '' INT TERM HUP; sleep 6002", "sleep 6002"),
    ],
)
def test_learner_is_freed_and_the_shell_stays(shell, lab, line, holds):
    type_line(shell, line)
    eventually(lambda: said(lab, f"pgrep -fx '{holds}' || true"))
    assert shell.free() >= 1
    type_line(shell, "echo free_$((1+1))")
    read_until(shell, b"free_2")
    assert shell.exit_code() is None


def test_shell_that_floods_waits_for_its_reader(shell):
    type_line(shell, "cat /dev/urandom")
    time.sleep(1)  # nobody reads: the engine and the socket hold what they can, and no more
    shell.free()
    ends_at = time.monotonic() + 20
    got = 0
    while time.monotonic() < ends_at:
        try:
            got += len(shell.socket.recv(1 << 16))
        except BlockingIOError:
            break
        time.sleep(0.001)
    assert 0 < got < 64 << 20


def test_shell_ends_with_its_code(lab):
    made = lab.open_shell(number=2, columns=80, rows=24)
    read_until(made, b"# ")
    type_line(made, "exit 7")
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        try:
            if made.socket.recv(4096) == b"":
                break
        except BlockingIOError:
            time.sleep(0.01)
    eventually(lambda: made.exit_code() == 7)
    made.close()


def test_shells_need_no_thread_and_leave_no_socket(lab, labs):
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    shells = [lab.open_shell(number=number, columns=80, rows=24) for number in range(3, 7)]
    for made in shells:
        read_until(made, b"# ")
    assert threading.active_count() == threads
    for made in shells:
        made.hang_up()
    assert len(os.listdir("/proc/self/fd")) == files
    eventually(lambda: not labs.engine.api.inspect_container(lab.id)["ExecIDs"])


def test_events_come_as_they_happen_and_end_when_closed(lab):
    threads = threading.active_count()
    stream = lab.events(since=time.time())
    said(lab, "docker run --rm --name seen busybox:1.37 true")
    found: list[str] = []
    while "die" not in found:
        event = stream.read(10)
        assert event is not None, found
        assert event["host"] == ""
        if event["event"].get("Type") == "container":
            found.append(event["event"]["Action"])
    assert found[:1] == ["create"]
    closing = threading.Timer(0.2, stream.close)
    closing.start()
    list(stream)
    closing.join()
    assert threading.active_count() == threads


def test_what_happened_up_to_now_is_told_at_once_and_whole(lab):
    since = time.time()
    assert lab.told(since=since) == []
    said(lab, "docker run --rm --name told busybox:1.37 true")
    told = [event["event"] for event in lab.told(since=since)]
    assert [event["Action"] for event in told if event["Type"] == "container"][-2:] == ["die", "destroy"]
    assert lab.told(since=time.time()) == []


def test_what_is_left_behind_by_a_deadline_is_ended(lab):
    with pytest.raises(DeadlineError):
        lab.run(["sleep", "4711"], seconds=0.5)
    assert said(lab, "pgrep -fx 'sleep 4711' || true") == ""


def test_lab_that_says_too_much_is_cut(lab):
    began = time.monotonic()
    done = lab.run(["yes"], seconds=20, most_kb=16)
    assert (len(done.stdout), done.truncated) == (16 * 1024, True)
    assert time.monotonic() - began < 15


def test_paused_lab_goes_on_when_asked(lab):
    lab.pause()
    assert lab.is_paused
    assert lab.ask([inspect("nobody")], seconds=20) == [None]
    assert not lab.is_paused


def test_build_runs_in_a_lab_that_is_thrown_away(labs, lab):
    before = labelled(labs)
    request = {"files": {"Dockerfile": "FROM busybox:1.37\nRUN echo 안 >/x\n"}, "run": ["cat", "/x"], "seconds": 60}
    ask = Ask("build", json.dumps(request, sort_keys=True), Place.FRESH, "docker", 70.0)
    found = labs.collect(Plan(runs={}, answer={}, asks={"b": ask}), owner="test", deadline=120).answers["b"]
    assert found["built"] is True
    assert found["ran"]["stdout"] == "안\n"
    eventually(lambda: labelled(labs) - {one.id for one in labs.labs.pool._parked[DOCKER]} <= before)
    assert lab.ask([Ask("docker", '{"engine": "", "name": "x", "object": "image"}')], seconds=20) == [None]


SERVE = (
    "docker run -d --name web -p 8080:8080 -v /root/site:/site python:3.13-slim python3 -m http.server 8080 -d /site"
)


@pytest.mark.hostile
def test_labs_side_by_side_do_not_reach_each_other(lab, another):
    """hostile.md 25: engine, files and network of the neighbour."""
    said(lab, f"mkdir -p /root/site; echo secret >/root/site/index.html; {SERVE}")
    eventually(lambda: "secret" in said(lab, "curl -s -m 3 http://127.0.0.1:8080/ || true"), seconds=30)
    addresses = said(lab, "ip -4 -o addr | awk '{print $4}' | cut -d/ -f1").split()
    assert "127.0.0.1" in addresses
    for address in addresses:
        assert "secret" in said(lab, f"curl -s -m 3 http://{address}:8080/")
        assert "secret" not in said(another, f"curl -s -m 1 http://{address}:8080/ || true")
    assert said(another, "docker ps -aq") == ""
    assert said(another, "ls /root/site 2>/dev/null || true") == ""
    assert sorted(said(another, "ip -o link | awk -F': ' '{print $2}'").split()) == ["docker0", "lo"]
    # Sockets: what the engine outside listens on is nowhere in the lab, and no route leads out of it.
    assert said(another, "find / -xdev -name docker.sock 2>/dev/null || true").split() in ([], ["/run/docker.sock"])
    assert said(another, "ip route | grep default || true") == ""
    said(lab, "docker rm -f web")


@pytest.mark.hostile
def test_what_a_lab_writes_stays_off_the_engines_disk(another, labs):
    """hostile.md 5, in a lab: all that it can write is memory, and bounded."""
    for file in ("/root/fill", "/var/lib/docker/fill", "/tmp/fill", "/etc/hosts"):
        done = another.run(["/bin/sh", "-c", f"head -c 700M /dev/zero >{file}; : >{file}"], seconds=60)
        assert b"No space left" in done.stderr, file
    assert another.alive()


@pytest.mark.hostile
def test_lab_out_of_memory_dies_alone_and_says_so(lab, another):
    stream = another.events()
    shell = another.open_shell(number=1, columns=80, rows=24)
    with pytest.raises(LabGoneError):
        another.run(["/bin/sh", "-c", "head -c 2G /dev/zero | tail"], seconds=60)
    assert another.killed_by_memory()
    with pytest.raises(LabGoneError):
        list(stream)
    with pytest.raises(LabGoneError):
        another.ask([inspect("web")], seconds=10)
    shell.hang_up()
    assert lab.alive()
    assert lab.ask([inspect("nobody")], seconds=20) == [None]


def test_lab_outlives_the_portal_that_opened_it_until_its_deadline(engine_socket, lock_dir):
    with lab_sandbox(engine_socket, lock_dir) as after:
        before = make_sandbox(engine_socket, lock_dir, pool_size=0)
        kept, over = (before.open_lab(DOCKER, owner="test", lifetime=lifetime) for lifetime in (600, -1))
        before.close()  # its lock is let go of, as when it is killed
        try:
            reaper = Reaper(after.engine, after._own_process())
            reaper.reap()
            found = after.lab(kept.id)
            assert found.wait_ready(60)["ready_ms"] > 0
            assert not over.alive()
        finally:
            kept.end()


def test_nothing_is_left_of_labs_that_ended(labs, lab):
    """The last of this module: every container is the pool's or the module's own."""
    found = labs.engine.api.containers(all=True, filters={"label": f"{LABEL_KIND}={KIND_LAB}"})
    mine = {one["Id"] for one in found} & labelled(labs)
    eventually(lambda: labelled(labs) <= {lab.id, *(one.id for one in labs.labs.pool._parked[DOCKER])})
    assert lab.id in mine
