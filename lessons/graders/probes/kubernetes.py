"""probe ``kubernetes``: an object of the lab's cluster or null, or the list of those that a label selector matches.

{kind: Deployment, name: shop | selector: app=shop, namespace: default}     an empty selector matches all
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ask, ExerciseSpec, ProbeSpec
from lessons.graders.asking import is_plain_path
from lessons.graders.evidence import LARGE_ITEMS_MOST, bounded, list_of
from lessons.graders.fields import Fault, as_text
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.particles import particle
from lessons.graders.probes.asking import make, name_faults, object_faults, request_of
from lessons.graders.variables import fill_text

NAMESPACE, EVERYWHERE = "default", "*"
_EXAMPLE = "kubernetes: {kind: Deployment, name: shop}"
_SELECTORS = "kubernetes: {kind: Pod, selector: app=shop}"
_PLACE = r"\{\{[^{}]+\}\}"
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[a-z0-9]+)*")  # Deployment, or Deployment.apps
_NAME = re.compile(rf"(?:[a-z0-9.:-]|{_PLACE})+")
_SELECTOR = re.compile(rf"(?:[A-Za-z0-9_./=!,() -]|{_PLACE})*")
_FAULTS = {
    "kind": (_KIND, "오브젝트의 종류가 아니에요.", "Deployment나 Pod처럼 적어 주세요."),
    "name": (_NAME, "Kubernetes의 이름이 아니에요.", "영문 소문자, 숫자, - . 만 써서 적어 주세요."),
    "namespace": (_NAME, "네임스페이스의 이름이 아니에요.", "영문 소문자, 숫자, - 만 써서 적어 주세요."),
}


class Kubernetes(AskProbe):
    FIELDS = frozenset({"kind", "name", "selector", "namespace"})

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        found += _word_faults(value, "kind")
        if ("name" in value) == ("selector" in value):
            fix = f"{_EXAMPLE}이나 {_SELECTORS}처럼 적어 주세요."
            found.append(Fault("", "name과 selector 가운데 하나만 있어야 해요.", fix))
        elif "name" in value:
            found += _word_faults(value, "name")
        elif as_text(value["selector"]) is None or not _SELECTOR.fullmatch(str(value["selector"])):
            fix = 'selector: "app=shop,tier=front"처럼 적어 주세요. 모두면 ""예요.'
            found.append(Fault("selector", "이름표를 고르는 글이 아니에요.", fix))
        if value.get("namespace") == EVERYWHERE:
            if "name" in value:
                fix = "네임스페이스 하나를 적거나 name 대신 selector를 적어 주세요."
                found.append(Fault("namespace", "이름 하나는 모든 네임스페이스에서 찾을 수 없어요.", fix))
        elif "namespace" in value:
            found += _word_faults(value, "namespace")
        return found

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        request = {name: fill_text(str(probe.value[name]), variables) for name in self.FIELDS if name in probe.value}
        return make("kubernetes", {"namespace": NAMESPACE, **request}, empty=("selector",))

    def document(self, value: Any, ask: Ask) -> Any:
        if "selector" in request_of(ask):
            return [row for row in list_of(value, items=LARGE_ITEMS_MOST) if isinstance(row, dict)]
        return bounded(value, items=LARGE_ITEMS_MOST) if isinstance(value, Mapping) else None

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        request = request_of(ask)
        subject, kind = _subject(request), request["kind"]
        if not document:
            look = f"`{_get(request)}` 명령으로 무엇이 있는지 살펴보세요."
            return Told(instead=f"{subject}{particle(kind, '이(가)')} 없어요. {look}")
        place = f"의 `{looked_at}` 자리에" if is_plain_path(looked_at) else "에서"
        value = f"`{looked_at}` 값" if is_plain_path(looked_at) else "찾는 값"
        return Told(
            differs=f"{subject}{place} 바란 값은 {{expected}}인데 지금은 {{found}}(으)로 되어 있어요.",
            lacks=f"{subject}에 {value}이 아직 없어요. `{self.show(ask)}` 명령으로 살펴보세요.",
        )

    def show(self, ask: Ask) -> str:
        request = request_of(ask)
        name = f" {shlex.quote(request['name'])}" if "name" in request else ""
        return f"{_get(request, name)} -o yaml"


def _word_faults(value: Mapping[str, Any], field: str) -> list[Fault]:
    found = name_faults(value.get(field), field, _EXAMPLE)
    pattern, message, fix = _FAULTS[field]
    if not found and not pattern.fullmatch(str(value[field])):
        found = [Fault(field, message, fix)]
    return found


def _subject(request: Mapping[str, Any]) -> str:
    namespace = request["namespace"]
    where = f"{namespace} 네임스페이스의 " if namespace not in (NAMESPACE, EVERYWHERE) else ""
    if "name" in request:
        return f"{where}이름이 {request['name']}인 {request['kind']}"
    return (
        f"{where}이름표가 {request['selector']}인 {request['kind']}"
        if request["selector"]
        else f"{where}{request['kind']}"
    )


def _get(request: Mapping[str, Any], name: str = "") -> str:
    """The command as typed; the namespace that kubectl takes by itself is not written."""
    command = f"kubectl get {shlex.quote(str(request['kind']).lower())}{name}"
    if request["namespace"] == EVERYWHERE:
        command += " -A"
    elif request["namespace"] != NAMESPACE:
        command += f" -n {shlex.quote(request['namespace'])}"
    return f"{command} -l {shlex.quote(request['selector'])}" if request.get("selector") else command
