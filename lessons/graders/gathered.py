"""What was gathered for a plan, probe by probe: the last answer to each, and the document made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lessons.contracts import Ask, Evidence, ExerciseSpec, Plan, ProbeSpec, TooLarge
from lessons.graders import registry
from lessons.graders.planning import NEXT


def answered(probe: ProbeSpec, exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> tuple[Ask, Any]:
    """The last question of a probe that asks, and its answer."""
    source = plan.aliases.get(probe.id, probe.id)
    ask, value = plan.asks[source], evidence.answers.get(source)
    if isinstance(value, TooLarge):
        return ask, value
    later = registry.ASK_PROBES[probe.type].next_ask(probe, exercise, plan.variables, ask, value)
    return (ask, value) if later is None else (later, evidence.answers.get(f"{NEXT}{source}"))


def following(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> dict[str, Ask]:
    """Questions that an answer leads to and that were not asked yet."""
    found = {}
    for probe in exercise.probes:
        if probe.id not in plan.asks or probe.id not in evidence.answers:
            continue
        ask, _ = answered(probe, exercise, plan, evidence)
        if ask is not plan.asks[probe.id] and f"{NEXT}{probe.id}" not in evidence.answers:
            found[f"{NEXT}{probe.id}"] = ask
    return found


def too_large(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> frozenset[str]:
    """The probes whose answer was more than may be said; their documents are those of no answer."""
    return frozenset(
        probe.id
        for probe in exercise.probes
        if plan.aliases.get(probe.id, probe.id) in plan.asks
        and isinstance(answered(probe, exercise, plan, evidence)[1], TooLarge)
    )


def documents(exercise: ExerciseSpec, plan: Plan, evidence: Evidence) -> dict[str, Any]:
    """Probe id -> evidence document of what was gathered; equal probes share one. With what was known before."""
    made: dict[str, Any] = {}
    found = dict(plan.known)
    for probe in exercise.probes:
        source = plan.aliases.get(probe.id, probe.id)
        make = _maker(probe, source, exercise, plan, evidence)
        if source not in made and make is not None:
            made[source] = make()
        if source in made:
            found[probe.id] = made[source]
    return found


def document_of(probe: ProbeSpec, ask: Ask, value: Any) -> Any:
    """The evidence that an answer is."""
    return registry.ASK_PROBES[probe.type].document(None if isinstance(value, TooLarge) else value, ask)


def _maker(
    probe: ProbeSpec, source: str, exercise: ExerciseSpec, plan: Plan, evidence: Evidence
) -> Callable[[], Any] | None:
    if source in evidence.runs and probe.type in registry.RUN_PROBES:
        return lambda: registry.RUN_PROBES[probe.type].document(evidence.runs[source])
    if source in plan.asks and source in evidence.answers:
        ask, value = answered(probe, exercise, plan, evidence)
        return lambda: document_of(probe, ask, value)
    return None
