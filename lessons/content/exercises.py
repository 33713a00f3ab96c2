"""One exercise folder -> ExerciseSpec: the strict schema of exercise.yaml and of the files beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lessons.content import answers, labs, quiz, rules
from lessons.content.catalogue import Catalogue
from lessons.content.errors import ContentError, Problems
from lessons.content.fitting import Setting
from lessons.content.pages import render_markdown
from lessons.content.parts import Common, read_environment, read_hints, read_limits, read_programs, refuse_other
from lessons.content.probes import read_probes
from lessons.content.probing import read_checks, read_questions, read_vars
from lessons.content.reader import Reader
from lessons.content.yamlfile import read_yaml
from lessons.contracts import ExerciseSpec, Kind, Limits

FILE = "exercise.yaml"
PROMPT = "prompt.md"
_FOLDERS = ("starter/", "solution/", "wrong/", "checks/")
_RUN_KEYS = ("editable", "environment", "limits", "vars", "probes", "checks")


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

    ``catalogue`` names the environments, what they have, and bounds the limits; without it any
    environment may be named. ``images`` are the pictures that the prompt may show; None: not checked.
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
    common = Common(slug, reader.text("title", required=True, most=rules.TITLE_LENGTH).strip(), prompt)
    kind = reader.word("kind", [kind.value for kind in Kind], required=True)
    if kind == Kind.LAB:
        spec = labs.read_lab(common, files, reader, catalogue)
    elif kind == Kind.QUIZ:
        spec = _quiz(common, files, reader)
    elif kind == Kind.RUN:
        spec = _run(common, files, reader, catalogue)
    else:
        reader.asked |= {*_RUN_KEYS, "questions", "hints", "solution_after", *labs.KEYS}
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


def _run(common: Common, files: Mapping[str, str], reader: Reader, catalogue: Catalogue | None) -> ExerciseSpec:
    catalogue = catalogue or Catalogue({}, checks=False)
    runs = catalogue.run_names
    environment = read_environment(reader, runs, rules.DEFAULT_ENVIRONMENT)
    variables = read_vars(reader)
    setting = Setting(
        Kind.RUN,
        environment,
        frozenset(spec.name for spec in variables),
        runs=runs,
        labs=catalogue.lab_names,
    )
    probes = read_probes(reader, setting)
    used = [environment, *(probe.environment for probe in probes if probe.type == "run" and probe.environment)]
    limits = read_limits(reader.mapping("limits"), catalogue, used, Limits())
    starter, editable = answers.read_starter(files, reader)
    programs = read_programs(files, reader)
    checks = read_checks(reader, Kind.RUN, probes, variables, starter, programs=programs)
    hints, solution_after = read_hints(reader, checks)
    refuse_other(reader, labs.KEYS, "run", "lab")
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
        programs=programs,
    )


def _quiz(common: Common, files: Mapping[str, str], reader: Reader) -> ExerciseSpec:
    checks = read_questions(reader)
    hints, solution_after = read_hints(reader, checks)
    refuse_other(reader, (*_RUN_KEYS, *labs.KEYS), "quiz", "run이나 lab")
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
