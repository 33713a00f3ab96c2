"""exercise.yaml and the files beside it: what is read, and how each fault is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lessons.content import Catalogue, ContentError, exercise_hash, parse_exercise, read_catalogue
from lessons.content.catalogue import Bounds
from lessons.contracts import Kind, Limits, VarSpec, Verdict
from tests.content.build import EXERCISE, FILES, QUIZ, QUIZ_FILES

CATALOGUE = Catalogue({"python": {"memory_mb": Bounds(32, 1024)}, "small": {"memory_mb": Bounds(8, 64)}})
HANGUL = re.compile("[가-힣]")


def problems_of(files, **options):
    with pytest.raises(ContentError) as caught:
        parse_exercise("sum", files, **options)
    return caught.value.problems


def changed(old: str, new: str, text: str = EXERCISE) -> dict[str, str]:
    assert old in text
    return {**FILES, "exercise.yaml": text.replace(old, new, 1)}


def test_exercise_is_read_as_written():
    spec = parse_exercise("sum", FILES, catalogue=CATALOGUE)
    assert (spec.kind, spec.title, spec.environment) == (Kind.RUN, "두 수의 합", "python")
    assert spec.editable == ("main.py",)
    assert spec.limits == Limits(seconds=5.0, memory_mb=128)
    assert spec.vars == (VarSpec("a", "int", 1, 99), VarSpec("b", "int", 1, 99))
    assert [(probe.id, list(probe.value), probe.hidden) for probe in spec.probes] == [
        ("small", ["python3", "main.py"], False),
        ("drawn", ["python3", "main.py"], True),
    ]
    assert [(check.id, check.type, check.weight) for check in spec.checks] == [
        ("adds", "text", 1.0),
        ("any", "text", 2.0),
        ("clean", "query", 1.0),
    ]
    assert [(hint.after, hint.when) for hint in spec.hints] == [(1, ""), (None, "adds")]
    assert spec.solution_after == 3
    assert spec.wrong[0].check == "any"
    assert spec.wrong[0].verdict == Verdict.FAIL


def test_quiz_is_read_as_checks():
    spec = parse_exercise("quiz", QUIZ_FILES)
    assert spec.kind == Kind.QUIZ
    assert [(check.id, check.type, check.title) for check in spec.checks] == [
        ("what", "choice", "실행 중인 것은 무엇인가요?"),
        ("word", "short", "쌍점 뒤는 뭐라고 하나요?"),
        ("steps", "order", "순서대로 놓아 보세요."),
    ]
    assert spec.checks[0].message == "이미지를 실행하면 컨테이너가 돼요."
    assert set(spec.solution) == {"answer.yaml"}


def test_exercise_with_only_what_is_required_gets_defaults():
    files = {
        "exercise.yaml": "title: 짧게\nkind: run\nprobes: [{run: [python3, main.py]}]\n"
        "checks: [{type: text, equals: hi}]\n",
        "prompt.md": "출력하세요.\n",
        "starter/main.py": "",
    }
    spec = parse_exercise("short", files, catalogue=CATALOGUE)
    assert (spec.environment, spec.editable, spec.limits) == ("python", ("main.py",), Limits())
    assert (spec.probes[0].id, spec.checks[0].id, spec.checks[0].title) == ("probe1", "check1", "check1")
    assert spec.checks[0].probe == "probe1"
    assert (spec.solution_after, spec.hints, spec.wrong) == (None, (), ())


def test_words_that_other_yaml_takes_for_something_else_stay_texts():
    spec = parse_exercise("sum", changed('equals: "7\\n"', "equals: no"))
    assert spec.checks[0].fields["equals"] == "no"
    spec = parse_exercise("sum", changed('stdin: "3 4\\n"', "stdin: 8080:80"))
    assert spec.probes[0].stdin == "8080:80"
    assert parse_exercise("sum", changed("hidden: true", "hidden: yes")).probes[1].hidden is True


FAULTS = [
    # (what is replaced, by what, line, field, part of the message)
    ("title: 두 수의 합", "titel: 두 수의 합", 1, "titel", "모르는"),
    ("title: 두 수의 합", "title: ''", 1, "title", "비어"),
    ("title: 두 수의 합", "title: [a]", 1, "title", "글이"),
    ("title: 두 수의 합", f"title: {'가' * 201}", 1, "title", "길어요"),
    ("kind: run", "kind: lab", 8, "probes[0].run", "kind: run에서만"),
    ("kind: run", "kind: game", 2, "kind", "쓸 수 없"),
    ("environment: python", "environment: cobol", 3, "environment", "환경이 없어요"),
    ("editable: [main.py]", "editable: [other.py]", 4, "editable[0]", "other.py"),
    ("editable: [main.py]", "editable: []", 4, "editable", "하나도"),
    ("editable: [main.py]", "editable: [main.py, main.py]", 4, "editable", "두 번"),
    ("editable: [main.py]", "editable: [../x]", 4, "editable[0]", "밖으로"),
    ("memory_mb: 128", "memory_mb: 4096", 5, "limits.memory_mb", "범위"),
    ("memory_mb: 128", "memory_mb: 64.5", 5, "limits.memory_mb", "정수"),
    ("memory_mb: 128", "memory: 128", 5, "limits.memory", "모르는"),
    ("seconds: 5", "seconds: -1", 5, "limits.seconds", "범위"),
    ("a: {int: [1, 99]}", "a: {int: [99, 1]}", 6, "vars.a.int", "범위"),
    ("a: {int: [1, 99]}", "a: {int: 3}", 6, "vars.a.int", "범위"),
    ("a: {int: [1, 99]}", "a: {choice: []}", 6, "vars.a.choice", "목록"),
    ("a: {int: [1, 99]}", "a: {choice: [{b: c}]}", 6, "vars.a.choice", "글이나"),
    ("a: {int: [1, 99]}", "a: {word: 1000}", 6, "vars.a.word", "범위"),
    ("a: {int: [1, 99]}", "a: {int: [1, 2], word: 3}", 6, "vars.a", "가운데"),
    ("a: {int: [1, 99]}", "a-b: {int: [1, 2]}, a: {int: [1, 2]}", 6, "vars.a-b", "이름"),
    ("id: small,", "id: 'a b',", 8, "probes[0].id", "id로"),
    ("id: drawn", "id: small", 9, "probes[1].id", "이미"),
    ('run: ["python3", "main.py"], stdin: "3', 'run: python3 main.py, stdin: "3', 8, "probes[0].run", ""),
    ('run: ["python3", "main.py"], stdin: "3', 'stdin: "3', 8, "probes[0]", "실행할지"),
    ('run: ["python3", "main.py"], stdin: "3', 'exec: [ls], stdin: "3', 8, "probes[0].exec", "kind: lab에서만"),
    (
        'run: ["python3", "main.py"], stdin: "3',
        'kubernetes: {kind: Pod, name: a}, stdin: "3',
        8,
        "probes[0].kubernetes",
        "kind: lab",
    ),
    (
        'run: ["python3", "main.py"], stdin: "3',
        'traffic: {since: setup}, stdin: "3',
        8,
        "probes[0].traffic",
        "kind: lab",
    ),
    (
        'run: ["python3", "main.py"], stdin: "3',
        'build: {context: /root}, stdin: "3',
        8,
        "probes[0].build.context",
        "빌드",
    ),
    ("hidden: true", "hidden: true, undo: [[ls]]", 9, "probes[1].undo", "되돌릴"),
    ("hidden: true", "hidden: maybe", 9, "probes[1].hidden", "true"),
    ("hidden: true", "hiden: true", 9, "probes[1].hiden", "모르는"),
    ("hidden: true", "environment: cobol", 9, "probes[1].environment", "환경이 없어요"),
    ("hidden: true", "collect: [/etc/passwd]", 9, "probes[1].collect[0]", "절대"),
    ("hidden: true", "files: {../x: a}", 9, "probes[1].files.../x", "밖으로"),
    ("{{a}} {{b}}", "{{a}} {{c}}", 9, "probes[1].stdin", "{{c}}"),
    ("id: any", "id: adds", 12, "checks[1].id", "이미"),
    ("probe: drawn", "probe: nothing", 12, "checks[1].probe", "nothing"),
    ("probe: drawn, ", "", 12, "checks[1].probe", "프로브"),
    ("type: query", "type: magic", 13, "checks[2].type", "모르는"),
    ("type: query", "type: script", 13, "checks[2].program", "프로그램이 없어요"),
    ("query: exit_code, equals: 0", "query: exit_code, equals: 0, program: x", 13, "checks[2].program", "모르는"),
    ("weight: 2", "weight: 0", 12, "checks[1].weight", "범위"),
    ("weight: 2", "weight: true", 12, "checks[1].weight", "수가"),
    ("weight: 2", "wieght: 2", 12, "checks[1].wieght", "모르는"),
    ("weight: 2", "within: 5", 12, "checks[1].within", "lab에서만"),
    ("weight: 2", "latch: true", 12, "checks[1].latch", "lab에서만"),
    ("weight: 2", "expect_from: x.py", 12, "checks[1].expect_from", "x.py"),
    ('"a + b"', '"a + c"', 12, "checks[1].numbers_from", ""),
    ('"a + b"', '"__import__(1)"', 12, "checks[1].numbers_from", ""),
    ('equals: "7\\n"', "matches: '('", 11, "checks[0].matches", "정규식"),
    ('equals: "7\\n"', 'contains: "{{zz}}"', 11, "checks[0].contains", "{{zz}}"),
    ("query: exit_code", "query: '['", 13, "checks[2].query", "질의"),
    (
        "query: exit_code, equals: 0",
        "query: exit_code, equals: {probe: gone, query: a}",
        13,
        "checks[2].equals.probe",
        "gone",
    ),
    ("when: adds", "when: nothing", 14, "hints[1].when", "쓸 수 없"),
    ("when: adds", "when: adds, after: 2", 14, "hints[1].after", "함께"),
    ("text: 더해 보세요.", "texte: 더해 보세요.", 14, "hints[0].texte", "모르는"),
    ("solution_after: 3", "solution_after: soon", 15, "solution_after", "정수"),
    ("solution_after: 3", "baseline: [a]", 15, "baseline", "쓰지 않는"),
    ("solution_after: 3", "setup: [[ls]]", 15, "setup", "쓰지 않는"),
    ("solution_after: 3", "solution_after: 3\ntitle: 또", 16, "title", "두 번"),
    ("solution_after: 3", "solution_after: [", 16, "yaml", "문법"),
    ("solution_after: 3", "solution_after: !!python/object:os.system x", 15, "yaml", "태그"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), FAULTS, ids=[f[1][:40] for f in FAULTS])
def test_exercise_fault_names_line_field_and_fix(old, new, line, field, words):
    problems = problems_of(changed(old, new), catalogue=CATALOGUE)
    told = [(p.file, p.line, p.field) for p in problems]
    assert ("exercise.yaml", line, field) in told
    problem = problems[told.index(("exercise.yaml", line, field))]
    assert words in problem.message
    assert HANGUL.search(problem.message)
    assert problem.fix
    assert str(problem) == f"exercise.yaml:{line}: {field}: {problem.message} {problem.fix}"


QUIZ_FAULTS = [
    ("type: choice", "type: guess", 5, "questions[0].type", "쓸 수 없"),
    ("correct: true", "correct: maybe", 7, "questions[0].options[1].correct", "true"),
    (", correct: true", "", 7, "questions[0].options", "맞는"),
    ("{text: 이미지}", "{txt: 이미지}", 7, "questions[0].options[0].txt", "모르는"),
    ("id: word", "id: what", 9, "questions[1].id", "이미"),
    ("/tags?/", "/(/", 9, "questions[1].accept[1]", "정규식"),
    ("prompt: 쌍점 뒤는 뭐라고 하나요?, ", "", 9, "questions[1].prompt", "비어"),
    ("kind: quiz", "kind: quiz\nchecks: [{id: a}]", 3, "checks", "quiz"),
    ("kind: quiz", "kind: quiz\nquestions: []", 4, "questions", "두 번"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), QUIZ_FAULTS, ids=[f[1][:40] for f in QUIZ_FAULTS])
def test_quiz_fault_names_line_field_and_fix(old, new, line, field, words):
    files = {**QUIZ_FILES, "exercise.yaml": QUIZ.replace(old, new, 1)}
    problems = problems_of(files)
    told = {(p.file, p.line, p.field): p for p in problems}
    assert ("exercise.yaml", line, field) in told
    assert words in told["exercise.yaml", line, field].message


ANSWERS = [
    ("what: [컨테이너]", "what: [없는 보기]", 1, "what[0]", "보기에"),
    ("word: 태그", "wort: 태그", 2, "wort", "모르는"),
    ("steps: [build, push, run]", "steps: [build, push]", 3, "steps", "빠졌거나"),
    ("steps: [build, push, run]", "steps: {a: b}", 3, "steps", "글이"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), ANSWERS)
def test_quiz_answer_must_name_questions_and_options(old, new, line, field, words):
    answer = QUIZ_FILES["solution/answer.yaml"].replace(old, new)
    problem = problems_of({**QUIZ_FILES, "solution/answer.yaml": answer})[0]
    assert (problem.file, problem.line, problem.field) == ("solution/answer.yaml", line, field)
    assert words in problem.message


FILE_FAULTS = [
    ({"exercise.yaml": None}, "exercise.yaml", None, "file", "없어요"),
    ({"exercise.yaml": "- a\n"}, "exercise.yaml", 1, "yaml", "묶음"),
    ({"exercise.yaml": ""}, "exercise.yaml", 1, "title", "비어"),
    ({"prompt.md": None}, "prompt.md", None, "file", "비어"),
    ({"prompt.md": "본문\n\n![](images/a.svg)\n"}, "prompt.md", 3, "image", "설명"),
    ({"notes.txt": "x"}, "notes.txt", None, "file", "둘 수 없는"),
    ({"starter/a b.py": "x"}, "starter/a b.py", None, "file", "이름"),
    ({"starter/../../x": "x"}, "starter/../../x", None, "file", "밖으로"),
    ({"starter/big.py": "x" * 65_537}, "starter/big.py", None, "file", "64 KB"),
    ({f"starter/f{i}.py": "" for i in range(20)}, "starter/", None, "file", "20개"),
    ({"starter/nul.py": "\0"}, "starter/nul.py", None, "file", "NUL"),
    ({"solution/other.py": "x"}, "solution/other.py", None, "file", "고칠 수 없는"),
    ({"wrong/x.py": "x"}, "wrong/x.py", None, "file", "폴더만"),
    ({"wrong/constant/expect.yaml": None}, "wrong/constant/expect.yaml", None, "check", "없어요"),
    ({"wrong/constant/main.py": None}, "wrong/constant/expect.yaml", None, "file", "하나도"),
    ({"wrong/constant/expect.yaml": "check: zzz\n"}, "wrong/constant/expect.yaml", 1, "check", "쓸 수 없"),
    ({"wrong/constant/expect.yaml": "message: 글\n"}, "wrong/constant/expect.yaml", 1, "check", "꼭"),
    (
        {"wrong/constant/expect.yaml": "check: any\nverdict: pass\n"},
        "wrong/constant/expect.yaml",
        2,
        "verdict",
        "쓸 수",
    ),
    ({"wrong/constant/expect.yaml": "check: any\nwhat: 1\n"}, "wrong/constant/expect.yaml", 2, "what", "모르는"),
]


@pytest.mark.parametrize(("changes", "file", "line", "field", "words"), FILE_FAULTS)
def test_file_fault_names_file_and_field(changes, file, line, field, words):
    files = {path: text for path, text in {**FILES, **changes}.items() if text is not None}
    found = {(p.file, p.line, p.field): p for p in problems_of(files, catalogue=CATALOGUE)}
    assert (file, line, field) in found
    assert words in found[file, line, field].message


def test_all_problems_are_told_at_once():
    text = EXERCISE.replace("title: 두 수의 합", "titel: x").replace("probe: drawn", "probe: zz")
    fields = {p.field for p in problems_of({**FILES, "exercise.yaml": text, "prompt.md": ""})}
    assert {"title", "titel", "checks[1].probe", "file"} <= fields


def test_limit_verdict_needs_no_check():
    spec = parse_exercise("sum", {**FILES, "wrong/constant/expect.yaml": "verdict: memory_limit\n"})
    assert (spec.wrong[0].check, spec.wrong[0].verdict) == ("", Verdict.MEMORY_LIMIT)


def test_read_only_files_may_lie_in_an_answer_unchanged():
    files = {**FILES, "starter/data.txt": "1\n", "solution/data.txt": "1\n"}
    assert set(parse_exercise("sum", files).solution) == {"main.py"}
    problem = problems_of({**files, "solution/data.txt": "2\n"})[0]
    assert problem.file == "solution/data.txt"


def test_limits_are_bounded_by_every_environment_of_the_exercise():
    problem = problems_of(changed("hidden: true", "environment: small"), catalogue=CATALOGUE)[0]
    assert (problem.field, problem.line) == ("limits.memory_mb", 5)
    assert "64" in problem.fix


def test_go_templates_are_no_variables():
    spec = parse_exercise("sum", changed('"main.py"], stdin: "3', '"{{.State.Running}}"], stdin: "3'))
    assert spec.probes[0].value[1] == "{{.State.Running}}"


def test_slug_grammar_is_checked():
    with pytest.raises(ContentError) as caught:
        parse_exercise("Bad_Slug", FILES)
    assert caught.value.problems[0].field == "slug"


def test_dockerfile_check_needs_its_file():
    text = EXERCISE.replace('type: text, probe: small, equals: "7\\n"', "type: dockerfile, instruction: FROM")
    problem = problems_of({**FILES, "exercise.yaml": text})[0]
    assert (problem.line, problem.field) == (11, "checks[0].file")


def test_hash_depends_on_names_and_texts_only():
    assert exercise_hash(FILES) == exercise_hash(dict(reversed(FILES.items())))
    assert exercise_hash({"ab": "c"}) != exercise_hash({"a": "bc"})


def test_catalogue_of_the_project_is_read():
    catalogue = read_catalogue(Path(__file__).parents[2] / "labs" / "catalogue.yaml")
    assert "python" in catalogue.environments
    assert catalogue.bounds(["python"])["memory_mb"].most >= 128


@pytest.mark.parametrize("text", ["", "[]", "environments: 3", "environments: {a: {limits: {seconds: 3}}}"])
def test_broken_catalogue_is_told(tmp_path, text):
    path = tmp_path / "catalogue.yaml"
    path.write_text(text)
    with pytest.raises(ContentError) as caught:
        read_catalogue(path)
    assert caught.value.problems[0].file == "catalogue.yaml"


def test_missing_catalogue_is_told(tmp_path):
    with pytest.raises(ContentError):
        read_catalogue(tmp_path / "none.yaml")
