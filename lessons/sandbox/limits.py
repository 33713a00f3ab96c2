"""What a run container may do and use: the engine's HostConfig for contracts.Limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from lessons.contracts import Limits, Run

# What the sandbox itself needs beside the learner's program. gVisor's sentry and gofer count in the container's
# control group (about 45 MiB idle, more with many mappings and files); a runtime on the host's kernel adds park only.
OVERHEAD_MB = {"runsc": 128, "other": 16}
TMPFS_MB = 32  # each of /box, /tmp and /dev/shm; their pages count as memory too
NETWORK = "none"
CAPABILITIES = ["SETUID", "SETGID", "KILL"]  # park becomes the learner and ends what the learner left
# Counts the sandbox's own threads, and its breach kills the sandbox with no word of why: out of the reach of the 256
# processes that the catalogue allows at most (they take some 620 here). Park keeps `processes` inside.
PIDS_UNDER_GVISOR = 2048
PIDS_OTHERWISE = 320  # a backstop: there RLIMIT_NPROC of a user of its own keeps `processes`


@dataclass(frozen=True)
class Shape:
    """What must be known before a container starts: containers of one shape are interchangeable."""

    environment: str
    memory_mb: int


def shape_of(run: Run) -> Shape:
    return Shape(run.environment, run.limits.memory_mb)


def seccomp_profile() -> str:
    """Our own profile: the calls a program needs, and no AF_ALG, AF_VSOCK or packet sockets."""
    return json.dumps(json.loads(files("lessons.sandbox").joinpath("seccomp.json").read_text(encoding="utf-8")))


def host_config(shape: Shape, runtime: str) -> dict[str, Any]:
    """The HostConfig of a run container, as the engine's API takes it (sizes in bytes)."""
    gvisor = runtime == "runsc"
    memory = (shape.memory_mb + OVERHEAD_MB["runsc" if gvisor else "other"]) * 2**20
    tmpfs = f"rw,nosuid,nodev,size={TMPFS_MB}m,nr_inodes=4096,mode=1777"
    return {
        "Runtime": runtime,
        "NetworkMode": NETWORK,
        "CapDrop": ["ALL"],
        "CapAdd": CAPABILITIES,
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp_profile()}"],
        "ReadonlyRootfs": True,
        "Tmpfs": {"/box": f"{tmpfs},exec".replace("1777", "0777"), "/tmp": tmpfs},  # noqa: S108  (inside the container)
        "ShmSize": TMPFS_MB * 2**20,
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": 1_000_000_000,
        "PidsLimit": PIDS_UNDER_GVISOR if gvisor else PIDS_OTHERWISE,
        "Ulimits": [
            {"Name": "nofile", "Soft": 1024, "Hard": 1024},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "LogConfig": {"Type": "none", "Config": {}},
        "Init": False,
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "RestartPolicy": {"Name": "no"},
    }


def job(run: Run, uid: int) -> dict[str, Any]:
    """The limits of a run as park's job carries them (labs/park/protocol.go)."""
    limits: Limits = run.limits
    return {
        "argv": list(run.argv),
        "collect": list(run.collect),
        "uid": uid,
        "seconds": limits.seconds,
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_mb * 2**20,
        "output_bytes": limits.output_kb * 1024,
        "processes": limits.processes,
        "file_bytes": limits.file_kb * 1024,
    }
