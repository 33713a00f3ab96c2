"""What the documents say of the code is so: variables, types, commands, links."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lessons import content, graders
from lessons.content import rules
from lessons.contracts import Evidence, Grade, Verdict
from lessons.graders import registry

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
AUTHORING = (ROOT / "docs" / "authoring.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
VARIABLE = re.compile(r"NARU_[A-Z_]+")
ROW = re.compile(r"^\| `(NARU_[A-Z_]+)` \| (.*?) \|", re.MULTILINE)


def settings_calls() -> dict[str, list[ast.expr]]:
    """name -> the arguments after it, of every ``env.*("NARU_…")`` in portal/settings.py."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "portal" / "settings.py").read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.args[0].value
            if isinstance(name, str) and VARIABLE.fullmatch(name):
                found[name] = node.args[1:]
    return found


def other_variables() -> set[str]:
    """What the two commands and docker compose read besides the settings."""
    sources = [ROOT / "bin" / "start", ROOT / "docker-compose.yml", *(ROOT / "bin" / "_naru").glob("*.py")]
    names = {name for source in sources for name in VARIABLE.findall(source.read_text())}
    return {name for name in names if not name.startswith("NARU_TEST_")} - {"NARU_"}


def test_every_variable_that_is_read_stands_in_the_readme():
    assert set(settings_calls()) | other_variables() == {name for name, _ in ROW.findall(README)}


def test_plain_defaults_in_the_readme_are_those_of_the_settings():
    shown = dict(ROW.findall(README))
    compared = 0
    for name, arguments in settings_calls().items():
        default = arguments[0] if arguments else None
        if isinstance(default, ast.Constant) and isinstance(default.value, str | int):
            value = default.value
            text = str(int(value)) if isinstance(value, bool) else str(value)
            assert shown[name] == f"`{text}`", name
            compared += 1
    assert compared >= 8


@pytest.mark.parametrize("name", [*registry.CHECKS, *registry.QUESTIONS, *registry.PROBES])
def test_every_type_is_told_to_authors(name: str):
    assert f"`{name}`" in AUTHORING


def test_every_field_of_a_type_is_told_to_authors():
    kinds = [*registry.CHECKS.values(), *registry.QUESTIONS.values()]
    probes = [*registry.ASK_PROBES.values()]
    named = set(re.findall(r"`([a-z_]+)(?:: true)?`", AUTHORING))
    assert {field for kind in [*kinds, *probes] for field in kind.FIELDS} <= named


@pytest.mark.parametrize("name", rules.LIMITS)
def test_every_limit_is_told_to_authors(name: str):
    assert f"| `{name}` |" in AUTHORING


def test_the_examples_for_authors_are_taken():
    course, run, lab, quiz, answer, expect = re.findall(r"^```yaml\n(.*?)^```", AUTHORING, re.MULTILINE | re.DOTALL)
    prompt = {"prompt.md": "읽고 풀어 보세요."}
    wrong = {"wrong/adds-one/main.py": "print(8)\n", "wrong/adds-one/expect.yaml": expect}
    catalogue = content.read_catalogue(ROOT / "labs" / "catalogue.yaml")
    files = {"exercise.yaml": run, "starter/main.py": "", **prompt, **wrong}
    assert content.parse_exercise("sum", files, catalogue=catalogue).wrong[0].check == "adds"
    asked = content.parse_exercise("portability", {"exercise.yaml": lab, **prompt}, catalogue=catalogue)
    assert set(graders.watch_plan(asked, 1).asks) == {"old", "on_laptop", "on_server"}
    asked = content.parse_exercise("look", {"exercise.yaml": quiz, **prompt})
    grade = graders.judge(asked, graders.plan(asked, {"answer.yaml": answer}, seed=1), Evidence(runs={}))
    assert isinstance(grade, Grade)
    assert grade.verdict == Verdict.PASS
    assert set(yaml.safe_load(course)) == {"slug", "title", "summary", "lessons"}


def test_every_command_stands_in_the_readme():
    files = (ROOT / "lessons" / "management" / "commands").glob("[a-z]*.py")
    names = {file.stem for file in files}
    assert names
    assert {name for name in names if f"manage.py {name}" not in README} == set()


def anchors(text: str) -> set[str]:
    """The anchors that a forge makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path):
    text = re.sub(r"^(````?).*?^\1$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = document.parent / path if path else document
        assert goal.exists(), target
        if anchor:
            assert anchor in anchors(goal.read_text()), target


SIGNATURE = re.compile(
    r"^((?:content|graders|sandbox|services|queue|notify)\.[\w.]+)\((.*?)\)(?: ->|\s|$)", re.MULTILINE
)


@pytest.mark.parametrize(("name", "written"), SIGNATURE.findall((ROOT / "ARCHITECTURE.md").read_text()))
def test_every_seam_has_the_signature_that_is_told(name: str, written: str):
    parts = name.split(".")
    length = 2 if parts[0] == "services" else 1
    found: Any = importlib.import_module(".".join(["lessons", *parts[:length]]))
    for part in parts[length:]:
        found = getattr(found, part)
    told = ast.parse(f"def told({written}): pass").body[0]
    assert isinstance(told, ast.FunctionDef)
    parameters = inspect.signature(found).parameters.values()
    by_keyword = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    assert [one.arg for one in told.args.args] == [one.name for one in parameters if one.name not in by_keyword]
    assert [one.arg for one in told.args.kwonlyargs] == by_keyword
    defaults = len(told.args.defaults) + sum(default is not None for default in told.args.kw_defaults)
    assert defaults == sum(one.default is not one.empty for one in parameters)


def test_the_architecture_tells_seams():
    assert len(SIGNATURE.findall((ROOT / "ARCHITECTURE.md").read_text())) > 40
