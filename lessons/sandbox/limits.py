"""What a container of ours may do and use: the engine's HostConfig, for runs from contracts.Limits, and for labs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from lessons.contracts import LabShape, Limits, Run
from lessons.sandbox.config import Entry

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
# Labs. Everything that they write is memory, which the one limit holds: images and containers in at most a part of it,
# so that filling them is a full disk and not the end of the lab. The engine inside keeps processes; as above, the outer
# bound only has to be out of reach.
PIDS_OF_A_LAB = 4096
ENGINE_FOLDER = "/var/lib/docker"
TOOLS = "/labs/bin"  # in the engine container
TOOLS_IN_LAB = "/naru/bin"


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


def lab_tmpfs(shape: LabShape, entry: Entry) -> dict[str, int]:
    """Folder -> MiB of what is written in a lab; what the catalogue gives grows with the memory that an author asks."""
    if not entry.tmpfs_mb:
        return {ENGINE_FOLDER: shape.memory_mb // 2}
    return {path: max(1, mb * shape.memory_mb // entry.memory_mb) for path, mb in entry.tmpfs_mb.items()}


def lab_host_config(shape: LabShape, runtime: str, entry: Entry) -> dict[str, Any]:
    """The HostConfig of a lab. Capabilities are gVisor's own: none of them is one on the host."""
    memory = shape.memory_mb * 2**20
    return {
        "Runtime": runtime,
        "NetworkMode": NETWORK,
        "CapAdd": ["ALL"],
        # A mount, not a bind in the old notation: a folder that is missing is then an error, not made.
        "Mounts": [{"Type": "bind", "Source": TOOLS, "Target": TOOLS_IN_LAB, "ReadOnly": True}],
        "Tmpfs": {
            **{path: f"rw,exec,dev,suid,size={mb}m" for path, mb in lab_tmpfs(shape, entry).items()},
            "/run": "rw,exec,nosuid,nodev,size=32m,mode=755",
            "/tmp": f"rw,exec,nosuid,nodev,size={max(32, shape.memory_mb // 8)}m,mode=1777",  # noqa: S108  (in the lab)
        },
        "ShmSize": TMPFS_MB * 2**20,
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": 1_000_000_000,
        "PidsLimit": PIDS_OF_A_LAB,
        "Ulimits": [
            {"Name": "nofile", "Soft": 65536, "Hard": 65536},
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
