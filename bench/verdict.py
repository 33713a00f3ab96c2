#!/usr/bin/env python3
"""How long an answer waits for its verdict, beside a bare ``docker run`` measured in the same run.

    .venv/bin/python bench/verdict.py [--json FILE] [--rounds N] [--learners N]

Starts a portal, an engine and data of its own (also while another portal serves), and measures, interleaved so that
a noisy neighbour hits all sides alike:

floor    ``docker run --rm`` in the same engine, same image, runtime and limits, running the same one-line program
cold     HTTP POST to verdict with an empty pool
pooled   HTTP POST to verdict with a warm pool

then 50 learners at once, a sustained stream beside the floor's own sustained rate, the lesson page, and memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from portal_under_test import PYTHON, ROOT, Learner, Portal, Verdict

LIMITS = ["--network", "none", "--read-only", "--tmpfs", "/tmp", "--memory", "256m", "--memory-swap", "256m",  # noqa: S108  (a tmpfs inside the container)
          "--cpus", "1", "--pids-limit", "1024", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
          "--log-driver", "none"]  # fmt: skip
PROGRAM = "print(sum(map(int, input().split())))"


def floor_command(portal: Portal) -> list[str]:
    image = yaml.safe_load((ROOT / "labs" / "catalogue.yaml").read_text())["environments"]["python"]["image"]
    docker = shutil.which("docker")
    if docker is None:
        raise SystemExit("the floor needs the docker command line tool")
    return [docker, "-H", f"unix://{portal.engine_socket}", "run", "--rm", "-i", "--pull", "never", *LIMITS,
            "--runtime", runtime_of(portal, docker), "--entrypoint", "python3", image, "-c", PROGRAM]  # fmt: skip


def runtime_of(portal: Portal, docker: str) -> str:
    """gVisor where the engine has it, as the sandbox chooses."""
    info = subprocess.run(
        [docker, "-H", f"unix://{portal.engine_socket}", "info", "--format", "{{json .Runtimes}}"],
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    return "runsc" if "runsc" in json.loads(info.stdout) else "runc"


def run_floor(command: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, input=b"3 4\n", capture_output=True, timeout=120)
    took = (time.perf_counter() - began) * 1000
    if done.stdout.strip() != b"7":
        raise SystemExit(f"the floor's program said {done.stdout!r} {done.stderr!r}")
    return took


def submit(learner: Learner) -> Verdict:
    verdict = learner.submit()
    if verdict.verdict != "pass":
        raise SystemExit(f"a right answer got: {verdict.verdict}")
    return verdict


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def summary(values: list[float]) -> dict[str, float]:
    return {"p50": statistics.median(values), "p95": percentile(values, 0.95)}


def wait_for_pool(portal: Portal, size: int, deadline_s: float = 120) -> int:
    """Parked containers in the engine, once there are ``size`` or the deadline has passed."""
    began = time.monotonic()
    while True:
        listed = subprocess.run(
            ["docker", "-H", f"unix://{portal.engine_socket}", "ps", "-q"],
            capture_output=True, check=True, timeout=30,
        )  # fmt: skip
        parked = len(listed.stdout.split())
        if parked >= size or time.monotonic() - began > deadline_s:
            return parked
        time.sleep(0.25)


def at_once(learners: list[Learner]) -> dict[str, float]:
    """Everyone presses 채점 in the same moment."""
    gate = threading.Barrier(len(learners) + 1)

    def press(learner: Learner) -> Verdict:
        gate.wait()
        return learner.submit()

    with ThreadPoolExecutor(len(learners)) as threads:
        waiting = [threads.submit(press, learner) for learner in learners]
        gate.wait()
        began = time.perf_counter()
        verdicts = [one.result() for one in waiting]
        took = time.perf_counter() - began
    times = [verdict.ms for verdict in verdicts]
    return {
        "verdicts_per_s": len(verdicts) / took,
        "burst_p95_ms": percentile(times, 0.95),
        "burst_fastest_ms": min(times),
        "burst_slowest_ms": max(times),
        "lost": sum(verdict.verdict != "pass" for verdict in verdicts),
    }


def sustained(action: list, seconds: float) -> float:
    """Calls per second of as many threads as there are actions, each calling its own again and again."""
    stop = time.perf_counter() + seconds
    counts = [0] * len(action)

    def work(index: int) -> None:
        while time.perf_counter() < stop:
            action[index]()
            counts[index] += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(action))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def page(learner: Learner, rounds: int) -> dict[str, float]:
    """Server time of the lesson page, and what a first visit downloads without fonts and editor."""
    times = []
    html = ""
    for _ in range(rounds):
        began = time.perf_counter()
        html = learner.get(learner.LESSON)[1]
        times.append((time.perf_counter() - began) * 1000)
    size = len(gzip.compress(html.encode()))
    wanted = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    wanted += re.findall(r'<link[^>]+href="([^"]+\.css)"', html)
    wanted += re.findall(r'<script[^>]+src="([^"]+)"', html)
    for address in sorted(set(wanted)):
        status, body = learner.get(address)
        if status != 200:
            raise SystemExit(f"{address}: {status}")
        size += len(gzip.compress(body.encode()))
    return {"page_ms": statistics.median(times), "page_p95_ms": percentile(times, 0.95), "page_kb": size / 1000}


def parked_mb(portal: Portal) -> float:
    """Mean memory of a parked container, as its control group counts it."""
    listed = subprocess.run(
        ["docker", "-H", f"unix://{portal.engine_socket}", "stats", "--no-stream", "--format", "{{.MemUsage}}"],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    units = {"B": 1e-6, "KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}
    used = []
    for line in listed.stdout.decode().splitlines():
        found = re.match(r"([\d.]+)(B|KiB|MiB|GiB)", line)
        if found:
            used.append(float(found[1]) * units[found[2]])
    return statistics.mean(used) if used else 0.0


def django_ms(data: Path) -> float:
    """See without_sandbox.py."""
    data.mkdir()
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "bench" / "without_sandbox.py")],
        env={**os.environ, "NARU_DATA": str(data)}, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return float(done.stdout)


def measure(data: Path, rounds: int, learner_count: int) -> dict[str, float]:
    numbers: dict[str, float] = {}
    with Portal(data, pool_size=0) as portal:
        numbers["first_start_s"] = portal.ready_s
        command = floor_command(portal)
        learner = portal.learners(1)[0]
        run_floor(command), submit(learner)  # the first of each warms caches
        floor, cold = [], []
        for _ in range(rounds):
            floor.append(run_floor(command))
            cold.append(submit(learner).ms)
        numbers |= {f"cold_{name}_ms": value for name, value in summary(cold).items()}
        floor_cold = summary(floor)
        numbers["cold_floor_p50_ms"] = floor_cold["p50"]
    with Portal(data, pool_size=learner_count) as portal:
        numbers["second_start_s"] = portal.ready_s
        command = floor_command(portal)
        learners = portal.learners(learner_count)
        numbers["rss_before_mb"] = portal.rss_mb()
        run_floor(command), submit(learners[0])
        numbers["parked"] = wait_for_pool(portal, learner_count)
        numbers["parked_mb"] = parked_mb(portal)
        floor, pooled, in_reply = [], [], 0
        for _ in range(rounds):
            floor.append(run_floor(command))
            verdict = submit(learners[0])
            pooled.append(verdict.ms)
            in_reply += verdict.in_reply
            time.sleep(0.3)  # the refill after a run must not stand beside the next floor
        numbers |= {f"floor_{name}_ms": value for name, value in summary(floor).items()}
        numbers |= {f"pooled_{name}_ms": value for name, value in summary(pooled).items()}
        numbers["in_reply"] = in_reply / rounds
        # What of a pooled answer's way is not the sandbox: HTTP on both ends, Django, the database, waking, claiming.
        collects = portal.collect_ms()[:rounds]
        numbers["portal_ms"] = statistics.median(
            total - inside for total, inside in zip(reversed(pooled), collects, strict=True)
        )
        numbers["cold_ratio"] = numbers["cold_p50_ms"] / floor_cold["p50"]
        numbers["pooled_ratio"] = numbers["pooled_p50_ms"] / numbers["floor_p50_ms"]
        numbers |= page(learners[0], 40)
        wait_for_pool(portal, learner_count)
        numbers |= at_once(learners)
        # Both sides start from an empty pool and keep as many in flight as the other.
        side_by_side = min(4, learner_count)
        numbers["floor_sustained_per_s"] = sustained([lambda: run_floor(command)] * side_by_side, 20)
        actions = [lambda learner=learner: submit(learner) for learner in learners[:8]]
        sustained(actions, 10)  # uses up what is parked
        numbers["sustained_per_s"] = sustained(actions, 20)
        numbers["sustained_ratio"] = numbers["sustained_per_s"] / numbers["floor_sustained_per_s"]
        numbers["rss_mb"] = portal.rss_mb()
    numbers["django_ms"] = django_ms(data / "without-sandbox")
    return numbers


GOALS = {
    "pooled_ratio": ("<=", 0.3),
    "cold_ratio": ("<=", 0.95),
    "django_ms": ("<=", 15),
    "verdicts_per_s": (">=", 16),
    "sustained_ratio": (">=", 0.9),
    "lost": ("<=", 0),
    "page_ms": ("<=", 20),
    "page_kb": ("<=", 150),
    "rss_mb": ("<=", 180),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--json", type=Path, help="write the numbers to this file")
    options.add_argument("--rounds", type=int, default=25, help="of floor, cold and pooled each (25)")
    options.add_argument("--learners", type=int, default=50, help="who submit at once, and parked containers (50)")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="naru-bench-", ignore_cleanup_errors=True) as folder:
        numbers = measure(Path(folder), chosen.rounds, chosen.learners)
    for name, value in numbers.items():
        sign, goal = GOALS.get(name, ("", 0))
        met = "" if not sign else ("ok" if (value <= goal if sign == "<=" else value >= goal) else "MISSED")
        print(f"{name:24} {value:10.2f}   {f'goal {sign} {goal}' if sign else '':16} {met}")
    if chosen.json:
        chosen.json.write_text(json.dumps(numbers, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
