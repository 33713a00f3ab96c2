"""Hostile programs in real containers: each ends as it should, and the next run is fine."""

from __future__ import annotations

import json
import resource
import time

import pytest

from lessons.contracts import Ended, Limits, Run, RunEvidence
from lessons.sandbox import Sandbox
from lessons.sandbox.limits import shape_of
from tests.graders.helpers import check, exercise, grade
from tests.sandbox.running import SUM, carry_out, eventually, labelled, plan_of, python

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

REMOVAL_SECONDS = 5


@pytest.fixture
def sandbox(real_sandbox: Sandbox):
    """The shared sandbox; after the test an ordinary run must be as ever."""
    yield real_sandbox
    run = carry_out(real_sandbox, python(SUM, stdin="3 4\n"))
    assert (run.ended, run.stdout) == (Ended.EXIT, b"7\n")


def told(run: RunEvidence):
    """What a program that reports as JSON has printed."""
    assert run.ended is Ended.EXIT, (run.ended, run.stderr)
    assert run.exit_code == 0, run.stderr.decode(errors="replace")
    return json.loads(run.stdout)


def assert_gone_soon(sandbox: Sandbox, run: RunEvidence) -> None:
    eventually(lambda: run.inspect["Id"] not in labelled(sandbox), seconds=REMOVAL_SECONDS)


def free_disk(sandbox: Sandbox) -> int:
    """Bytes free where the engine keeps containers, as a run sees them below its root."""
    return told(carry_out(sandbox, python("import os; d = os.statvfs('/'); print(d.f_bavail * d.f_frsize)")))


def assert_disk_unchanged(sandbox: Sandbox, before: int) -> None:
    """Others write on that disk as well, but nothing near the 700 MB that FILL tries to leave."""
    eventually(lambda: before - free_disk(sandbox) < 256 << 20, seconds=15)


@pytest.mark.parametrize(
    "argv",
    [
        ("bash", "-c", ":(){ :|:& };:; wait; sleep 9"),
        ("python3", "-c", "import subprocess, time; subprocess.run(['bash', '-c', ':(){ :|:& };:']); time.sleep(9)"),
    ],
    ids=["bash", "below-python"],
)
def test_fork_bomb_of_bash(sandbox, argv):
    run = carry_out(sandbox, Run("python", argv, limits=Limits(seconds=4)))
    assert run.ended in (Ended.PROCESSES, Ended.TIME)
    assert_gone_soon(sandbox, run)


def test_forks_that_leave_their_session_and_ignore_sigterm_are_gone(sandbox):
    code = """
import os, signal
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
"""
    run = carry_out(sandbox, python(code, seconds=4))
    assert run.ended in (Ended.PROCESSES, Ended.TIME, Ended.MEMORY)  # python's forks fill the memory as fast
    assert_gone_soon(sandbox, run)


def test_what_a_program_left_running_does_not_hold_its_run(sandbox):
    code = """
import os, signal, sys
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True: pass
print("done")
"""
    run = carry_out(sandbox, python(code))
    assert (run.ended, run.stdout) == (Ended.EXIT, b"done\n")
    assert run.wall_ms < 2000
    assert_gone_soon(sandbox, run)


@pytest.mark.parametrize("argv", [("yes",), ("bash", "-c", "yes >&2 & yes")], ids=["one", "both"])
def test_endless_output_is_cut_while_it_streams(sandbox, argv):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = carry_out(sandbox, Run("python", argv))
    assert (run.ended, run.truncated) == (Ended.OUTPUT, True)
    assert len(run.stdout) + len(run.stderr) == 64 << 10
    assert run.wall_ms < 4000  # not the whole limit
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # KiB
    assert run.inspect["HostConfig"]["LogConfig"]["Type"] == "none"
    assert run.inspect["LogPath"] == ""


@pytest.mark.parametrize("memory_mb", [64, 128])
def test_two_gigabytes_are_a_memory_matter(sandbox, memory_mb):
    code = "x = bytearray(2 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('all')"
    run = carry_out(sandbox, python(code, memory_mb=memory_mb))
    assert (run.ended, run.stdout) == (Ended.MEMORY, b"")
    assert run.wall_ms < 4500


def test_memory_of_all_processes_counts_together(sandbox):
    code = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        x = bytearray(30 << 20)
        for i in range(0, len(x), 4096): x[i] = 1
        time.sleep(4)
        os._exit(0)
time.sleep(4)
"""
    assert carry_out(sandbox, python(code, memory_mb=64)).ended is Ended.MEMORY


FILL = """
import errno, json, os
found = {}
for folder, folders, _ in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys")]
    name, written = os.path.join(folder, f"fill-{os.getpid()}"), 0
    try:
        number = 0
        while True:
            with open(f"{name}-{number}", "wb", buffering=0) as file:
                for _ in range(60):
                    written += file.write(bytes(1 << 20))
            number += 1
            if number > 3: break
        found[folder] = ["endless", written]
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            found[folder] = [errno.errorcode[error.errno], written]
print(json.dumps(found))
"""


def test_every_writable_path_runs_out_of_space(sandbox):
    before = free_disk(sandbox)
    run = carry_out(sandbox, python(FILL, memory_mb=512, seconds=15, cpu_seconds=15))
    found = told(run)
    assert {"/box", "/tmp", "/dev/shm"} <= set(found)
    assert {reason for reason, _ in found.values()} == {"ENOSPC"}
    assert all(written <= 32 << 20 for _, written in found.values())
    assert_gone_soon(sandbox, run)
    assert_disk_unchanged(sandbox, before)


def test_files_count_as_memory(sandbox):
    run = carry_out(sandbox, python(FILL, memory_mb=64))
    assert run.ended is Ended.MEMORY
    assert_gone_soon(sandbox, run)


@pytest.mark.parametrize(
    "code",
    [
        """
import itertools, os
try:
    for number in itertools.count(): os.close(os.open(f"/tmp/{number}", os.O_CREAT))
except OSError as error:
    print(error.errno, number)
""",
        """
import itertools, os
try:
    for number in itertools.count():
        os.mkdir("d")
        os.chdir("d")
except OSError as error:
    print(error.errno, number)
""",
    ],
    ids=["flat", "deep"],
)
def test_a_million_files_meet_a_limit_and_go_soon(sandbox, code):
    before = free_disk(sandbox)
    run = carry_out(sandbox, python(code, memory_mb=32, seconds=20, cpu_seconds=20))
    if run.ended is Ended.EXIT:  # the cap on inodes
        error, number = run.stdout.split()
        assert int(error) == 28
        assert int(number) <= 4096
    else:
        assert run.ended is Ended.MEMORY
    assert_gone_soon(sandbox, run)
    assert_disk_unchanged(sandbox, before)


def test_waiting_and_computing_forever_are_told_apart_in_words(sandbox):
    messages = []
    for argv in (("sleep", "infinity"), ("python3", "-c", "while True: pass")):
        run = carry_out(sandbox, Run("python", argv, limits=Limits(seconds=1, cpu_seconds=1)))
        assert run.ended is Ended.TIME
        messages.append(grade(exercise(check("text", {"equals": "7"})), {"p": run}).checks[0].message)
    assert messages[0] != messages[1]
    assert all(messages)


NETWORK = """
import json, socket, sys
found = {}
def attempt(name, do):
    try:
        found[name] = do() or "reached"
    except OSError as error:
        found[name] = "refused"
for port in map(int, sys.stdin.read().split()):
    for host in ("127.0.0.1", "127.0.0.53", "::1", "172.17.0.1", "172.17.0.2", "10.0.0.1", "192.168.65.254"):
        attempt(f"tcp {host} {port}", lambda: socket.create_connection((host, port), 0.3).close())
def ask(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        client.sendto(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1a\\0\\0\\1\\0\\1", (host, port))
        client.recv(512)
for host in ("127.0.0.1", "127.0.0.11", "172.17.0.1"):
    attempt(f"dns {host}", lambda: ask(host, 53))
attempt("name", lambda: str(socket.getaddrinfo("naru.test", 80)))
for name, family, kind in (("AF_VSOCK", 40, socket.SOCK_STREAM), ("AF_ALG", 38, socket.SOCK_SEQPACKET),
                           ("AF_PACKET", 17, socket.SOCK_RAW), ("raw", 2, socket.SOCK_RAW)):
    attempt(name, lambda: socket.socket(family, kind, 1 if name == "raw" else 0).close())
found["interfaces"] = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
print(json.dumps(found))
"""
LISTENER = """
import socket, sys
ears = [socket.create_server((host, 0)) for host in sys.argv[1:]]
print(*(ear.getsockname()[1] for ear in ears), flush=True)
while True: ears[0].accept()
"""


@pytest.fixture
def listening(real_sandbox: Sandbox):
    """Ports of listeners in the engine's own network namespace and in a neighbour container."""
    api, made, ports = real_sandbox.engine.api, [], []
    try:
        for mode in ("host", "none"):
            config = api.create_host_config(network_mode=mode)
            config["Runtime"] = "runc"  # as close to the engine as a container can be
            config["LogConfig"] = {"Type": "json-file", "Config": {}}
            command = ["-c", LISTENER, "127.0.0.1", "0.0.0.0"]  # noqa: S104 - a listener for the test to miss, inside the engine
            container = api.create_container(
                "naru-python", command, entrypoint=["python3"], host_config=config, user="1000", network_disabled=False
            )["Id"]
            made.append(container)
            api.start(container)
            eventually(lambda container=container: api.logs(container).count(b"\n"))
            ports += api.logs(container).decode().split()
        yield ports
    finally:
        for container in made:
            api.remove_container(container, force=True)


def assert_no_network(found: dict) -> None:
    assert found.pop("interfaces") == ["lo"]
    assert {name for name, outcome in found.items() if outcome != "refused"} == set()
    assert {"AF_VSOCK", "AF_ALG", "AF_PACKET", "raw", "name"} <= set(found)


def test_no_listener_and_no_neighbour_is_reached(sandbox, listening):
    assert len(listening) == 4
    found = told(carry_out(sandbox, python(NETWORK, stdin=" ".join(listening), seconds=15, memory_mb=64)))
    assert len(found) > 4 * 7
    assert_no_network(found)


def test_container_from_the_pool_has_no_network_either(sandbox):
    eventually(lambda: sandbox.pool.parked_count() > 0)
    run = python(NETWORK, stdin="80 2375", seconds=15)
    eventually(lambda: sandbox.pool._parked.get(shape_of(run)))
    evidence = sandbox.collect(plan_of(run), owner="x", deadline=40)
    assert evidence.timings["pooled"] == 1
    assert_no_network(told(evidence.runs["p"]))
    assert set(evidence.runs["p"].inspect["NetworkSettings"]["Networks"]) <= {"none"}


CALLS = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
found = {}
def call(name, number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    found[name] = "refused" if result < 0 else "allowed"
    return result
page = ctypes.create_string_buffer(4096)
call("mount", 165, b"none", b"/tmp", b"tmpfs", 0, None)
call("bind", 165, b"/etc", b"/box", None, 4096, None)
call("remount", 165, None, b"/", None, 32, None)
call("umount", 166, b"/box", 2)
call("chroot", 161, b"/tmp")
call("pivot_root", 155, b"/tmp", b"/tmp")
call("keyctl", 250, 0, -3, 0)
call("add_key", 248, b"user", b"a", b"b", 1, -3)
call("bpf", 321, 5, page, 120)
call("ptrace attach", 101, 16, 1, 0, 0)
call("ptrace seize", 101, 0x4206, 1, 0, 0)
call("read pid 1", 310, 1, page, 1, page, 1, 0)
call("perf_event_open", 298, page, 0, -1, -1, 0)
call("io_uring_setup", 425, 8, page)
call("userfaultfd", 323, 0)
call("open_by_handle_at", 304, -100, page, 0)
call("init_module", 175, page, 1, b"")
call("reboot", 169, 0xfee1dead, 672274793, 0x1234567, None)
call("sethostname", 170, b"x", 1)
call("settime", 227, 0, page)
call("mknod block", 133, b"/box/sda", 0o60666, 8 << 8)
call("kill pid 1", 62, 1, 9)
call("setuid", 105, 0)
call("unshare net", 272, 0x40000000)
call("setns", 308, os.open("/proc/self/ns/net", 0) if os.path.exists("/proc/self/ns/net") else -1, 0)
unshared = call("unshare user", 272, 0x10000000 | 0x20000) == 0
if unshared:  # root of a namespace of one's own: what can it reach?
    try: open("/proc/self/uid_map", "w").write(f"0 {os.getuid()} 1")
    except OSError: pass
def reach(name, do):
    try:
        do()
        found[name] = "allowed"
    except OSError:
        found[name] = "refused"
reach("write to the image", lambda: open("/usr/bin/planted", "w"))
reach("write to park", lambda: open("/sbin/park", "r+b"))
reach("pid 1's files", lambda: os.listdir("/proc/1/fd"))
reach("pid 1's memory", lambda: open("/proc/1/mem", "r+b"))
reach("pid 1's surroundings", lambda: open("/proc/1/environ", "rb").read())
reach("pid 1's death", lambda: os.kill(1, 9))
reach("shadow", lambda: open("/etc/shadow").read())
call("remount as its root", 165, None, b"/", None, 32, None)
reach("write to the image afterwards", lambda: open("/usr/bin/planted", "w"))
print(json.dumps(found))
"""


def test_calls_that_reach_out_are_refused_or_have_no_effect(sandbox):
    found = told(carry_out(sandbox, python(CALLS)))
    allowed = {name for name, outcome in found.items() if outcome != "refused"}
    assert len(found) > 30
    # gVisor lets anybody make a namespace of their own inside the sandbox; what they reach from there is below it.
    # Its keyrings are the sandbox's own and hold no keys (add_key is refused).
    assert allowed <= {"unshare user", "unshare net", "remount as its root", "keyctl"}


def test_no_setuid_program_makes_root(sandbox):
    code = """
import json, os, shutil, stat, subprocess
programs = []
for folder, folders, files in os.walk("/"):
    if folder == "/": folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]
    for name in files:
        path = os.path.join(folder, name)
        try: mode = os.lstat(path).st_mode
        except OSError: continue
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID): programs.append(path)
said = ""
for path in programs:
    for arguments in (["-c", "id; cat /etc/shadow"], ["root", "-c", "id"], ["-t", "tmpfs", "none", "/tmp"], []):
        quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 0.5}
        try: said += subprocess.run([path, *arguments], **quiet).stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as error: said += (error.stdout or b"").decode(errors="replace")
shutil.copy("/usr/bin/id", "/box/id"); os.chmod("/box/id", 0o6755)
said += subprocess.run(["/box/id"], capture_output=True, text=True).stdout
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({"programs": programs, "said": said, "ids": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
                  "nnp": status.get("NoNewPrivs", "").strip(), "caps": status.get("CapEff", "").strip()}))
"""
    run = carry_out(sandbox, python(code, seconds=20, cpu_seconds=20))
    found = told(run)
    assert {"/usr/bin/su", "/usr/bin/mount"} <= set(found["programs"])
    assert "uid=0" not in found["said"]
    assert "root:" not in found["said"]
    assert 0 not in found["ids"]
    assert int(found["caps"], 16) == 0
    assert "no-new-privileges" in run.inspect["HostConfig"]["SecurityOpt"]


def test_search_finds_no_socket_no_secret_and_no_other_learner(sandbox):
    plant = "open('/tmp/of-another-learner', 'w').write('x'); open('/dev/shm/of-another-learner', 'w').write('x')"
    assert carry_out(sandbox, python(plant)).exit_code == 0
    code = """
import glob, json, os
names = []
for folder, folders, files in os.walk("/"):
    if folder == "/": folders[:] = [name for name in folders if name not in ("proc", "sys")]
    names += [os.path.join(folder, name) for name in files + folders
              if "another" in name or name.endswith(".sock") or "naru" in name or "secret" in name]
surroundings = {}
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try: surroundings[path.split("/")[2] + path.split("/")[3]] = open(path).read()
    except OSError: pass
print(json.dumps({"names": names, "env": sorted(os.environ), "surroundings": surroundings,
                  "mounts": open("/proc/mounts").read(), "box": sorted(os.listdir("/box")),
                  "own": [os.listdir(place) for place in ("/tmp", "/dev/shm", "/home", "/mnt", "/run", "/srv")]}))
"""
    found = told(carry_out(sandbox, python(code, seconds=10, cpu_seconds=10)))
    names = [name for name in found["names"] if not name.startswith("/usr/lib/python3")]  # secrets.py of its library
    assert names == []
    assert set(found["env"]) <= {"PATH", "HOME", "TMPDIR", "LANG", "USER", "LC_CTYPE"}
    assert found["box"] == ["main.py"]
    seen = json.dumps(found["surroundings"]) + found["mounts"]
    for word in ("docker", "NARU_", "SECRET", "overlay2", "/var/lib", "/work"):
        assert word not in seen
    assert found["own"][:2] == [[], []]


@pytest.mark.parametrize("target", ["/etc/passwd", "/proc/self/environ", "/proc/1/environ"])
def test_link_swapped_in_while_collecting_is_never_followed(sandbox, target):
    code = f"""
import os, time
os.mkdir("real"); open("real/out", "w").write("mine")
open("plain", "w").write("mine"); os.symlink({target!r}, "link")
os.symlink({target.rsplit("/", 1)[0]!r}, "elsewhere")
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            for source in ("plain", "link"):
                try:
                    os.link(source, f"next-{{os.getpid()}}", follow_symlinks=False)
                    os.rename(f"next-{{os.getpid()}}", "result")
                except OSError: pass
            for source in ("real", "elsewhere"):
                try:
                    os.symlink(source, f"dir-{{os.getpid()}}")
                    os.rename(f"dir-{{os.getpid()}}", "folder")
                except OSError: pass
time.sleep(0.2)
"""
    name = f"folder/{target.rsplit('/', 1)[1]}"
    for _ in range(3):
        run = carry_out(sandbox, python(code, collect=("result", name, "folder/out")))
        assert run.ended is Ended.EXIT, run.stderr
        assert run.files["result"] in (None, b"mine")
        assert run.files[name] is None
        assert run.files["folder/out"] is None


def test_planted_tools_are_never_executed(sandbox):
    code = """
import json, os
outcome = {}
for folder in ("/usr/local/bin", "/usr/bin", "/bin", "/sbin", "/usr/sbin", "/tmp", "/box", "/dev/shm"):
    for name in ("xz", "unpigz", "tar", "gzip", "sh", "park", "id"):
        path = os.path.join(folder, name)
        try:
            with open(path, "w") as file: file.write("#!/bin/sh\\necho $0 >> /box/marker\\n")
            os.chmod(path, 0o755)
            outcome[folder] = "planted"
        except OSError as error:
            outcome.setdefault(folder, "refused")
os.environ["PATH"] = "/box:/tmp:" + os.environ["PATH"]
open("result", "w").write("x" * 1000)
print(json.dumps(outcome))
"""
    run = carry_out(sandbox, python(code, collect=("result", "marker")))
    outcome = told(run)
    assert {folder for folder, result in outcome.items() if result == "planted"} == {"/tmp", "/box", "/dev/shm"}
    assert run.files == {"result": b"x" * 1000, "marker": None}


def test_removal_of_hostile_containers_is_off_the_learners_path(sandbox):
    began = time.monotonic()
    run = carry_out(sandbox, python("import os\nfor n in range(3000): os.mkdir(f'/tmp/{n}')\nprint(1)"))
    assert run.stdout == b"1\n", run.stderr
    assert time.monotonic() - began < run.wall_ms / 1000 + 2
    assert_gone_soon(sandbox, run)
