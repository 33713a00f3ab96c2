"""One exercise folder -> ExerciseSpec: the strict schema of exercise.yaml and of the files beside it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from lessons.content import answers, quiz, rules
from lessons.content.catalogue import Catalogue
from lessons.content.errors import ContentError, Problems
from lessons.content.pages import render_markdown
from lessons.content.probing import read_checks, read_probes, read_questions, read_vars
from lessons.content.reader import Reader
from lessons.content.yamlfile import read_yaml
from lessons.contracts import CheckSpec, ExerciseSpec, Hint, Kind, Limits

FILE = "exercise.yaml"
PROMPT = "prompt.md"
_FOLDERS = ("starter/", "solution/", "wrong/", "checks/")
_RUN_KEYS = ("editable", "environment", "limits", "vars", "probes", "checks")


@dataclass(frozen=True)
class _Common:
    """What every kind has."""

    slug: str
    title: str
    prompt: str


def exercise_hash(files: Mapping[str, str]) -> str:
    """A hash of names and texts, whatever their order: equal exactly when the exercise is the same."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def parse_exercise(
    slug: str,
    files: Mapping[str, str],
    *,
    catalogue: Catalogue | None = None,
    images: frozenset[str] | None = None,
) -> ExerciseSpec:
    """The exercise in ``files`` (path in its folder -> text).

    ``catalogue`` names the environments and bounds the limits; without it any environment
    may be named. ``images`` are the pictures that the prompt may show; None: not checked.
    Raises ContentError with every problem, files named relative to the exercise's folder.
    """
    problems = Problems()
    if fault := rules.slug_fault(slug):
        problems.add(FILE, None, "slug", fault, "문제 폴더의 이름을 바꿔 주세요.")
    _check_paths(files, problems)
    prompt = _prompt(files, problems, images)
    if FILE not in files:
        problems.add(
            FILE, None, "file", "exercise.yaml이 없어요.", "title, kind, checks를 적은 exercise.yaml을 만들어 주세요."
        )
        raise ContentError(problems.found)
    document = read_yaml(FILE, files[FILE], problems)
    if document is None:
        raise ContentError(problems.found)
    reader = Reader(document, problems)
    common = _Common(slug, reader.text("title", required=True, most=rules.TITLE_LENGTH).strip(), prompt)
    kind = reader.word("kind", [kind.value for kind in Kind], required=True)
    if kind == Kind.LAB:
        reader.problem("kind", "이 판의 포털은 run과 quiz만 실행해요.", "kind를 run이나 quiz로 바꿔 주세요.")
    elif kind == Kind.QUIZ:
        spec = _quiz(common, files, reader)
    elif kind == Kind.RUN:
        spec = _run(common, files, reader, catalogue)
    else:
        reader.asked |= {*_RUN_KEYS, "questions", "hints", "solution_after", *rules.LATER_EXERCISE}
        reader.finish()
    problems.raise_any()
    return spec


def _check_paths(files: Mapping[str, str], problems: Problems) -> None:
    for path, text in files.items():
        if fault := rules.path_fault(path):
            problems.add(path[: rules.PATH_LENGTH], None, "file", fault, "파일 이름을 바꿔 주세요.")
        elif path not in (FILE, PROMPT) and not path.startswith(_FOLDERS):
            fix = "exercise.yaml, prompt.md, starter/, solution/, wrong/, checks/ 가운데 한 곳에 두거나 빼 주세요."
            problems.add(path, None, "file", "문제 폴더에 둘 수 없는 파일이에요.", fix)
        if "\0" in text:
            problems.add(path, None, "file", "NUL 문자가 들어 있어요.", "글 파일로 다시 저장해 주세요.")


def _prompt(files: Mapping[str, str], problems: Problems, images: frozenset[str] | None) -> str:
    prompt = files.get(PROMPT, "")
    if not prompt.strip():
        problems.add(PROMPT, None, "file", "prompt.md가 없거나 비어 있어요.", "학습자가 읽을 문제를 적어 주세요.")
        return ""
    try:
        render_markdown(prompt, file=PROMPT, images=images)
    except ContentError as error:
        problems.take(error)
    return prompt


def _run(common: _Common, files: Mapping[str, str], reader: Reader, catalogue: Catalogue | None) -> ExerciseSpec:
    names = frozenset(catalogue.environments) if catalogue else None
    environment = reader.text("environment", default=rules.DEFAULT_ENVIRONMENT, most=80)
    if names is not None and environment not in names:
        reader.problem(
            "environment", f"{environment} 환경이 없어요.", f"{', '.join(sorted(names))} 가운데 하나를 적어 주세요."
        )
    variables = read_vars(reader)
    probes = read_probes(reader, {spec.name for spec in variables}, names)
    used = [environment, *(probe.environment for probe in probes if probe.environment)]
    limits = _limits(reader.mapping("limits"), catalogue or Catalogue({}), used)
    starter, editable = answers.read_starter(files, reader)
    checks = read_checks(reader, probes, variables, starter)
    hints, solution_after = _hints(reader, checks)
    reader.refuse_later(rules.LATER_EXERCISE)
    reader.finish()
    return ExerciseSpec(
        slug=common.slug,
        title=common.title,
        kind=Kind.RUN,
        prompt=common.prompt,
        environment=environment,
        editable=editable,
        limits=limits,
        vars=variables,
        probes=probes,
        checks=checks,
        hints=hints,
        solution_after=solution_after,
        starter=starter,
        solution=answers.read_solution(files, reader.problems, editable, starter),
        wrong=answers.read_wrong(files, reader.problems, checks, editable, starter),
    )


def _quiz(common: _Common, files: Mapping[str, str], reader: Reader) -> ExerciseSpec:
    checks = read_questions(reader)
    hints, solution_after = _hints(reader, checks)
    for key in _RUN_KEYS:
        if reader.raw(key) is not None:
            reader.problem(key, "quiz에는 쓰지 않는 항목이에요.", f"{key} 항목을 지우거나 kind를 run으로 바꿔 주세요.")
    reader.refuse_later(rules.LATER_EXERCISE)
    reader.finish()
    for path in files:
        if path.startswith("starter/"):
            reader.problems.add(path, None, "file", "quiz에는 starter/가 없어요.", "starter/를 지워 주세요.")
    editable = (quiz.ANSWER,)
    solution = answers.read_solution(files, reader.problems, editable, {})
    wrong = answers.read_wrong(files, reader.problems, checks, editable, {})
    for prefix, given in [("solution/", solution), *((f"wrong/{case.name}/", case.files) for case in wrong)]:
        if quiz.ANSWER in given:
            quiz.check_answer(prefix + quiz.ANSWER, given[quiz.ANSWER], checks, reader.problems)
    return ExerciseSpec(
        slug=common.slug,
        title=common.title,
        kind=Kind.QUIZ,
        prompt=common.prompt,
        editable=editable,
        checks=checks,
        hints=hints,
        solution_after=solution_after,
        solution=solution,
        wrong=wrong,
    )


def _limits(reader: Reader, catalogue: Catalogue, environments: list[str]) -> Limits:
    bounds = catalogue.bounds(environments)

    def ask(name: str, *, whole: bool) -> float:
        bound = bounds[name]
        return reader.number(name, default=getattr(Limits, name), least=bound.least, most=bound.most, whole=whole)

    limits = Limits(
        seconds=float(ask("seconds", whole=False)),
        cpu_seconds=float(ask("cpu_seconds", whole=False)),
        memory_mb=math.floor(ask("memory_mb", whole=True)),
        output_kb=math.floor(ask("output_kb", whole=True)),
        processes=math.floor(ask("processes", whole=True)),
        file_kb=math.floor(ask("file_kb", whole=True)),
    )
    reader.finish()
    return limits


def _hints(reader: Reader, checks: tuple[CheckSpec, ...]) -> tuple[tuple[Hint, ...], int | None]:
    ids = [check.id for check in checks]
    hints = []
    for item in reader.items("hints", most=rules.HINTS):
        text = item.text("text", required=True)
        when = item.word("when", ids)
        if item.has("when") and item.has("after"):
            item.problem("after", "after와 when을 함께 쓸 수 없어요.", "둘 가운데 하나만 적어 주세요.")
        if not item.has("when"):
            after = int(item.number("after", default=1, least=0, most=1000, whole=True))
            hints.append(Hint(text=text, after=after))
        else:
            item.raw("after")
            hints.append(Hint(text=text, when=when))
        item.finish()
    after = int(reader.number("solution_after", default=-1, least=0, most=1000, whole=True))
    return tuple(hints), None if after < 0 else after
