"""probe ``events``: what happened in the lab since setup, as the portal recorded it outside the lab.

    {engine: …, filter: {type, event, container, image, network, volume}}          of the engines
    {filter: {type: kubernetes, action, kind, namespace, name, reason, verb, …}}    of the cluster

Each filter is a text or a list of texts (one of them); an event passes when all filters do. The evidence is a
list of docker's own events, each with the name of its host as ``engine``; those of a cluster have the same shape, and
come only where the filter says their type.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from lessons.contracts import OF_CLUSTER, Ask, ExerciseSpec, Place, ProbeSpec
from lessons.graders.evidence import bounded
from lessons.graders.fields import Fault, as_texts, texts_faults, unknown_fields
from lessons.graders.interfaces import AskProbe
from lessons.graders.probes.asking import make, object_faults, on, request_of
from lessons.graders.variables import fill_text

ENGINE_FILTERS = ("event", "container", "image", "network", "volume")
ATTRIBUTES = ("kind", "namespace", "name", "reason", "verb", "subresource", "phase", "ready", "node", "owner")
CLUSTER_FILTERS = ("action", *ATTRIBUTES)
EVENTS_MOST = 2_000
EVENT_ITEMS_MOST = 100  # values of one event
_RECORDED_MOST = 10_000  # events that are looked at, the last ones
_EXAMPLE = "events: {filter: {container: web, event: die}}"
_CLUSTER_EXAMPLE = "events: {filter: {type: kubernetes, action: happened, reason: Killing}}"
_ID_LEAST = 12  # letters of an id that stand for the whole of it


class Events(AskProbe):
    FIELDS = frozenset({"engine", "filter"})

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        filters = value.get("filter", {})
        if not isinstance(filters, Mapping):
            return [*found, Fault("filter", "{이름: 값} 묶음이 와야 해요.", f"{_EXAMPLE}처럼 적어 주세요.")]
        known = ("type", *(CLUSTER_FILTERS if of_cluster(value) else ENGINE_FILTERS))
        for fault in unknown_fields(filters, known):
            fix = fault.fix
            if fault.field in CLUSTER_FILTERS:
                fix = f"클러스터의 일이면 {_CLUSTER_EXAMPLE}처럼 type: kubernetes를 함께 적어 주세요."
            found.append(fault._replace(field=f"filter.{fault.field}", fix=fix))
        for name in known:
            if name in filters:
                found += texts_faults(filters[name], f"filter.{name}")
        return found

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        """Without ``engine`` the events of all hosts count."""
        filters = {
            name: [fill_text(text, variables) for text in as_texts(wanted)]
            for name, wanted in (probe.value.get("filter") or {}).items()
        }
        request = {"engine": probe.value.get("engine", ""), "filter": filters}
        return make("events", request, place=Place.RECORD)

    def document(self, value: Any, ask: Ask) -> Any:
        """Takes what was recorded, {"host", "event"} each, or docker's events alone."""
        request = request_of(ask)
        found = []
        for row in value[-_RECORDED_MOST:] if isinstance(value, list) else ():
            if not isinstance(row, dict):
                continue
            host, event = (row.get("host"), row["event"]) if "event" in row else (row.get("engine"), row)
            host = host if isinstance(host, str) else ""
            if isinstance(event, dict) and _passes(event, host, request):
                found.append((event, host))
        return [{**bounded(event, items=EVENT_ITEMS_MOST), "engine": host} for event, host in found[-EVENTS_MOST:]]

    def show(self, ask: Ask) -> str:
        request = request_of(ask)
        if of_cluster(request):
            return "kubectl get events --sort-by=.lastTimestamp"
        filters = [
            f" --filter {shlex.quote(f'{name}={text}')}"
            for name, texts in request.get("filter", {}).items()
            for text in texts
        ]
        return on(request.get("engine"), f"docker events --since 1h --until 0s{''.join(filters)}")


def of_cluster(value: Mapping[str, Any]) -> bool:
    """Whether a probe's value asks for what happened in the cluster."""
    filters = value.get("filter")
    wanted = filters.get("type") if isinstance(filters, Mapping) else None
    return OF_CLUSTER in (wanted if isinstance(wanted, list) else [wanted])


def _passes(event: Mapping[str, Any], host: str, request: Mapping[str, Any]) -> bool:
    if event.get("Type") == OF_CLUSTER and not of_cluster(request):
        return False
    if request.get("engine") and host and host != request["engine"]:
        return False
    filters = request.get("filter", {})
    return all(any(_fits(event, name, text) for text in texts) for name, texts in filters.items())


def _fits(event: Mapping[str, Any], name: str, wanted: str) -> bool:
    if name == "type":
        return bool(event.get("Type") == wanted)
    if name == "action":
        return bool(event.get("Action") == wanted)
    if name in ATTRIBUTES:
        return bool(_attribute(event, name) == wanted)
    if name == "event":  # exec_create: sh -c … is an exec_create
        action = event.get("Action")
        return isinstance(action, str) and wanted in (action, action.partition(":")[0])
    if name == "image" and event.get("Type") == "container":
        return _attribute(event, "image") == wanted
    if event.get("Type") != name:
        return False
    actor = event.get("Actor")
    identifier = actor.get("ID") if isinstance(actor, Mapping) else None
    by_id = isinstance(identifier, str) and len(wanted) >= _ID_LEAST and identifier.startswith(wanted)
    return by_id or wanted in (identifier, _attribute(event, "name"))


def _attribute(event: Mapping[str, Any], name: str) -> Any:
    actor = event.get("Actor")
    attributes = actor.get("Attributes") if isinstance(actor, Mapping) else None
    return attributes.get(name) if isinstance(attributes, Mapping) else None
