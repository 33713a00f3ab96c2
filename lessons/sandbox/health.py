"""What a look at the engine shows, for doctor and the log at start. Texts are Korean, for the operator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lessons.contracts import Ended, Limits, Plan, Run, RunEvidence
from lessons.sandbox.config import EnvironmentState, Finding
from lessons.sandbox.engine import engine_errors
from lessons.sandbox.errors import SandboxError
from lessons.sandbox.health_labs import look_at_labs

if TYPE_CHECKING:
    from lessons.sandbox import Sandbox

LEAST_FREE_MB = 2048
SOCKETS = """
import json, os, socket
found = {}
for name, family in (("AF_ALG", 38), ("AF_VSOCK", 40), ("AF_PACKET", 17)):
    try:
        socket.socket(family, socket.SOCK_SEQPACKET if family == 38 else socket.SOCK_STREAM).close()
        found[name] = "open"
    except OSError as error:
        found[name] = "refused"
disk = os.statvfs("/")
print(json.dumps({"sockets": found, "uid": os.getuid(), "free_mb": disk.f_bavail * disk.f_frsize // 2**20}))
"""
MEMORY = "x = []\nwhile True:\n    x.append(bytearray(1 << 20))\n"
PROCESSES = "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(9)\n"
SMALL = Limits(seconds=5, cpu_seconds=5, memory_mb=128, output_kb=16, processes=8)  # eight forks of Python fit


def examine(sandbox: Sandbox) -> list[Finding]:
    """Every finding; raises SandboxError when the engine does not answer at all."""
    with engine_errors():
        version = sandbox.engine.api.version()
    findings = [Finding("good", f"채점 엔진이 대답해요: Docker {version.get('Version', '?')}")]
    findings += _runtime(sandbox)
    states = sandbox.environments()
    labs = {name: states.pop(name) for name, entry in sandbox.images.entries().items() if entry.is_lab}
    findings += _images(states)
    if not any(finding.level == "bad" for finding in findings):
        for look in (_sockets, _memory, _processes):
            findings += look(sandbox)
    findings += look_at_labs(sandbox, labs)
    return findings


def _runtime(sandbox: Sandbox) -> Iterator[Finding]:
    try:
        runtime = sandbox.engine.runtime()
    except SandboxError as error:
        yield Finding(
            "bad",
            f"쓸 수 있는 격리 런타임이 없어요: {error}",
            "바깥에 열린 포털에서는 gVisor 없이 학습자 프로그램을 실행하지 않아요.",
            "엔진 이미지를 다시 만들거나, 위험을 알고 쓴다면 NARU_ALLOW_WEAK_RUNTIME=1로 두세요.",
        )
        return
    if runtime == "runsc":
        yield Finding("good", "실행 격리: gVisor(runsc)")
    else:
        yield Finding(
            "note",
            f"실행 격리: {runtime} (gVisor가 없어요)",
            "학습자 프로그램이 호스트의 커널을 직접 불러요. 혼자 쓰는 컴퓨터에서만 괜찮아요.",
            "bin/start로 나루의 엔진을 쓰면 gVisor가 함께 들어 있어요.",
        )


def _images(states: dict[str, EnvironmentState]) -> Iterator[Finding]:
    for name, state in states.items():
        if state == EnvironmentState.READY:
            yield Finding("good", f"실행 환경 준비됨: {name}")
        elif state == EnvironmentState.BUILDING:
            yield Finding(
                "note",
                f"실행 환경을 들여오는 중이에요: {name}",
                "이 환경을 쓰는 문제는 잠시 뒤에 채점돼요.",
                "조금 기다려 주세요.",
            )
        else:
            yield Finding(
                "bad",
                f"실행 환경이 없어요: {name}",
                "이 환경을 쓰는 문제를 채점할 수 없어요.",
                "bin/start를 다시 실행하면 엔진 이미지를 새로 만들어요.",
            )


def _try(sandbox: Sandbox, program: str) -> RunEvidence:
    run = Run(sandbox.default_environment(), ("python3", "-c", program), limits=SMALL)
    return sandbox.collect(Plan(runs={"look": run}, answer={}), owner="doctor", deadline=60).runs["look"]


def _look(program: str, judge: Callable[[RunEvidence], Iterator[Finding]]) -> Callable[[Sandbox], Iterator[Finding]]:
    def look(sandbox: Sandbox) -> Iterator[Finding]:
        try:
            evidence = _try(sandbox, program)
        except SandboxError as error:
            yield Finding(
                "bad",
                f"시험 삼아 실행해 보았지만 끝나지 않았어요: {error}",
                "제출은 저장되지만 채점되지 않아요.",
                "bin/start를 다시 실행하고, 그래도 같으면 엔진의 기록(docker logs)을 확인하세요.",
            )
            return
        yield from judge(evidence)

    return look


def _judge_sockets(evidence: RunEvidence) -> Iterator[Finding]:
    try:
        seen = json.loads(evidence.stdout)
    except ValueError:
        yield Finding(
            "bad",
            f"실행 환경의 python3가 대답하지 않아요: {evidence.stderr[:200].decode(errors='replace')}",
            "문제를 채점할 수 없어요.",
            "bin/start를 다시 실행해 이미지를 새로 만드세요.",
        )
        return
    open_ones = [name for name, state in seen["sockets"].items() if state == "open"]
    if open_ones:
        yield Finding(
            "bad",
            f"실행 안에서 {', '.join(open_ones)} 소켓이 열려요.",
            "호스트 커널의 약한 곳이나 가상 머신의 호스트에 닿을 수 있어요.",
            "gVisor 런타임을 쓰거나, 엔진이 나루의 seccomp 설정을 받아들이는지 확인하세요.",
        )
    else:
        yield Finding("good", "실행 안에서 AF_ALG·AF_VSOCK·AF_PACKET 소켓이 거절돼요.")
    if seen["free_mb"] < LEAST_FREE_MB:
        yield Finding(
            "bad",
            f"엔진의 디스크가 {seen['free_mb']} MB밖에 남지 않았어요.",
            "컨테이너를 만들지 못해 채점이 멈출 수 있어요.",
            "호스트에서 docker system df로 무엇이 큰지 보고 비우세요.",
        )
    else:
        yield Finding("good", f"엔진의 남은 디스크: {seen['free_mb']} MB")


def _judge_memory(evidence: RunEvidence) -> Iterator[Finding]:
    yield _limit_finding(evidence, Ended.MEMORY, "메모리")


def _judge_processes(evidence: RunEvidence) -> Iterator[Finding]:
    yield _limit_finding(evidence, Ended.PROCESSES, "프로세스 수")


def _limit_finding(evidence: RunEvidence, wanted: Ended, name: str) -> Finding:
    if evidence.ended is wanted:
        return Finding("good", f"{name} 제한이 지켜져요.")
    return Finding(
        "bad",
        f"{name} 제한이 지켜지지 않아요(끝난 까닭: {evidence.ended}).",
        "한 사람의 프로그램이 다른 사람의 채점을 느리게 할 수 있어요.",
        "호스트의 cgroup 설정과 엔진의 런타임을 확인하세요.",
    )


_sockets = _look(SOCKETS, _judge_sockets)
_memory = _look(MEMORY, _judge_memory)
_processes = _look(PROCESSES, _judge_processes)
