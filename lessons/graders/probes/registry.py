"""probe ``registry``: what the lab's registry holds under a name, or null.

{repository: shop, reference: "1"}     a tag or a digest; latest unless it is written
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ask, ExerciseSpec, ProbeSpec
from lessons.graders.evidence import list_of, mapping_of, text_of
from lessons.graders.fields import Fault
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.probes.asking import engine_of, make, name_faults, object_faults, on, request_of
from lessons.graders.variables import fill_text

HOST = "registry.naru:5000"
_EXAMPLE = 'registry: {repository: shop, reference: "1"}'
_REPOSITORY = re.compile(r"(?:[a-z0-9._-]|/|\{\{[^{}]+\}\})+")
_REFERENCE = re.compile(r"sha256:[0-9a-f]{64}|(?:[A-Za-z0-9_.-]|\{\{[^{}]+\}\})+")


class Registry(AskProbe):
    FIELDS = frozenset({"repository", "reference", "engine"})

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        names = name_faults(value.get("repository"), "repository", _EXAMPLE)
        if not names and not _REPOSITORY.fullmatch(str(value["repository"])):
            fix = f"{HOST}와 태그를 뺀 이름만 적어 주세요. 예: {_EXAMPLE}"
            names = [Fault("repository", "저장소의 이름이 아니에요.", fix)]
        if "reference" in value:
            faults = name_faults(value["reference"], "reference", _EXAMPLE)
            if not faults and not _REFERENCE.fullmatch(str(value["reference"])):
                faults = [Fault("reference", "태그도 다이제스트도 아니에요.", '"1.0"이나 "sha256:…"처럼 적어 주세요.')]
            names += faults
        return found + names

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        request = {
            "repository": fill_text(str(probe.value["repository"]), variables),
            "reference": fill_text(str(probe.value.get("reference", "latest")), variables),
            "engine": engine_of(probe.value, exercise),
        }
        return make("registry", request)

    def document(self, value: Any, ask: Ask) -> Any:
        found = mapping_of(value)
        if found is None:
            return None
        manifest = mapping_of(found.get("manifest")) or {}
        return {
            "digest": text_of(found.get("digest")),
            "config": text_of((mapping_of(manifest.get("config")) or {}).get("digest")),
            "image": mapping_of(found.get("config")),
            "layers": list_of(found.get("layers")),
            "manifest": manifest,
        }

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        if document is not None:
            return Told()
        return Told(
            instead=f"레지스트리에 {_name(request_of(ask))} 이미지가 없어요. "
            "이름을 제대로 붙여 `docker push`로 올렸는지 살펴보세요."
        )

    def show(self, ask: Ask) -> str:
        request = request_of(ask)
        accept = "-H 'Accept: application/vnd.docker.distribution.manifest.v2+json'"
        url = f"http://{HOST}/v2/{request['repository']}/manifests/{request['reference']}"
        return on(request.get("engine"), f"curl -i {accept} {url}")


def _name(request: Mapping[str, Any]) -> str:
    reference = str(request["reference"])
    return f"{HOST}/{request['repository']}{'@' if ':' in reference else ':'}{reference}"
