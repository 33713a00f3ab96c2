"""What a run container is allowed, field by field."""

from __future__ import annotations

import json

import pytest

from lessons.contracts import Limits, Run
from lessons.sandbox.limits import Shape, host_config, job, seccomp_profile, shape_of

SHAPE = Shape("python", 64)
REACHING_OUT = (
    *("mount", "umount2", "unshare", "setns", "pivot_root", "chroot", "move_mount", "fsopen", "swapon", "quotactl"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "bpf", "perf_event_open", "io_uring_setup", "userfaultfd"),
    *("keyctl", "add_key", "request_key", "init_module", "finit_module", "kexec_load", "reboot", "acct"),
    *("open_by_handle_at", "name_to_handle_at", "settimeofday", "fanotify_init"),
)
NAMESPACES = 0x7E020000  # every CLONE_NEW* flag


def rules(name: str) -> list[dict]:
    return [rule for rule in json.loads(seccomp_profile())["syscalls"] if name in rule["names"]]


@pytest.mark.parametrize(("runtime", "memory_mb", "pids"), [("runsc", 192, 2048), ("crun", 80, 320), ("runc", 80, 320)])
def test_host_config_sets_every_safety_field(runtime, memory_mb, pids):
    config = host_config(SHAPE, runtime)
    profile = config.pop("SecurityOpt")
    assert profile[0] == "no-new-privileges"
    assert json.loads(profile[1].removeprefix("seccomp=")) == json.loads(seccomp_profile())
    assert config == {
        "Runtime": runtime,
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "CapAdd": ["SETUID", "SETGID", "KILL"],
        "ReadonlyRootfs": True,
        "Tmpfs": {
            "/box": "rw,nosuid,nodev,size=32m,nr_inodes=4096,mode=0777,exec",
            "/tmp": "rw,nosuid,nodev,size=32m,nr_inodes=4096,mode=1777",
        },
        "ShmSize": 32 << 20,
        "Memory": memory_mb << 20,
        "MemorySwap": memory_mb << 20,
        "NanoCpus": 1_000_000_000,
        "PidsLimit": pids,
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


def test_host_config_shares_nothing_with_the_engine():
    config = host_config(SHAPE, "runsc")
    for field in ("Binds", "Mounts", "Devices", "Privileged", "PidMode", "UsernsMode", "UTSMode", "VolumesFrom"):
        assert not config.get(field)


def test_shape_is_what_must_be_known_before_the_start():
    run = Run("python", ("a",), limits=Limits(memory_mb=64, seconds=1))
    assert shape_of(run) == shape_of(Run("python", ("b",), limits=Limits(memory_mb=64, seconds=9))) == SHAPE
    assert shape_of(Run("python", ("a",))) != SHAPE
    assert shape_of(Run("python-debian12", ("a",), limits=Limits(memory_mb=64))) != SHAPE


def test_job_carries_every_limit_in_the_units_of_park():
    limits = Limits(seconds=1.5, cpu_seconds=2.5, memory_mb=3, output_kb=4, processes=5, file_kb=6)
    assert job(Run("python", ("python3", "a b"), collect=("out",), limits=limits), 20_001) == {
        "argv": ["python3", "a b"],
        "collect": ["out"],
        "uid": 20_001,
        "seconds": 1.5,
        "cpu_seconds": 2.5,
        "memory_bytes": 3 << 20,
        "output_bytes": 4 << 10,
        "processes": 5,
        "file_bytes": 6 << 10,
    }


def test_seccomp_refuses_what_it_does_not_name():
    profile = json.loads(seccomp_profile())
    assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
    assert {rule["action"] for rule in profile["syscalls"]} == {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}


@pytest.mark.parametrize(
    "call",
    REACHING_OUT,
)
def test_seccomp_names_no_call_that_reaches_out(call):
    assert rules(call) == []


def test_seccomp_allows_only_socket_families_of_programs():
    found = rules("socket")
    assert {rule["action"] for rule in found} == {"SCMP_ACT_ALLOW"}
    families = [(arg["index"], arg["op"], arg["value"]) for rule in found for arg in rule["args"]]
    assert families == [(0, "SCMP_CMP_EQ", value) for value in (1, 2, 10, 16)]  # unix, inet, inet6, netlink
    assert all(len(rule["args"]) == 1 for rule in found)


def test_seccomp_makes_no_namespace():
    (clone,) = rules("clone")
    (flags,) = clone["args"]
    assert flags == {"index": 0, "value": NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    (clone3,) = rules("clone3")
    assert (clone3["action"], clone3["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)  # ENOSYS: libc falls back to clone
