"""What a look at the engine shows of labs, for doctor. Texts are Korean, for the operator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lessons.sandbox.config import EnvironmentState, Finding
from lessons.sandbox.errors import SandboxError
from lessons.sandbox.lab_pool import READY_SECONDS

if TYPE_CHECKING:
    from lessons.sandbox import Sandbox

CHECK_SECONDS = 30.0
AGAIN = "bin/start를 다시 실행하면 엔진 이미지를 새로 만들어요. 그래도 같으면 엔진의 기록(docker logs)을 확인하세요."


def look_at_labs(sandbox: Sandbox, states: dict[str, EnvironmentState]) -> Iterator[Finding]:
    """Runtime, images and a real lab of each; nothing where the catalogue has no labs. ``states``: of them only."""
    if not states:
        return
    try:
        sandbox.engine.lab_runtime()
    except SandboxError as error:
        yield Finding(
            "bad",
            f"실습 환경을 격리할 런타임이 없어요: {error}",
            "터미널이 있는 실습을 열 수 없어요. 프로그램을 채점하는 문제는 그대로 풀 수 있어요.",
            AGAIN,
        )
        return
    yield Finding("good", "실습 격리: gVisor(runsc-lab)")
    for name, state in states.items():
        if state is EnvironmentState.READY:
            yield from _try(sandbox, name)
        else:
            yield _absent(sandbox, name, state)


def _absent(sandbox: Sandbox, name: str, state: EnvironmentState) -> Finding:
    progress = sandbox.progress(name)
    if state is EnvironmentState.BUILDING:
        return Finding(
            "note",
            f"실습 환경을 들여오는 중이에요: {name} ({progress.percent}%)",
            "이 환경을 쓰는 실습은 잠시 뒤에 열 수 있어요.",
            "조금 기다려 주세요.",
        )
    return Finding(
        "bad",
        f"실습 환경이 없어요: {name}. {progress.text}",
        "이 환경을 쓰는 실습을 열 수 없어요.",
        AGAIN,
    )


def _try(sandbox: Sandbox, name: str) -> Iterator[Finding]:
    began = time.monotonic()
    try:
        shape = sandbox.images.shape_of_lab(name)
        with sandbox.labs.throwaway(shape, owner="doctor", seconds=READY_SECONDS + CHECK_SECONDS) as lab:
            took = time.monotonic() - began
            found = lab.attend("check", seconds=CHECK_SECONDS)
            memory = lab.stats().get("memory_mb", 0)
    except SandboxError as error:
        yield Finding(
            "bad",
            f"시험 삼아 열어 본 실습 환경({name})을 쓸 수 없어요: {error}",
            "이 환경을 쓰는 실습을 열 수 없어요.",
            AGAIN,
        )
        return
    if found.get("ok"):
        yield Finding("good", f"실습 환경이 열려요: {name} (준비까지 {took:.1f}초, 메모리 {memory} MB)")
    else:
        yield Finding(
            "bad",
            f"실습 환경 {name} 안에서 시험 삼아 해 본 작업이 실패했어요: {found.get('message', '')}",
            "이 환경을 쓰는 실습을 할 수 없어요.",
            AGAIN,
        )
