"""What a learner is told about a run that did not end by itself, or ended badly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ended, Verdict

# In the order in which they decide a verdict.
VERDICTS = {
    Ended.TIME: Verdict.TIME_LIMIT,
    Ended.MEMORY: Verdict.MEMORY_LIMIT,
    Ended.OUTPUT: Verdict.OUTPUT_LIMIT,
    Ended.PROCESSES: Verdict.PROCESS_LIMIT,
}


def sentence(document: Mapping[str, Any]) -> str:
    """How the run hit its limit and what to do next; empty where it hit none."""
    ended, limits = document["ended"], document["limits"]
    if ended == Ended.TIME:
        return _time(document["cpu_ms"], limits)
    if ended == Ended.MEMORY:
        return f"메모리를 {limits['memory_mb']} MB보다 많이 썼어요. 한꺼번에 담아 두는 자료를 줄여 보세요."
    if ended == Ended.OUTPUT:
        return f"출력이 {limits['output_kb']} KB를 넘어서 멈췄어요. 끝나지 않고 찍는 곳이 있는지 살펴보세요."
    if ended == Ended.PROCESSES:
        most = limits["processes"]
        return f"프로세스를 {most}개까지 쓸 수 있는데 더 만들려고 했어요. 새 프로세스를 만드는 반복을 살펴보세요."
    return ""


def was_computing(cpu_ms: int, *, seconds: float, cpu_seconds: float) -> bool:
    """Whether a program that ran out of time spent it computing (``cpu_ms`` milliseconds) rather than waiting."""
    return cpu_ms >= min(seconds, cpu_seconds) * 500


def _time(cpu_ms: int | None, limits: Mapping[str, Any]) -> str:
    """Computing and waiting are different mistakes, so they get different words."""
    wall, cpu = limits["seconds"], limits["cpu_seconds"]
    if cpu_ms is None:
        return f"{wall:g}초 안에 끝나지 않았어요. 끝나지 않는 반복이나 기다림이 있는지 살펴보세요."
    if was_computing(cpu_ms, seconds=wall, cpu_seconds=cpu):
        shown = f"{min(wall, cpu):g}초"
        return f"{shown} 동안 쉬지 않고 계산했는데 끝나지 않았어요. 끝나지 않는 반복이 있는지 살펴보세요."
    advice = "입력을 더 기다리거나 오래 쉬는(sleep) 곳이 있는지 살펴보세요."
    return f"{wall:g}초 동안 기다리기만 하다가 시간이 다 됐어요. {advice}"


def ending(document: Mapping[str, Any]) -> str:
    """A sentence on a run that ended by itself but badly, for messages that are ours; else empty."""
    if document["ended"] == Ended.KILLED:
        return "프로그램이 신호를 받아 도중에 죽었어요. 스스로나 다른 프로세스를 죽이는 곳이 있는지 살펴보세요."
    if document["ended"] == Ended.EXIT and document["exit_code"]:
        return f"프로그램이 오류로 끝났어요(종료 코드 {document['exit_code']}). 오류 출력을 읽어 보세요."
    return ""
