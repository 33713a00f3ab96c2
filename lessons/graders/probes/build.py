"""probe ``build``: an image made in a throwaway lab, run there, and made again after an edit.

    {context: answer | /path/in/the/lab, build_args, edit: {file: text}, run: argv, leaks: [texts], seconds}

``answer`` is what the learner handed in (kind run); a path is read out of the learner's lab first (kind lab).
``stdin`` beside it goes to ``run``; ``files`` are added to the context.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from lessons.contracts import Ask, Ended, ExerciseSpec, Place, ProbeSpec
from lessons.graders.evidence import list_of, mapping_of, number_of, output_of, text_of
from lessons.graders.fields import Fault, as_texts, text_faults, texts_faults
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.probes import run
from lessons.graders.probes.asking import make, number_faults, object_faults, request_of
from lessons.graders.variables import fill_text
from lessons.graders.wording import LINE_MOST, plain

ANSWER = "answer"
ENVIRONMENT = "docker"
SECONDS = 120.0
SECONDS_MOST = 300.0
GRACE_SECONDS = 10.0
CONTEXT_KB = 256
PICTURED_LAYERS = 60
_EXAMPLE = 'build: {context: answer, run: ["python3", "app.py"]}'


class Build(AskProbe):
    BESIDE = frozenset({"stdin", "files", "environment"})
    FIELDS = frozenset({"context", "build_args", "edit", "run", "leaks", "seconds"})
    DRAWN = frozenset({"layers", "rebuild", "image", "leaked"})

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        found += _context_faults(value)
        for name in ("build_args", "edit"):
            found += _texts_by_name_faults(value.get(name, {}), name)
        if "run" in value:
            faults = run.validate(value["run"])
            found += [fault._replace(field=f"run.{fault.field}".rstrip(".")) for fault in faults]
        if "leaks" in value:
            found += texts_faults(value["leaks"], "leaks")
        if "seconds" in value:
            found += number_faults(value["seconds"], "seconds", 1, SECONDS_MOST)
        return found

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        context = probe.value.get("context", ANSWER)
        if context == ANSWER:
            return _build(probe, exercise, files, variables)
        path = fill_text(context, variables).rstrip("/")
        return make("read", {"paths": [path], "most_kb": CONTEXT_KB})

    def next_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, variables: Mapping[str, int | str], ask: Ask, value: Any
    ) -> Ask | None:
        if ask.tool != "read":
            return None
        files = (mapping_of(value) or {}).get("files")
        (folder,) = request_of(ask)["paths"]
        inside = {
            path.removeprefix(f"{folder}/"): text
            for path, text in (files.items() if isinstance(files, dict) else ())
            if isinstance(text, str) and path.startswith(f"{folder}/")
        }
        return _build(probe, exercise, inside, variables)

    def document(self, value: Any, ask: Ask) -> Any:
        found = mapping_of(value) or {}
        document = _built(found)
        document["ended"] = Ended.TIME.value if found.get("ended") == Ended.TIME else Ended.EXIT.value
        again = mapping_of(found.get("rebuild"))
        document["rebuild"] = None if again is None else _built(again)
        ran = mapping_of(found.get("ran"))
        document["ran"] = None if ran is None else output_of(ran)
        document["leaked"] = [
            {"text": text_of(row.get("text")), "layer": row.get("layer"), "path": text_of(row.get("path"))}
            for row in list_of(found.get("leaked"))
            if isinstance(row, dict)
        ]
        return document

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        if document["refused"]:
            return Told(plain(document["refused"])[:1000], alone=True)
        if document["ended"] == Ended.TIME:
            seconds = request_of(ask)["seconds"]
            return Told(f"이미지를 {seconds:g}초 안에 만들지 못했어요. 오래 걸리는 줄이 있는지 살펴보세요.", alone=True)
        if not document["built"]:
            reason = _not_built(document["log"])
            return Told(instead=reason) if looked_at == "built" else Told(reason, alone=True)
        ran = document["ran"]
        if ran is not None and ran["exit_code"]:
            return Told(instead=f"컨테이너가 오류로 끝났어요(종료 코드 {ran['exit_code']}). 오류 출력을 읽어 보세요.")
        return Told()

    def show(self, ask: Ask) -> str:
        request = request_of(ask)
        folder = next(iter(request.get("paths", ())), ".")
        return f"docker build {shlex.quote(folder)}"

    def output(self, document: Any, ask: Ask) -> list[dict[str, Any]]:
        request = request_of(ask)
        log = document["log"] + (f"\n{document['refused']}\n" if document["refused"] else "")
        built = {"label": "", "command": "docker build .", "stdin": "", "stdout": log, "stderr": ""}
        rows = [{**built, "exit_code": 0 if document["built"] else 1, "ended": document["ended"]}]
        if document["ran"] is not None and request.get("run"):
            told = {name: document["ran"][name] for name in ("stdout", "stderr", "exit_code")}
            command, stdin = shlex.join(request["run"]), request.get("stdin", "")
            rows.append({"label": "run", "command": command, "stdin": stdin, **told, "ended": Ended.EXIT.value})
        return rows

    def picture(self, document: Any) -> dict[str, Any]:
        """The layers of the image, and of the one after the edit: {"layers": […], "rebuild": […]}."""
        drawn = {"layers": _drawn(document["layers"]) if document["built"] else []}
        if document["rebuild"] is not None:
            drawn["rebuild"] = _drawn(document["rebuild"]["layers"])
        return drawn if drawn["layers"] else {}


def _build(
    probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
) -> Ask:
    value = probe.value

    def filled(texts: Mapping[str, Any]) -> dict[str, str]:
        return {fill_text(str(name), variables): fill_text(str(text), variables) for name, text in texts.items()}

    seconds = float(value.get("seconds", SECONDS))
    request = {
        "files": {**files, **filled(probe.files)},
        "build_args": filled(value.get("build_args") or {}),
        "edit": filled(value.get("edit") or {}),
        "run": list(run.argv_of(value.get("run") or (), variables)),
        "stdin": fill_text(probe.stdin, variables),
        "leaks": [fill_text(text, variables) for text in as_texts(value.get("leaks") or [])],
        "seconds": seconds,
    }
    # The lab of an exercise of kind lab is one that can build; a run's environment is no lab.
    environment = probe.environment or (exercise.environment if exercise.kind == "lab" else ENVIRONMENT)
    return make("build", request, place=Place.FRESH, environment=environment, seconds=seconds + GRACE_SECONDS)


def _built(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "built": found.get("built") is True,
        "log": text_of(found.get("log")),
        "refused": text_of(found.get("refused")),
        "image": mapping_of(found.get("image")),
        "layers": [
            {
                "command": text_of(row.get("command")),
                "size": number_of(row.get("size")),
                "cached": row.get("cached") is True,
            }
            for row in list_of(found.get("layers"))
            if isinstance(row, dict)
        ],
    }


def _drawn(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    shown = layers[-PICTURED_LAYERS:]
    return [
        {**layer, "command": plain(layer["command"])[:LINE_MOST].replace("\n", " "), "size": _size(layer["size"])}
        for layer in shown
    ]


def _size(value: int | float | None) -> int:
    """Bytes that can be drawn, whatever was said."""
    return round(min(max(value or 0, 0), 10**15))


def _not_built(log: str) -> str:
    """With the line on which it stopped, which is mostly the last one that tells of an error."""
    lines = [line.strip() for line in log[-8000:].splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")
    said = f" 빌드가 남긴 말: {plain(told)[:LINE_MOST]}" if told else ""
    return f"이미지를 만들지 못했어요. 빌드 기록을 읽고 멈춘 줄을 고쳐 보세요.{said}"


def _context_faults(value: Mapping[str, Any]) -> list[Fault]:
    context = value.get("context", ANSWER)
    if context == ANSWER:
        return []
    parts = context.split("/") if isinstance(context, str) else []
    if len(parts) > 2 and parts[0] == "" and ".." not in parts and "\0" not in context and len(context) <= 300:
        return []
    fix = "학습자가 낸 파일이면 answer, 실습 안의 폴더면 /root/app처럼 적어 주세요."
    return [Fault("context", "무엇으로 빌드할지 알 수 없어요.", fix)]


def _texts_by_name_faults(value: Any, field: str) -> list[Fault]:
    if not isinstance(value, Mapping):
        return [Fault(field, "{이름: 글} 묶음이 와야 해요.", f"{field}: {{이름: 글}}처럼 적어 주세요.")]
    found = []
    for name, text in value.items():
        if not isinstance(name, str) or not name.strip() or name.startswith("/") or ".." in name.split("/"):
            found.append(Fault(f"{field}.{name}", "쓸 수 없는 이름이에요.", "폴더 안의 이름을 적어 주세요."))
        found += text_faults(text, f"{field}.{name}")
    return found
