#!/usr/bin/env python3
"""One Kubernetes lab under steady changes for an hour: does its memory stay where it was?

    .venv/bin/python bench/soak.py --engine SOCKET [--minutes N] [--image NAME] [--csv FILE]

``--engine`` is the socket of a running engine of Naru's (DATA/engine/docker.sock). Every 15 s the lab's objects change:
Deployments are scaled and given other versions, settings come and go, Pods are killed. Memory is what the lab's control
group counts without the page cache; a line is printed each minute and a plot at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lessons.contracts import LabShape  # noqa: E402 - after the path
from lessons.sandbox import Lab, Sandbox, SandboxConfig  # noqa: E402

EVERY_S = 15.0
MEMORY_MB = {"kubernetes": 768, "kubernetes-light": 448}
BEGIN = """
kubectl create deployment shop --image=shop:v1 --replicas=3
kubectl expose deployment shop --port=80 --target-port=8080
kubectl rollout status deployment/shop --timeout=120s
"""
STEP = """
kubectl scale deployment shop --replicas=$((2 + N % 4))
kubectl set image deployment/shop shop=shop:v$((1 + N % 2))
kubectl create configmap c$N --from-literal=a=$N
kubectl delete configmap c$((N - 3)) --ignore-not-found
kubectl delete pod $(kubectl get pods -l app=shop -o name | head -1 | cut -d/ -f2) --wait=false
kubectl rollout status deployment/shop --timeout=60s
"""


def memory_mb(socket: Path, container: str) -> float:
    """What the engine counts, page cache left out."""
    command = ["curl", "--silent", "--max-time", "30", "--unix-socket", str(socket)]
    url = f"http://engine/containers/{container}/stats?stream=false&one-shot=true"
    stats = json.loads(subprocess.run([*command, url], capture_output=True, check=True, timeout=60).stdout)[
        "memory_stats"
    ]
    inner = stats.get("stats", {})
    cache = sum(inner.get(f"total_{name}", inner.get(name, 0)) for name in ("active_file", "inactive_file"))
    return (stats["usage"] - cache) / 2**20


def soak(lab: Lab, socket: Path, minutes: float) -> tuple[list[tuple[float, float, float]], int, int]:
    """(minutes, MB, seconds of ``kubectl get pods``) about every minute; the number of steps, and of failed ones."""
    began = time.monotonic()
    rows: list[tuple[float, float, float]] = []
    if lab.run(["/bin/bash", "-e", "-c", BEGIN], seconds=150).exit_code:
        raise SystemExit("the cluster does not even begin")
    number = failed = 0
    while (passed := (time.monotonic() - began) / 60) < minutes:
        number += 1
        step_began = time.monotonic()
        done = lab.run(["/bin/bash", "-c", f"N={number}\n{STEP}"], seconds=120)
        if done.exit_code:
            failed += 1
            print(f"step {number}: {done.stderr.decode(errors='replace')[-300:]}", file=sys.stderr)
        if number % 4 == 0:
            asked = time.monotonic()
            lab.run(["kubectl", "get", "pods"], seconds=60)
            rows.append((passed, memory_mb(socket, lab.id), time.monotonic() - asked))
            print("{:6.1f} min {:7.1f} MB  kubectl {:5.2f} s".format(*rows[-1]), flush=True)
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - step_began)))
    return rows, number, failed


def plot(rows: list[tuple[float, float, float]], width: int = 60) -> str:
    """Memory over time, a line every few minutes."""
    most = max(mb for _, mb, _ in rows)
    step = max(1, len(rows) // 30)
    return "\n".join(f"{at:5.0f} min {mb:6.0f} MB |{'#' * round(width * mb / most)}" for at, mb, _ in rows[::step])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--engine", type=Path, required=True, help="socket of the engine")
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--image", choices=sorted(MEMORY_MB), default="kubernetes")
    options.add_argument("--csv", type=Path, help="write the rows to this file")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="naru-soak-") as folder:
        config = SandboxConfig(chosen.engine, ROOT / "labs" / "catalogue.yaml", Path(folder), pool_size=0)
        sandbox = Sandbox(config)
        shape = LabShape(chosen.image, (), MEMORY_MB[chosen.image])
        lab = sandbox.open_lab(shape, owner="soak", lifetime=chosen.minutes * 60 + 1800)
        try:
            lab.wait_ready(120)
            rows, steps, failed = soak(lab, chosen.engine, chosen.minutes)
        finally:
            lab.end()
            sandbox.close()
    print(plot(rows))
    print(f"{steps} steps, {failed} failed")
    if chosen.csv:
        chosen.csv.write_text("minutes,mb,kubectl_s\n" + "".join("{:.2f},{:.1f},{:.3f}\n".format(*row) for row in rows))
    return 1 if failed * 100 > steps else 0


if __name__ == "__main__":
    sys.exit(main())
