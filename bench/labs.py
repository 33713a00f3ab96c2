#!/usr/bin/env python3
"""How long a lab takes to be there, beside a bare ``docker run`` of the same image measured in the same run.

    .venv/bin/python bench/labs.py [--json FILE] [--rounds N] [--labs N] [--images NAME,NAME]

Starts a portal, an engine and data of its own, and measures for every lab image of the catalogue, interleaved:

floor    ``docker run`` of the lab's image with the lab's runtime and limits, until its attendant says ready
pool     실습 시작 until ``docker run`` answers (a Pod is ready) in the terminal, with a lab waiting in the pool
cold     the same with an empty pool
kept     실습 시작 until a lab is ready into which what its learner kept is put back (of a cluster all objects)

Each round is another learner's: labs that go on with what was kept are measured by themselves.

and memory of a lab idle and working. Then how long a key takes to come back, many labs opened at once under a cap that
does not hold them all, labs with clusters opened one after another, a neighbour's kubectl while one lab makes 10,000
Pods, and what is left when all have ended: containers, threads, open files.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import yaml
from lab_under_test import IMAGES, LabLearner, Terminal
from portal_under_test import ROOT, Portal

HELD_S = 20  # long enough for the cap to be reached
AT_ONCE_MEMORY_MB = 4096  # the cap of the crowd: eight labs of 512 MB
CLUSTERS_MEMORY_MB = 8192
ONE_BY_ONE = {"kubernetes-light": 20, "kubernetes": 8}
PODS_OF_NEIGHBOUR = 10_000
# What a learner may do in a lab beside an idle one, and what its end prints.
WORK = {
    "docker": (
        "docker run -d --name one nginx:1.26 && docker run -d --name two nginx:1.26; echo wor''king\r",
        "working",
    ),
    "kubernetes-light": (
        "kubectl create deployment shop --image=shop:v1 --replicas=20 && kubectl rollout status deployment/shop; "
        "echo wor''king\r",
        "working",
    ),
    "kubernetes": (
        "kubectl create deployment shop --image=shop:v1 --replicas=3 && kubectl rollout status deployment/shop; "
        "echo wor''king\r",
        "working",
    ),
}


def lab_images() -> dict[str, dict]:
    """Name -> catalogue entry of every lab."""
    entries = yaml.safe_load((ROOT / "labs" / "catalogue.yaml").read_text())["environments"]
    return {name: entry for name, entry in entries.items() if entry.get("kind") == "lab"}


def docker(portal: Portal, *words: str, timeout: float = 120) -> str:
    done = subprocess.run(
        ["docker", "-H", f"unix://{portal.engine_socket}", *words], capture_output=True, check=True, timeout=timeout
    )
    return done.stdout.decode()


def wait_for_images(portal: Portal, deadline_s: float = 300) -> float:
    """Seconds until every lab image is there; labs are imported after the portal serves."""
    began = time.monotonic()
    states = portal.data / "engine" / "environments.json"
    while time.monotonic() - began < deadline_s:
        found = json.loads(states.read_text()) if states.exists() else {}
        if found and all(entry["state"] == "ready" for entry in found.values()):
            return time.monotonic() - began
        time.sleep(0.2)
    raise SystemExit(f"lab images were not ready within {deadline_s} s")


def lab_containers(portal: Portal) -> list[str]:
    return docker(portal, "ps", "--all", "--quiet", "--filter", "label=naru.kind=lab").split()


def wait_until_gone(portal: Portal, deadline_s: float = 60) -> None:
    """Until no lab is left, or the time is up: then what is left is counted."""
    began = time.monotonic()
    while lab_containers(portal) and time.monotonic() - began < deadline_s:
        time.sleep(0.5)


def wait_for_parked(portal: Portal, name: str, deadline_s: float = 90) -> None:
    """Until the pool holds a paused lab of this image; one of the default image is parked beside it."""
    began = time.monotonic()
    wanted = ("label=naru.kind=lab", f"label=naru.shape={name}", "status=paused")
    while time.monotonic() - began < deadline_s:
        if docker(portal, "ps", "--quiet", *(word for each in wanted for word in ("--filter", each))).split():
            return
        time.sleep(0.1)
    raise SystemExit(f"no {name} lab was parked within {deadline_s} s")


def bare_start(portal: Portal, entry: dict) -> float:
    """The floor: start to ready without a portal."""
    memory = f"{entry['memory_mb']['default']}m"
    began = time.perf_counter()
    container = docker(
        portal, "run", "--detach", "--runtime", "runsc-lab", "--network", "none", "--cap-add", "ALL", "--pull", "never",
        "--tmpfs", "/var/lib/docker:rw,exec,dev,suid,size=256m", "--memory", memory, "--memory-swap", memory,
        "--cpus", "1", "--pids-limit", "4096", "--log-driver", "none", "--volume", "/labs/bin:/naru/bin:ro",
        "--entrypoint", "/naru/bin/naru-attendant", entry["image"], "init",
    ).strip()  # fmt: skip
    try:
        docker(portal, "exec", container, "/naru/bin/naru-attendant", "wait", "--seconds", "60", timeout=90)
        return time.perf_counter() - began
    finally:
        docker(portal, "rm", "--force", "--volumes", container)


def memory_mb(portal: Portal, container: str) -> float:
    """What the lab's control group counts, without the page cache."""
    stats = json.loads(
        subprocess.run(
            ["curl", "--silent", "--max-time", "30", "--unix-socket", str(portal.engine_socket),
             f"http://engine/containers/{container}/stats?stream=false&one-shot=true"],
            capture_output=True, check=True, timeout=60,
        ).stdout
    )["memory_stats"]  # fmt: skip
    inner = stats.get("stats", {})
    cache = sum(inner.get(f"total_{name}", inner.get(name, 0)) for name in ("active_file", "inactive_file"))
    return (stats["usage"] - cache) / 2**20


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def opened(learner: LabLearner) -> tuple[float, float]:
    """Seconds from 실습 시작 to ready, and to the first answer of ``docker run``; the lab is ended again."""
    began = time.perf_counter()
    learner.open()
    learner.wait_until_live()
    ready = time.perf_counter() - began
    with learner.terminal() as terminal:
        terminal.type(learner.first_run)
        terminal.wait_for("usable", deadline_s=60)
    usable = time.perf_counter() - began
    learner.end()
    return ready, usable


def key_echo(terminal: Terminal, keys: int) -> list[float]:
    """Milliseconds until a typed letter is on the screen, one after the other."""
    times = []
    for number in range(keys):
        letter = chr(ord("a") + number % 26)
        began = time.perf_counter()
        terminal.type(letter)
        terminal.wait_for(letter, fresh=True)
        times.append((time.perf_counter() - began) * 1000)
        if number % 40 == 39:
            terminal.type("\x15")  # an empty line again, before it wraps
            time.sleep(0.2)
            terminal.forget()
    return times


def bare_echo(portal: Portal, container: str, keys: int) -> list[float]:
    """The floor of key echo: a shell of the same lab straight on the engine, without portal and socket to a browser."""
    program = (
        "import docker,sys,time,json\n"
        "api=docker.APIClient(base_url='unix://'+sys.argv[1],version='1.44')\n"
        "made=api.exec_create(sys.argv[2],['bash','--norc'],stdin=True,tty=True)\n"
        "s=api.exec_start(made['Id'],tty=True,socket=True)._sock\n"
        "s.settimeout(10)\ntime.sleep(0.5)\ns.recv(65536)\ntimes=[]\n"
        "for n in range(int(sys.argv[3])):\n"
        "  letter=bytes([97+n%26]);b=time.perf_counter();s.sendall(letter);got=b''\n"
        "  while letter not in got: got+=s.recv(4096)\n"
        "  times.append((time.perf_counter()-b)*1000)\n"
        "  if n%40==39: s.sendall(b'\\x15');time.sleep(0.2);s.recv(65536)\n"
        "print(json.dumps(times))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(portal.engine_socket), container, str(keys)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return list(json.loads(done.stdout))


def crowd(portal: Portal, learners: list[LabLearner], reader: LabLearner) -> dict[str, float]:
    """Everyone presses 실습 시작 at once; whoever has a lab keeps it for a moment and ends it for the next."""
    most_labs = 0
    done = threading.Event()

    def count_labs() -> None:
        nonlocal most_labs
        while not done.wait(2):
            most_labs = max(most_labs, len(lab_containers(portal)))

    def take_part(learner: LabLearner) -> tuple[float, bool]:
        began = time.perf_counter()
        learner.open()
        queued = learner.wait_until_live(deadline_s=300)
        waited = time.perf_counter() - began
        time.sleep(HELD_S)
        learner.end()
        return waited, queued

    watcher = threading.Thread(target=count_labs)
    watcher.start()
    # A process of its own: threads of this one that wait for labs would count in its times.
    pages_read = subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "page_reader.py"), str(portal.port), reader.session, LabLearner.LESSON],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        with ThreadPoolExecutor(len(learners)) as threads:
            parts = list(threads.map(take_part, learners))
    finally:
        done.set()
        watcher.join()
        pages = json.loads(pages_read.communicate(timeout=60)[0])  # the end of its input ends it
    return {
        "opened": len(parts),
        "queued": sum(queued for _, queued in parts),
        "crowd_most_labs": most_labs,
        "crowd_slowest_s": max(waited for waited, _ in parts),
        "crowd_page_p50_ms": statistics.median(pages),
        "crowd_page_p95_ms": percentile(pages, 0.95),
    }


def resources(portal: Portal) -> dict[str, int]:
    """Threads of the server, and what it has open besides the database, whose library holds on to descriptors."""
    process = Path(f"/proc/{portal.server_pid()}")
    opened = 0
    for descriptor in (process / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            opened += "sqlite3" not in os.readlink(descriptor)
    return {"threads": len(list((process / "task").iterdir())), "files": opened}


def left_over(portal: Portal, before: dict[str, int], deadline_s: float = 30) -> dict[str, float]:
    """What all those labs left behind, once upkeep has had time to tidy; the pool's own is not counted."""
    began = time.monotonic()
    while True:
        paused = docker(portal, "ps", "--quiet", "--filter", "label=naru.kind=lab", "--filter", "status=paused").split()
        left = len(lab_containers(portal)) - len(paused)
        now = resources(portal)
        grown = {name: max(0, now[name] - before[name]) for name in now}
        clean = left == 0 and len(paused) <= 1 and grown["threads"] <= 4 and grown["files"] <= 8
        if clean or time.monotonic() - began > deadline_s:
            # A handful of threads of Django's own pool and its database connections come with traffic.
            return {
                "leaked": left + max(0, len(paused) - 1),
                "threads_more": grown["threads"],
                "files_more": grown["files"],
            }
        time.sleep(0.5)


def cold_starts(portal: Portal, name: str, entry: dict, rounds: int) -> dict[str, float]:
    """Floor and cold path of one image, interleaved."""
    first, *learners = newcomers(portal, name, rounds + 1)
    bare_start(portal, entry), opened(first)  # the first of each warms caches
    floor, ready, usable = [], [], []
    for learner in learners:
        floor.append(bare_start(portal, entry))
        both = opened(learner)
        ready.append(both[0]), usable.append(both[1])
    return {
        f"{name}.bare_s": statistics.median(floor),
        f"{name}.ready_cold_s": statistics.median(ready),
        f"{name}.usable_cold_s": statistics.median(usable),
        f"{name}.usable_cold_p95_s": percentile(usable, 0.95),
    }


def newcomers(portal: Portal, name: str, count: int) -> list[LabLearner]:
    """Learners who kept nothing of an earlier lab of this image."""
    portal.forget_kept()
    return [LabLearner(portal, each.session, name) for each in portal.learners(count)]


def pool_starts(portal: Portal, name: str, rounds: int) -> dict[str, float]:
    """Labs out of the pool, and what one of them uses."""
    learner, *learners = newcomers(portal, name, rounds + 1)
    opened(learner)  # from now on the pool holds this image
    ready, usable = [], []
    for each in learners:
        wait_for_parked(portal, name)
        time.sleep(0.5)
        both = opened(each)
        ready.append(both[0]), usable.append(both[1])
    kept = []
    for each in learners:
        wait_for_parked(portal, name)
        time.sleep(0.5)
        began = time.perf_counter()
        each.open()
        each.wait_until_live()
        kept.append(time.perf_counter() - began)
        each.end()
    numbers = {
        f"{name}.ready_kept_s": statistics.median(kept),
        f"{name}.ready_pool_s": statistics.median(ready),
        f"{name}.ready_pool_p95_s": percentile(ready, 0.95),
        f"{name}.usable_pool_s": statistics.median(usable),
        f"{name}.usable_pool_p95_s": percentile(usable, 0.95),
    }
    wait_for_parked(portal, name)
    portal.forget_kept()
    known = set(lab_containers(portal))
    learner.open()
    learner.wait_until_live()
    wait_for_parked(portal, name)
    running = set(docker(portal, "ps", "--quiet", "--filter", "label=naru.kind=lab").split())
    paused = set(docker(portal, "ps", "--quiet", "--filter", "status=paused").split())
    (container,) = (running & known) - paused
    numbers[f"{name}.idle_mb"] = memory_mb(portal, container)
    with learner.terminal() as terminal:
        terminal.type("true\r")
        time.sleep(1)
        terminal.forget()
        if name == "docker":
            floor = bare_echo(portal, container, 200)
            keys = key_echo(terminal, 200)
            numbers |= {"bare_echo_p95_ms": percentile(floor, 0.95), "echo_p50_ms": statistics.median(keys)}
            numbers["echo_p95_ms"] = percentile(keys, 0.95)
        work, done = WORK[name]
        terminal.type(work)
        terminal.wait_for(done, deadline_s=90)
        numbers[f"{name}.working_mb"] = memory_mb(portal, container)
    learner.end()
    return numbers


def one_by_one(portal: Portal, name: str, learners: list[LabLearner]) -> dict[str, float]:
    """Labs of one image, one after another while those before stay: when each was ready, and what they use together."""
    ready = []
    before = set(lab_containers(portal))
    queued = 0
    held: list[LabLearner] = []
    for learner in learners:
        began = time.perf_counter()
        learner.open()
        try:
            queued += learner.wait_until_live(deadline_s=20)
        except SystemExit:  # the cap is reached: this one waits, which is what a cap is for
            queued += 1
            learner.end()
            continue
        ready.append(time.perf_counter() - began)
        held.append(learner)
    used = [memory_mb(portal, container) for container in set(lab_containers(portal)) - before]
    for learner in held:
        learner.end()
    return {
        f"{name}.one_by_one": len(ready),
        f"{name}.one_by_one_queued": queued,
        f"{name}.one_by_one_p50_s": statistics.median(ready),
        f"{name}.one_by_one_slowest_s": max(ready),
        f"{name}.each_mb": statistics.mean(used) if used else 0.0,
    }


def neighbour(busy: LabLearner, calm: LabLearner) -> dict[str, float]:
    """Seconds of ``kubectl get pods`` in one lab while another one's Deployment asks for 10,000 Pods."""
    for learner in (busy, calm):
        learner.open()
        learner.wait_until_live()
    times = []
    with busy.terminal() as loud, calm.terminal() as quiet:
        loud.type(f"kubectl create deployment flood --image=shop:v1 --replicas={PODS_OF_NEIGHBOUR}; echo beg''un\r")
        loud.wait_for("begun", deadline_s=60)
        ends_at = time.monotonic() + 60
        number = 0
        while time.monotonic() < ends_at:
            number += 1
            began = time.perf_counter()
            quiet.type(f"kubectl get pods >/dev/null; echo an''swered{number}.\r")
            quiet.wait_for(f"answered{number}.", deadline_s=60)
            times.append(time.perf_counter() - began)
            time.sleep(0.3)
        loud.forget()
        loud.type("echo there are $(kubectl get pods --no-headers 2>/dev/null | wc -l) po''ds\r")
        loud.wait_for(" pods", deadline_s=120)
        made = re.search(rb"there are (\d+) pods", loud.seen)
    for learner in (busy, calm):
        learner.end()
    return {
        "neighbour_pods": int(made[1]) if made else 0,
        "neighbour_kubectl_p50_s": statistics.median(times),
        "neighbour_kubectl_p95_s": percentile(times, 0.95),
        "neighbour_kubectl_slowest_s": max(times),
    }


def measure(data: Path, rounds: int, labs: int, images: list[str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    os.environ["NARU_LAB_MEMORY_MB"] = str(AT_ONCE_MEMORY_MB)
    os.environ["NARU_LAB_POOL_SIZE"] = "0"
    entries = lab_images()
    with Portal(data, pool_size=0) as portal:
        numbers["lab_images_s"] = wait_for_images(portal)
        for name in images:
            numbers |= cold_starts(portal, name, entries[name], rounds)
    os.environ["NARU_LAB_POOL_SIZE"] = "1"
    for name in images:  # a portal each, so that its pool holds nothing else
        with Portal(data, pool_size=0) as portal:
            wait_for_images(portal)
            numbers |= pool_starts(portal, name, rounds)
    clusters = [name for name in images if name in ONE_BY_ONE]
    if clusters:
        os.environ["NARU_LAB_MEMORY_MB"] = str(CLUSTERS_MEMORY_MB)
        os.environ["NARU_LAB_POOL_SIZE"] = "0"
        with Portal(data, pool_size=0) as portal:
            sessions = [each.session for each in portal.learners(max(ONE_BY_ONE.values()))]
            wait_for_images(portal)
            for name in clusters:
                count = ONE_BY_ONE[name]
                numbers |= one_by_one(portal, name, [LabLearner(portal, each, name) for each in sessions[:count]])
                wait_until_gone(portal)
                portal.forget_kept()
            numbers |= neighbour(*(LabLearner(portal, each, "kubernetes-light") for each in sessions[:2]))
            wait_until_gone(portal)
            numbers["clusters_leaked"] = len(lab_containers(portal))
    if "docker" in images:
        os.environ["NARU_LAB_MEMORY_MB"] = str(AT_ONCE_MEMORY_MB)
        os.environ["NARU_LAB_POOL_SIZE"] = "1"
        with Portal(data, pool_size=0) as portal:
            learner, *others = [LabLearner(portal, each.session) for each in portal.learners(labs + 1)]
            wait_for_images(portal)
            opened(learner)
            wait_for_parked(portal, "docker")
            before = resources(portal)
            numbers |= crowd(portal, others, learner)
            numbers |= left_over(portal, before)
            numbers["rss_mb"] = portal.rss_mb()
    return numbers


GOALS = {
    "docker.usable_pool_p95_s": ("<=", 2),
    "docker.usable_cold_p95_s": ("<=", 4),
    "docker.idle_mb": ("<=", 150),
    "kubernetes-light.usable_pool_p95_s": ("<=", 1),
    "kubernetes-light.usable_cold_p95_s": ("<=", 5),
    "kubernetes-light.ready_kept_s": ("<=", 5),
    "kubernetes.ready_kept_s": ("<=", 8),
    "kubernetes-light.idle_mb": ("<=", 220),
    "kubernetes.usable_pool_p95_s": ("<=", 2),
    "kubernetes.usable_cold_p95_s": ("<=", 8),
    "kubernetes.idle_mb": ("<=", 400),
    "neighbour_kubectl_slowest_s": ("<=", 1),
    "clusters_leaked": ("<=", 0),
    "echo_p95_ms": ("<=", 50),
    "crowd_page_p95_ms": ("<=", 100),
    "leaked": ("<=", 0),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--json", type=Path, help="write the numbers to this file")
    options.add_argument("--rounds", type=int, default=8, help="of floor, pool and cold each (8)")
    options.add_argument("--labs", type=int, default=20, help="opened at once (20)")
    options.add_argument("--images", default=",".join(IMAGES), help="of the catalogue, by comma (all)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="naru-bench-", ignore_cleanup_errors=True) as folder:
        numbers = measure(Path(folder), chosen.rounds, chosen.labs, chosen.images.split(","))
    for name, value in numbers.items():
        sign, goal = GOALS.get(name, ("", 0))
        met = "" if not sign else ("ok" if (value <= goal if sign == "<=" else value >= goal) else "MISSED")
        print(f"{name:36} {value:10.2f}   {f'goal {sign} {goal}' if sign else '':16} {met}")
    if chosen.json:
        chosen.json.write_text(json.dumps(nested(numbers), indent=2) + "\n")
    return 0


def nested(numbers: dict[str, float]) -> dict:
    """``docker.ready_pool_s`` as {"docker": {"ready_pool_s": …}}: one object a lab image."""
    found: dict = {}
    for name, value in numbers.items():
        head, dot, tail = name.partition(".")
        if dot:
            found.setdefault(head, {})[tail] = value
        else:
            found[name] = value
    return found


if __name__ == "__main__":
    sys.exit(main())
