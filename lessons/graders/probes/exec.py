"""probe ``exec``: a command in the lab, as root, with the programs of the lab. Its value is an argv."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ask, Ended, ExerciseSpec, ProbeSpec
from lessons.graders.evidence import mapping_of, output_of
from lessons.graders.fields import Fault
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.probes import run
from lessons.graders.probes.asking import GRACE_SECONDS, make, request_of
from lessons.graders.variables import fill_text

_ENDINGS = (Ended.EXIT.value, Ended.TIME.value, Ended.OUTPUT.value)


def plan_command(argv: tuple[str, ...], exercise: ExerciseSpec, stdin: str = "") -> Ask:
    """The question that runs ``argv`` in the learner's lab within the exercise's limits."""
    request = {
        "argv": list(argv),
        "stdin": stdin,
        "seconds": exercise.limits.seconds,
        "output_kb": exercise.limits.output_kb,
    }
    return make("exec", request, seconds=exercise.limits.seconds + GRACE_SECONDS)


class Exec(AskProbe):
    BESIDE = frozenset({"stdin"})

    def validate(self, value: Any) -> list[Fault]:
        return run.validate(value, name="exec")

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        return plan_command(run.argv_of(probe.value, variables), exercise, fill_text(probe.stdin, variables))

    def document(self, value: Any, ask: Ask) -> Any:
        found = mapping_of(value) or {}
        ended = found.get("ended")
        return {**output_of(found), "ended": ended if ended in _ENDINGS else Ended.EXIT.value}

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        request = request_of(ask)
        if document["ended"] == Ended.TIME:
            return Told(f"확인하는 명령이 {request['seconds']:g}초 안에 끝나지 않았어요. 무엇을 기다리는지 살펴보세요.")
        if document["ended"] == Ended.OUTPUT:
            return Told(
                f"확인하는 명령의 출력이 {request['output_kb']} KB를 넘어서 멈췄어요. 끝나지 않고 찍는지 보세요."
            )
        if document["exit_code"]:
            code = document["exit_code"]
            return Told(instead=f"확인하는 명령이 오류로 끝났어요(종료 코드 {code}). 오류 출력을 읽어 보세요.")
        return Told()

    def show(self, ask: Ask) -> str:
        return shlex.join(request_of(ask)["argv"])

    def output(self, document: Any, ask: Ask) -> list[dict[str, Any]]:
        request = request_of(ask)
        return [
            {
                "label": "",
                "command": shlex.join(request["argv"]),
                "stdin": request.get("stdin", ""),
                "stdout": document["stdout"],
                "stderr": document["stderr"],
                "exit_code": document["exit_code"],
                "ended": document["ended"],
            }
        ]
