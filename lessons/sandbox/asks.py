"""Answers a plan's questions about labs: in the learner's, in throwaway ones, or from what was recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from lessons.contracts import Ask, Ended, LabShape, Place, TooLarge
from lessons.sandbox.errors import DeadlineError, EngineUnavailableError, LabGoneError, LabTooLargeError
from lessons.sandbox.lab import GRACE_SECONDS, Lab
from lessons.sandbox.lab_pool import LabYard

FRESH_SECONDS = 60.0  # beside what the question itself may take: a cold start on a busy machine


class Answering:
    """``slot(owner, ends_at)`` waits for one of the slots that runs have, ``shape`` tells the lab of an environment;
    both raise SandboxError.
    """

    def __init__(
        self,
        yard: LabYard,
        *,
        slot: Callable[[str, float], AbstractContextManager[Any]],
        shape: Callable[[str], LabShape],
    ) -> None:
        self._yard, self._slot, self._shape = yard, slot, shape

    def answers(
        self, asks: Mapping[str, Ask], lab: Lab | None, recorded: Mapping[str, Any], owner: str, ends_at: float
    ) -> dict[str, Any]:
        """Probe -> answer. Asked in their order; neighbours about the learner's lab in one go."""
        found: dict[str, Any] = {}
        for place, group in _grouped(asks):
            if place is Place.LAB:
                found |= self._in_lab(group, lab, ends_at)
                continue
            for probe, ask in group.items():
                if place is Place.RECORD:
                    found[probe] = from_record(ask, recorded)
                else:
                    found[probe] = self._in_fresh(ask, owner, ends_at)
        return found

    def _in_lab(self, asks: Mapping[str, Ask], lab: Lab | None, ends_at: float) -> dict[str, Any]:
        if lab is None:
            raise LabGoneError("there is no lab to ask")
        most = sum(ask.seconds for ask in asks.values()) + GRACE_SECONDS
        return dict(zip(asks, lab.ask(list(asks.values()), seconds=_left(ends_at, most)), strict=True))

    def _in_fresh(self, ask: Ask, owner: str, ends_at: float) -> Any:
        shape = self._shape(ask.environment)
        with self._slot(owner, ends_at):
            most = ask.seconds + GRACE_SECONDS
            with self._yard.throwaway(shape, owner=owner, seconds=_left(ends_at, most + FRESH_SECONDS)) as lab:
                try:
                    answer = lab.ask([ask], seconds=_left(ends_at, most))[0]
                except LabGoneError as error:
                    if ask.tool == "build" and lab.killed_by_memory():
                        return unbuilt(f"이미지를 만들다가 실습 환경의 메모리({shape.memory_mb} MB)를 모두 썼어요.")
                    raise EngineUnavailableError(f"a throwaway lab died: {error}") from error
                except LabTooLargeError:
                    answer = TooLarge()
                except DeadlineError:
                    if ask.tool == "build" and time.monotonic() < ends_at:
                        return unbuilt("", ended=Ended.TIME)
                    raise
        if isinstance(answer, TooLarge) and ask.tool == "build":
            return unbuilt("빌드나 실행의 출력이 너무 많아요.")
        return answer


def from_record(ask: Ask, recorded: Mapping[str, Any]) -> Any:
    """What the portal recorded of a lab: its ``events``, or the ``stream`` that the request names by its id; None where
    there is none."""
    if ask.tool != "stream":
        return recorded.get(ask.tool)
    return recorded.get("streams", {}).get(json.loads(ask.request).get("id"))


def unbuilt(reason: str, ended: Ended = Ended.EXIT) -> dict[str, Any]:
    """The answer of `build` where the lab could not live to give one: it was what the learner's file asked for."""
    return {
        "built": False,
        "ended": ended.value,
        "refused": reason,
        "log": "",
        "image": None,
        "layers": [],
        "rebuild": None,
        "ran": None,
        "leaked": [],
    }


def _grouped(asks: Mapping[str, Ask]) -> Iterator[tuple[Place, dict[str, Ask]]]:
    """Neighbours of one place together, in their order."""
    group: dict[str, Ask] = {}
    place: Place | None = None
    for probe, ask in asks.items():
        if group and place is not None and ask.place is not place:
            yield place, group
            group = {}
        place = ask.place
        group[probe] = ask
    if group and place is not None:
        yield place, group


def _left(ends_at: float, most: float) -> float:
    """Seconds for a call: ``most``, but no longer than there is time. Raises DeadlineError."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise DeadlineError("no time is left for a question about a lab")
    return min(left, most)
