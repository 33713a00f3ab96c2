"""probe ``http``: what an address answers, from the lab itself or from inside a container or Pod.

{url, from: lab | container NAME | pod NAME, method, headers, body, times, every_ms, seconds, engine}
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ask, ExerciseSpec, ProbeSpec
from lessons.graders.evidence import list_of, mapping_of, number_of, text_of, whole_of
from lessons.graders.fields import Fault, text_faults
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.probes.asking import (
    GRACE_SECONDS,
    engine_of,
    make,
    number_faults,
    object_faults,
    on,
    request_of,
)
from lessons.graders.variables import fill_text

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TIMES_MOST = 200
EVERY_MOST = 5_000
SECONDS_MOST = 30.0
ALL_MOST = 120.0  # seconds of one probe
HEADERS_MOST = 20
_EXAMPLE = 'http: {url: "http://localhost:8080/"}'
_URL = re.compile(r"http://[^\s/]+(?:/\S*)?")
# The lab itself goes by that name in a request, so that no container can; and no container's name has a space.
_FROM = re.compile(
    r"lab|container\s+(?!lab\Z)(?P<container>(?:[A-Za-z0-9_.-]|\{\{[^{}]+\}\})+)"
    r"|pod\s+(?P<pod>(?:(?:[a-z0-9-]|\{\{[^{}]+\}\})+/)?(?:[a-z0-9.-]|\{\{[^{}]+\}\})+)"
)
_IN_CLUSTER = re.compile(r"http://[^/:]*\.svc(?:\.cluster\.local)?(?:[:/]|\Z)")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_DEFAULT_SECONDS = 3.0


class Http(AskProbe):
    FIELDS = frozenset({"url", "from", "method", "headers", "body", "times", "every_ms", "seconds", "engine"})

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        found += target_faults(value)
        if "body" in value:
            found += text_faults(value["body"], "body")
        bounds = (
            ("times", 1, TIMES_MOST, True),
            ("every_ms", 0, EVERY_MOST, True),
            ("seconds", 0.1, SECONDS_MOST, False),
        )
        for name, least, most, whole in bounds:
            if name in value:
                found += number_faults(value[name], name, least, most, whole=whole)
        if not found and _all_seconds(value) > ALL_MOST:
            fix = f"times, every_ms, seconds를 줄여 모두 {ALL_MOST:g}초 안에 끝나게 해 주세요."
            found.append(Fault("times", "다 물어보는 데 너무 오래 걸려요.", fix))
        return found

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        value = probe.value
        request = {
            **target_of(value, variables),
            "engine": engine_of(value, exercise),
            "body": fill_text(str(value.get("body", "")), variables),
            "times": value.get("times", 1),
            "every_ms": value.get("every_ms", 0),
            "seconds": float(value.get("seconds", _DEFAULT_SECONDS)),
        }
        return make("http", request, seconds=_all_seconds(value) + GRACE_SECONDS)

    def document(self, value: Any, ask: Ask) -> Any:
        found = mapping_of(value) or {}
        answers = [
            {
                "status": whole_of(row.get("status")),
                "body": text_of(row.get("body")),
                "ms": number_of(row.get("ms")),
            }
            for row in list_of(found.get("answers"))
            if isinstance(row, dict)
        ]
        failed = whole_of(found.get("failed"))
        times = request_of(ask).get("times", 1)
        return {
            "answers": answers,
            "failed": failed if failed is not None else max(0, times - len(answers)),
            "distinct": list(dict.fromkeys(row["body"] for row in answers)),
        }

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        if document["answers"]:
            return Told()
        request = request_of(ask)
        look = "컨테이너가 떠 있고 포트가 맞는지 살펴보세요."
        if request["from"].startswith("pod ") or _IN_CLUSTER.match(request["url"]):
            look = "Service가 있는지, 준비된 Pod로 이어지는지 살펴보세요."
        return Told(instead=f"아직 {request['url']} 주소에서 대답이 없어요. {look}")

    def show(self, ask: Ask) -> str:
        request = request_of(ask)
        return on(request.get("engine"), command_of(request))


def target_faults(value: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with url, from, method and headers."""
    found = []
    if not isinstance(value.get("url"), str) or not _URL.fullmatch(value["url"]) or len(value["url"]) > 2000:
        found.append(Fault("url", "http://로 시작하는 주소가 와야 해요.", f"{_EXAMPLE}처럼 적어 주세요."))
    source = value.get("from", "lab")
    if not isinstance(source, str) or not _FROM.fullmatch(source):
        fix = "from: lab, from: container web, from: pod client 가운데 하나처럼 적어 주세요."
        found.append(Fault("from", "어디에서 물어볼지 알 수 없어요.", fix))
    if "method" in value and value["method"] not in METHODS:
        found.append(Fault("method", "모르는 방식이에요.", f"{', '.join(METHODS)} 가운데 하나를 적어 주세요."))
    return found + _header_faults(value.get("headers", {}))


def target_of(value: Mapping[str, Any], variables: Mapping[str, int | str]) -> dict[str, Any]:
    """url, from, method and headers as a tool takes them, with what was drawn."""
    source = _FROM.fullmatch(fill_text(str(value.get("from", "lab")), variables))
    place = "lab"
    if source and source["container"]:
        place = source["container"]
    elif source and source["pod"]:
        place = f"pod {source['pod']}"
    return {
        "url": fill_text(str(value["url"]), variables),
        "from": place,
        "method": value.get("method", "GET"),
        "headers": {str(name): fill_text(str(text), variables) for name, text in (value.get("headers") or {}).items()},
    }


def command_of(request: Mapping[str, Any]) -> str:
    """The command with which a learner asks the same."""
    source = request.get("from", "lab")
    if source == "lab":
        words = ["curl", "-i"]
        if request["method"] == "HEAD":
            words = ["curl", "-I"]
        elif request["method"] != "GET":
            words += ["-X", request["method"]]
        for name, text in request.get("headers", {}).items():
            words += ["-H", f"{name}: {text}"]
        if request.get("body"):
            words += ["-d", request["body"]]
        return shlex.join([*words, request["url"]])
    fetch = ["wget", "-qO-", request["url"]]
    if not source.startswith("pod "):  # most images have no curl; the network is the container's all the same
        return shlex.join(["docker", "run", "--rm", "--network", f"container:{source}", "busybox:1.37", *fetch])
    namespace, _, name = source.removeprefix("pod ").rpartition("/")
    inside = ["-n", namespace] if namespace else []
    return shlex.join(["kubectl", "exec", *inside, name, "--", *fetch])


def _header_faults(value: Any) -> list[Fault]:
    if not isinstance(value, Mapping) or len(value) > HEADERS_MOST:
        return [Fault("headers", f"{HEADERS_MOST}개까지의 {{이름: 값}} 묶음이 와야 해요.", "headers: {Host: shop}")]
    found = []
    for name, text in value.items():
        if not _HEADER.fullmatch(str(name)):
            found.append(Fault(f"headers.{name}", "머리말의 이름이 아니에요.", "영문자와 붙임표로 적어 주세요."))
        found += text_faults(text, f"headers.{name}")
        if "\n" in str(text) or "\r" in str(text):
            found.append(Fault(f"headers.{name}", "줄을 바꿀 수 없어요.", "한 줄로 적어 주세요."))
    return found


def _all_seconds(value: Mapping[str, Any]) -> float:
    """What all requests of a probe take at most: with every_ms they start so far apart, else one waits for the other.

    The lab stops asking at the end of that time; what was not asked by then has failed.
    """
    one, times, every = float(value.get("seconds", _DEFAULT_SECONDS)), value.get("times", 1), value.get("every_ms", 0)
    return one + (times - 1) * every / 1000 if every else min(one * times, ALL_MOST)
