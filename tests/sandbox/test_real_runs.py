"""Real containers on the tests' engine: what a run may do, how it ends, and what stays of it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lessons.contracts import Ended, Limits, Plan, Run
from lessons.sandbox import (
    EngineUnavailableError,
    EnvironmentMissingError,
    EnvironmentState,
    Sandbox,
    SandboxConfig,
    SandboxError,
)
from lessons.sandbox.limits import Shape
from lessons.sandbox.run import LABEL_PROCESS
from tests.sandbox.running import ROOT, SUM, carry_out, eventually, labelled, make_sandbox, plan_of, python

pytestmark = pytest.mark.docker

TOUCH = "x = bytearray({mb} << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('touched')\n"
ORPHAN = """
import sys, time
from pathlib import Path
from lessons.sandbox.limits import Shape
from tests.sandbox.running import make_sandbox
sandbox = make_sandbox(Path(sys.argv[1]), Path(sys.argv[2]))
sandbox._park(Shape("python", 128))
print(sandbox._own_process().name, flush=True)
time.sleep(600)
"""


def parked(sandbox: Sandbox) -> set[str]:
    """Ids of what stands ready for a run of the usual limits."""
    return {container.id for container in list(sandbox.pool._parked.get(Shape("python", Limits().memory_mb), ()))}


@pytest.fixture
def cold(engine_socket, lock_dir):
    """Without a pool: every run starts its own container."""
    sandbox = make_sandbox(engine_socket, lock_dir, pool_size=0)
    yield sandbox
    sandbox.close()
    eventually(lambda: not labelled(sandbox))


def test_sum_is_right_cold_and_pooled(cold, real_sandbox):
    eventually(lambda: parked(real_sandbox))
    for sandbox, pooled in ((cold, 0), (real_sandbox, 1)):
        evidence = sandbox.collect(plan_of(python(SUM, stdin="3 4\n")), owner="x", deadline=40)
        run = evidence.runs["p"]
        assert (run.ended, run.exit_code, run.stdout, run.stderr) == (Ended.EXIT, 0, b"7\n", b"")
        assert not run.truncated
        assert evidence.timings["pooled"] == pooled


@pytest.mark.parametrize(
    ("code", "limits", "ended", "exit_code"),
    [
        ("raise SystemExit(3)", {}, Ended.EXIT, 3),
        ("1 / 0", {}, Ended.EXIT, 1),
        ("import os; os.kill(os.getpid(), 9)", {}, Ended.KILLED, None),
        ("import os; os.abort()", {}, Ended.KILLED, None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", {}, Ended.KILLED, None),
        ("import time; time.sleep(60)", {"seconds": 0.5}, Ended.TIME, None),
        ("while True: pass", {"seconds": 4, "cpu_seconds": 1}, Ended.TIME, None),
        (TOUCH.format(mb=300), {"memory_mb": 64}, Ended.MEMORY, None),
        ("while True: print('y' * 1000)", {}, Ended.OUTPUT, None),
        ("import os, time\nwhile True:\n  if os.fork() == 0: time.sleep(9)", {"processes": 12}, Ended.PROCESSES, None),
    ],
)
def test_every_end_is_told_apart(real_sandbox, code, limits, ended, exit_code):
    run = carry_out(real_sandbox, python(code, **limits))
    assert (run.ended, run.exit_code) == (ended, exit_code), run.stderr
    assert run.limits == Limits(**limits)


def test_waiting_and_computing_are_told_apart_by_what_was_used(real_sandbox):
    waited = carry_out(real_sandbox, python("import time; time.sleep(60)", seconds=1))
    computed = carry_out(real_sandbox, python("while True: pass", seconds=5, cpu_seconds=1))
    assert waited.ended is computed.ended is Ended.TIME
    assert waited.cpu_ms < 500 < 900 <= computed.cpu_ms < 2000
    assert 950 <= waited.wall_ms < 2500
    assert computed.wall_ms < 4500  # not the wall: the seconds computed


def test_output_is_cut_at_its_limit_and_says_so(real_sandbox):
    run = carry_out(real_sandbox, python("import sys\nprint('o' * 3000)\nsys.stderr.write('e' * 3000)", output_kb=4))
    assert run.truncated
    assert len(run.stdout) + len(run.stderr) == 4096
    whole = carry_out(real_sandbox, python("print('o' * 4095, end='')", output_kb=4))
    assert (len(whole.stdout), whole.truncated, whole.ended) == (4095, False, Ended.EXIT)


def test_files_are_placed_and_collected(real_sandbox):
    code = """
import os
os.makedirs("out/deep"); open("out/deep/a.bin", "wb").write(bytes(range(256)))
open("large", "wb").write(b"x" * 1025); open("exact", "wb").write(b"x" * 1024)
os.symlink("/etc/passwd", "link"); os.symlink("out", "folder"); os.mkfifo("fifo"); os.mkdir("empty")
print(open("data/given.txt").read())
"""
    names = ("out/deep/a.bin", "large", "exact", "link", "folder/deep/a.bin", "fifo", "empty", "none", "data/given.txt")
    files = {"main.py": code, "data/given.txt": "주어진 값"}
    run = carry_out(
        real_sandbox, Run("python", ("python3", "main.py"), files=files, collect=names, limits=Limits(file_kb=1))
    )
    assert run.stdout.decode() == "주어진 값\n", run.stderr
    assert {name for name, content in run.files.items() if content is None} == {
        *("large", "link", "folder/deep/a.bin", "fifo", "empty", "none"),
    }
    assert run.files["out/deep/a.bin"] == bytes(range(256))
    assert len(run.files["exact"]) == 1024
    assert run.files["data/given.txt"].decode() == "주어진 값"


@pytest.mark.parametrize("stdin", ["", "한 줄", "x" * 300_000], ids=["empty", "short", "long"])
def test_stdin_is_given_whole_and_ends(real_sandbox, stdin):
    run = carry_out(real_sandbox, python("import sys; print(len(sys.stdin.buffer.read()))", stdin=stdin))
    assert int(run.stdout) == len(stdin.encode())


def test_stdin_that_nobody_reads_holds_nothing_up(real_sandbox):
    run = carry_out(real_sandbox, python("print(7)", stdin="x" * 1_000_000))
    assert (run.ended, run.stdout) == (Ended.EXIT, b"7\n")
    assert run.wall_ms < 3000


def test_program_that_is_not_there_is_the_learners_matter(real_sandbox):
    run = carry_out(real_sandbox, Run("python", ("no-such-program",)))
    assert (run.ended, run.exit_code) == (Ended.EXIT, 127)
    assert b"no-such-program" in run.stderr


def test_environments_differ_where_they_should(real_sandbox):
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    assert carry_out(real_sandbox, python(code)).stdout == b"3.13\n"
    assert carry_out(real_sandbox, python(code, environment="python-debian12")).stdout == b"3.11\n"
    assert set(real_sandbox.environments().values()) == {EnvironmentState.READY}


def test_image_that_the_engine_lacks_is_said(engine_socket, tmp_path):
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text("environments: {python: {image: naru-no-such-image}}")
    sandbox = Sandbox(SandboxConfig(socket=engine_socket, catalogue=catalogue, data_dir=tmp_path))
    with pytest.raises(EnvironmentMissingError):
        carry_out(sandbox, python(SUM))
    assert set(sandbox.environments().values()) <= {EnvironmentState.MISSING, EnvironmentState.BUILDING}
    sandbox.close()


def test_program_uses_memory_mb_and_no_more(real_sandbox):
    for megabytes, ended in ((40, Ended.EXIT), (80, Ended.MEMORY)):
        run = carry_out(real_sandbox, python(TOUCH.format(mb=megabytes), memory_mb=64))
        assert run.ended is ended
        assert run.peak_mb >= min(megabytes, 64)
    assert run.inspect["HostConfig"]["Memory"] >= 64 << 20


def test_measures_are_plausible_and_not_the_learners_to_say(real_sandbox):
    code = (
        TOUCH.format(mb=50) + "\nimport time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n"
    )
    liar = """
import os, subprocess, sys
print('{"ended": "exit", "cpu_ms": 0, "peak_bytes": 1}', flush=True)
for path in ("/proc/self/clear_refs", "/sys/fs/cgroup/cpuacct/run/cpuacct.usage",
             "/sys/fs/cgroup/memory/run/memory.usage_in_bytes"):
    try: open(path, "w").write("0")
    except OSError: pass
subprocess.run([sys.executable, "-c", sys.stdin.read()])
"""
    honest = carry_out(real_sandbox, python(code))
    lying = carry_out(real_sandbox, python(liar, stdin=code))
    for run in (honest, lying):
        assert (run.ended, run.exit_code) == (Ended.EXIT, 0), run.stderr
        assert 550 <= run.cpu_ms <= run.wall_ms + 400
        assert 50 <= run.peak_mb <= 110


def test_parked_containers_differ_and_take_one_job_each(real_sandbox):
    code = "import os\nprint(os.path.exists('mark'), os.getuid())\nopen('mark', 'w').close()"
    eventually(lambda: len(parked(real_sandbox)) == 2)
    plan = Plan(runs={"a": python(code), "b": python(code + "\n")}, answer={})
    evidence = real_sandbox.collect(plan, owner="x", deadline=40)
    assert evidence.timings["pooled"] == 2
    first, second = evidence.runs.values()
    assert first.inspect["Id"] != second.inspect["Id"]
    assert first.stdout.startswith(b"False")
    assert second.stdout.startswith(b"False")
    assert first.stdout != second.stdout  # users of their own


def test_used_containers_are_removed_soon(real_sandbox):
    used = carry_out(real_sandbox, python(SUM, stdin="1 2")).inspect["Id"]
    eventually(lambda: used not in labelled(real_sandbox), seconds=10)


def test_close_removes_everything(engine_socket, lock_dir):
    sandbox = make_sandbox(engine_socket, lock_dir, pool_size=1)
    sandbox.start()
    eventually(lambda: sandbox.pool.parked_count() == 1)
    carry_out(sandbox, python(SUM, stdin="1 2", memory_mb=64))  # cold: another shape
    assert labelled(sandbox)
    name = sandbox._own_process().name
    sandbox.close()
    later = make_sandbox(engine_socket, lock_dir)
    assert labelled(later, name) == set()
    assert name in later._own_process().dead()
    later.close()


@pytest.mark.parametrize("runtime", ["runsc", "runc"])
def test_container_killed_in_the_middle_is_one_error_and_no_verdict(cold, runtime, monkeypatch):
    monkeypatch.setattr(cold.engine, "_runtime", runtime)
    ended: list[object] = []

    def run() -> None:
        try:
            ended.append(carry_out(cold, python("import time; time.sleep(20)", seconds=20)))
        except SandboxError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: labelled(cold))
    (container,) = labelled(cold)
    eventually(lambda: cold.engine.api.inspect_container(container)["State"]["Running"])
    cold.engine.api.kill(container)
    thread.join(timeout=15)
    assert [type(end) for end in ended] == [EngineUnavailableError]
    assert carry_out(cold, python(SUM, stdin="1 2")).stdout == b"3\n"


@pytest.mark.parametrize(
    ("code", "limits", "ended"),
    [
        (SUM, {}, Ended.EXIT),
        ("import time; time.sleep(60)", {"seconds": 0.5}, Ended.TIME),
        (
            "import os\nfor _ in range(4):\n  if not os.fork():\n    while True: pass\nos.wait()",
            {"seconds": 6, "cpu_seconds": 1},
            Ended.TIME,
        ),
        (TOUCH.format(mb=300), {"memory_mb": 64}, Ended.MEMORY),
        ("while True: print('y' * 1000)", {}, Ended.OUTPUT),
        (
            "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
            {"processes": 12, "seconds": 4},
            Ended.PROCESSES,
        ),
    ],
)
def test_ends_are_told_apart_without_gvisor(cold, code, limits, ended, monkeypatch):
    monkeypatch.setattr(cold.engine, "_runtime", "runc")
    run = carry_out(cold, python(code, stdin="3 4", **limits))
    assert run.inspect["HostConfig"]["Runtime"] == "runc"
    assert run.ended is ended, run.stderr
    if "cpu_seconds" in limits:
        assert run.wall_ms < 3500  # the children's seconds count together


def test_parked_container_that_died_costs_nobody_anything(engine_socket, lock_dir):
    sandbox = make_sandbox(engine_socket, lock_dir, pool_size=1)
    assert sandbox.pool.refill_one()
    (parked,) = labelled(sandbox)
    sandbox.engine.api.remove_container(parked, force=True)
    run = carry_out(sandbox, python(SUM, stdin="3 4\n"))
    assert run.stdout == b"7\n"
    assert run.inspect["Id"] != parked
    sandbox.close()
    eventually(lambda: not labelled(sandbox))


def test_reaper_removes_what_a_killed_process_left(engine_socket, real_sandbox):
    data = real_sandbox.config.data_dir
    program = [sys.executable, "-c", ORPHAN, str(engine_socket), str(data)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        name = other.stdout.readline().strip()
        real_sandbox._reaper.reap()
        assert len(labelled(real_sandbox, name)) == 1  # alive: not ours to take
        other.kill()
        other.wait()
    assert len(labelled(real_sandbox, name)) == 1  # park ends with its connection; its container stays
    eventually(lambda: len(parked(real_sandbox)) == 2)
    assert real_sandbox._reaper.reap() >= 1
    assert labelled(real_sandbox, name) == set()
    assert labelled(real_sandbox) >= parked(real_sandbox)
    assert not (data / "processes" / f"{name}.lock").exists()


def test_reaper_leaves_alone_what_another_portal_runs(engine_socket, real_sandbox, tmp_path):
    stranger = make_sandbox(engine_socket, tmp_path)
    assert stranger.pool.refill_one()
    real_sandbox._reaper.reap()
    assert len(labelled(stranger)) == 1
    stranger.close()
    assert labelled(stranger) == set()


class Proxy:
    """A unix socket before the engine's that can be cut, as when the engine's container is killed."""

    def __init__(self, engine: Path, path: Path) -> None:
        self.engine, self.path = engine, path
        self.open: list[socket.socket] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self.engine))
            self.open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def cut(self) -> None:
        self.path.unlink(missing_ok=True)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it had ended by itself
            finally:
                end.close()


def test_engine_that_goes_down_in_the_middle_is_one_error_in_time(engine_socket, tmp_path, lock_dir):
    proxy = Proxy(engine_socket, tmp_path / "proxy.sock")
    sandbox = make_sandbox(proxy.path, lock_dir)
    timer = threading.Timer(1.5, proxy.cut)
    timer.start()
    began = time.monotonic()
    with pytest.raises(EngineUnavailableError):
        carry_out(sandbox, python("import time; time.sleep(25)", seconds=25))
    assert 1 < time.monotonic() - began < 10
    with pytest.raises(EngineUnavailableError):
        carry_out(sandbox, python(SUM))
    # With the engine back, the same sandbox runs again, and closing it leaves nothing behind.
    timer.join()
    again = Proxy(engine_socket, proxy.path)
    assert carry_out(sandbox, python(SUM, stdin="3 4\n")).stdout == b"7\n"
    sandbox.start()
    name = sandbox._own_process().name
    sandbox.close()
    again.cut()
    orphans = make_sandbox(engine_socket, lock_dir)
    orphans.start()  # its reaper finds what the outage left
    eventually(lambda: not labelled(orphans, name))
    orphans.close()


def test_deadline_of_the_caller_is_kept(cold):
    began = time.monotonic()
    with pytest.raises(SandboxError):
        carry_out(cold, python("import time; time.sleep(25)", seconds=25), deadline=2)
    assert time.monotonic() - began < 6


def test_runs_side_by_side_do_not_mix(real_sandbox):
    answers: dict[int, bytes] = {}

    def add(number: int) -> None:
        answers[number] = carry_out(real_sandbox, python(SUM, stdin=f"{number} 1000")).stdout

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: b"%d\n" % (number + 1000) for number in range(6)}


def test_container_is_as_it_says(real_sandbox):
    inspect = carry_out(real_sandbox, python("")).inspect
    host = inspect["HostConfig"]
    assert inspect["State"]["Running"]
    assert inspect["Config"]["Labels"][LABEL_PROCESS] == real_sandbox._own_process().name
    assert inspect["Config"]["NetworkDisabled"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["Privileged"]) == ("none", True, False)
    assert (host["CapDrop"], host["LogConfig"]["Type"]) == (["ALL"], "none")
    assert not host["Binds"]
    assert inspect["Mounts"] == []


def test_health_of_the_tests_engine_is_good(real_sandbox):
    assert [finding for finding in real_sandbox.health() if finding.level == "bad"] == []
