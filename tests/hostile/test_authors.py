"""Course files that want out, up or on for ever: refused, soon, and nothing of them stays."""

from __future__ import annotations

import io
import stat
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons import graders
from lessons.content import ContentError, parse_exercise, read_course
from lessons.contracts import Evidence, Problem
from lessons.models import Course, Exercise, Lesson, Revision
from lessons.services.courses import import_course
from tests.content.build import COURSE, EXERCISE, FILES, LESSON, QUIZ_FILES, course_files, make_course, make_zip

pytestmark = pytest.mark.hostile

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]\n" for level in range(12)
)


def problems_of(source: Path):
    with pytest.raises(ContentError) as caught:
        read_course(source)
    return caught.value.problems


def _faults(read: Callable[[], object]) -> list[Problem]:
    """What is told about files that may also be harmless; anything but ContentError is an error."""
    try:
        read()
    except ContentError as error:
        return error.problems
    return []


def zip_with(tmp_path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    path = make_zip(tmp_path / "course.zip", course_files())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in entries:
            archive.writestr(entry, data)
    return path


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "01-start/../../out.txt", "/etc/cron.d/x", "C:\\x", "01-start\\..\\x", "a\nb", "‮gnp.md", "a//b"],
)
def test_zip_path_out_is_refused_by_name(tmp_path, name):
    problems = problems_of(zip_with(tmp_path, (name, b"x")))
    assert [problem.field for problem in problems] == ["zip"]
    assert problems[0].file.isprintable()
    assert not (tmp_path.parent / "out.txt").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_zip_link_or_device_is_refused(tmp_path, kind):
    entry = zipfile.ZipInfo("01-start/images/a.svg")
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    (problem,) = problems_of(zip_with(tmp_path, (entry, b"/etc/passwd")))
    assert problem.file == "01-start/images/a.svg"


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = zip_with(tmp_path, ("01-start/images/a.png", b"\0" * 60_000_000))
    started = time.monotonic()
    (problem,) = problems_of(path)
    assert "압축률" in problem.message
    assert time.monotonic() - started < 2


def test_zip_that_lies_about_its_sizes_is_refused(tmp_path):
    path = zip_with(tmp_path, ("01-start/images/a.png", b"\0" * 30_000_000))
    data = path.read_bytes().replace(struct.pack("<I", 30_000_000), struct.pack("<I", 1_000))
    path.write_bytes(data)
    (problem,) = problems_of(path)
    assert problem.field == "file"


def test_zip_of_100000_entries_is_refused_fast(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    path = tmp_path / "many.zip"
    path.write_bytes(buffer.getvalue())
    started = time.monotonic()
    (problem,) = problems_of(path)
    assert "많아요" in problem.message
    assert time.monotonic() - started < 1


def test_folder_of_many_files_is_refused(tmp_path):
    folder = make_course(tmp_path)
    for number in range(5_100):
        (folder / f"f{number}").touch()
    (problem,) = problems_of(folder)
    assert "많아요" in problem.message


def test_zip_entry_twice_or_locked_or_odd_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zip_with(tmp_path, ("course.yaml", b"slug: other\n"))
    assert "두 번" in problems_of(twice)[0].message
    packed = make_zip(tmp_path / "odd.zip", course_files())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("01-start/images/b.svg", b"x" * 100)
    assert "압축 방식" in problems_of(packed)[0].message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (BOMB, 5),
        ("title: !!python/object/apply:os.system [touch /tmp/naru-was-here]\n", 1),
        ("title: x\nkind: !!python/name:os.system\n", 2),
        ("title: " + "[" * 50_000, 1),
        ("title: " + "{a: " * 50_000, 1),
        ("- " * 50_000, 1),
        ("&a [*a, *a, *a]", 1),
        ("? " * 50_000, 1),
        ("a: " + "9" * 100_000, 1),
        ("{" * 100_000, 1),
        ("'" * 100_001, 1),
        ("a: b: c: " * 10_000, 1),
        ("# " + "a" * 120_000 + "\n\0", 1),
    ],
)
def test_yaml_trap_is_refused_soon_with_its_line(text, line):
    started = time.monotonic()
    with pytest.raises(ContentError) as caught:
        parse_exercise("sum", {**FILES, "exercise.yaml": text})
    assert time.monotonic() - started < 3
    assert any(p.file == "exercise.yaml" and p.line == line for p in caught.value.problems)
    assert not Path("/tmp/naru-was-here").exists()


def test_alias_is_fine_where_it_is_small():
    text = EXERCISE.replace('run: ["python3", "main.py"], stdin: "3', 'run: &argv ["python3", "main.py"], stdin: "3')
    text = text.replace('drawn, run: ["python3", "main.py"]', "drawn, run: *argv")
    assert parse_exercise("sum", {**FILES, "exercise.yaml": text}).probes[1].value[0] == "python3"


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "((a{0,100}){0,100}){0,100}"])
def test_catastrophic_pattern_is_harmless_or_refused(pattern):
    quiz = {**QUIZ_FILES, "exercise.yaml": QUIZ_FILES["exercise.yaml"].replace("/tags?/", f"'/{pattern}/'")}
    started = time.monotonic()
    refused = _faults(lambda: parse_exercise("quiz", quiz))
    if not refused:
        spec = parse_exercise("quiz", quiz)
        plan = graders.plan(spec, {"answer.yaml": f"word: {'a' * 50_000}!\n"}, 1)
        assert graders.judge(spec, plan, Evidence(runs={})).score == 0
    assert [problem.field for problem in refused] in ([], ["questions[1].accept[1]"])
    assert time.monotonic() - started < 2


def test_svg_with_a_script_is_refused_with_its_line(tmp_path):
    data = b'<svg xmlns="http://www.w3.org/2000/svg">\n<script>alert(1)</script></svg>'
    (problem,) = problems_of(make_course(tmp_path, {"01-start/images/box.svg": data}))
    assert (problem.file, problem.line) == ("01-start/images/box.svg", 2)


@pytest.mark.django_db
def test_course_with_the_slug_of_another_is_refused(tmp_path):
    import_course(source=make_course(tmp_path / "mine"))
    files = {path.replace("01-start/", "01-evil/"): data for path, data in course_files().items()}
    files["course.yaml"] = COURSE.replace("01-start", "01-evil").encode()
    with pytest.raises(ContentError) as caught:
        import_course(source=make_zip(tmp_path / "evil.zip", files))
    assert [(p.file, p.field) for p in caught.value.problems] == [("course.yaml", "slug")]
    assert list(Lesson.objects.values_list("slug", "archived")) == [("01-start", False)]
    report = import_course(source=tmp_path / "evil.zip", replace_other=True)
    assert report.added


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"01-start/lesson.md": LESSON + "\n::exercise[gone]\n"},
        {"01-start/exercises/zzz/exercise.yaml": BOMB},
        {"02-late/lesson.md": LESSON},
        {"01-start/images/z.svg": b"<svg/>"},
    ],
)
def test_nothing_is_half_imported(tmp_path, changes):
    with pytest.raises(ContentError):
        import_course(source=make_course(tmp_path, changes))
    assert [model.objects.count() for model in (Course, Lesson, Exercise, Revision)] == [0, 0, 0, 0]


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_damage_to_a_zip_is_told_or_harmless(tmp_path_factory, data):
    path = make_zip(tmp_path_factory.mktemp("zip") / "course.zip", course_files())
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) // 2, len(raw) - 5]))]))
    assert all(problem.message and problem.fix for problem in _faults(lambda: read_course(path)))


@settings(max_examples=150, deadline=None)
@given(
    line=st.integers(0, EXERCISE.count("\n") - 1),
    text=st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            ["{{a}}", "- {}", "  - null", "vars: []", "checks: {a: b}", "probes: 3", "hints: [1]", "limits: x"]
        ),
    ),
)
def test_any_line_in_an_exercise_is_told_or_harmless(line, text):
    lines = EXERCISE.splitlines()
    lines[line] = text
    files = {**FILES, "exercise.yaml": "\n".join(lines)}
    assert all(problem.message and problem.fix for problem in _faults(lambda: parse_exercise("sum", files)))
