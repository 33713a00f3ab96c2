"""probe ``docker``: what ``docker inspect`` says of one object, or null where there is none.

{object: container | image | network | volume, name: …, engine: …}
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ask, ExerciseSpec, ProbeSpec
from lessons.graders.evidence import mapping_of
from lessons.graders.fields import Fault
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.particles import particle
from lessons.graders.probes.asking import engine_of, make, name_faults, object_faults, on, request_of
from lessons.graders.variables import fill_text

OBJECTS = {"container": "컨테이너", "image": "이미지", "network": "네트워크", "volume": "볼륨"}
_COMMANDS = {"container": "docker inspect"}
_NAME = re.compile(r"(?:[A-Za-z0-9_.:/@-]|\{\{[^{}]+\}\})+")
_EXAMPLE = "docker: {object: container, name: web}"
_LISTS = {"container": "docker ps -a", "image": "docker images", "network": "docker network ls"}


class Docker(AskProbe):
    FIELDS = frozenset({"object", "name", "engine"})

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        if value.get("object") not in OBJECTS:
            found.append(
                Fault("object", "무엇을 볼지 알 수 없어요.", f"{', '.join(OBJECTS)} 가운데 하나를 적어 주세요.")
            )
        names = name_faults(value.get("name"), "name", _EXAMPLE)
        if not names and not _NAME.fullmatch(str(value["name"])):
            names = [Fault("name", "Docker의 이름이 아니에요.", "영문자, 숫자, . _ : / @ - 만 써서 적어 주세요.")]
        return found + names

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        value = probe.value
        name = fill_text(str(value["name"]), variables)
        return make("docker", {"object": value["object"], "name": name, "engine": engine_of(value, exercise)})

    def document(self, value: Any, ask: Ask) -> Any:
        return mapping_of(value)

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        if document is not None:
            return Told()
        request = request_of(ask)
        name, kind = request["name"], OBJECTS[request["object"]]
        look = on(request.get("engine"), _LISTS.get(request["object"], "docker volume ls"))
        where = f"{request['engine']}에 " if request.get("engine") else ""
        subject = f"{where}{name} {kind}"
        return Told(instead=f"{subject}{particle(kind, '이(가)')} 없어요. `{look}` 명령으로 무엇이 있는지 살펴보세요.")

    def show(self, ask: Ask) -> str:
        request = request_of(ask)
        command = _COMMANDS.get(request["object"], f"docker {request['object']} inspect")
        return on(request.get("engine"), f"{command} {shlex.quote(request['name'])}")
