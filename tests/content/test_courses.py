"""A whole course from a folder or zip, and how its faults are told."""

from __future__ import annotations

import os
import re

import pytest

from lessons.content import ContentError, read_course
from tests.content.build import COURSE, EXERCISE, LESSON, SVG, course_files, make_course, make_zip, png

HANGUL = re.compile("[가-힣]")
SUM = "01-start/exercises/sum/"


def changed(old: str, new: str) -> str:
    """The lesson with a part replaced."""
    return LESSON.replace(old, new)


def problems_of(source):
    with pytest.raises(ContentError) as caught:
        read_course(source)
    return caught.value.problems


def test_course_is_read_from_a_folder(tmp_path):
    course = read_course(make_course(tmp_path))
    assert (course.slug, course.title, course.summary) == ("first", "첫 과정", "소개")
    (lesson,) = course.lessons
    assert (lesson.slug, lesson.title, lesson.minutes) == ("01-start", "Docker 첫걸음", 12)
    assert lesson.objectives == ("컨테이너가 무엇인지 말할 수 있어요.",)
    assert lesson.body.startswith("## 시작\n")
    assert lesson.images == {"box.svg": SVG}
    assert [exercise.slug for exercise in lesson.exercises] == ["sum"]
    assert lesson.exercises[0].files["exercise.yaml"] == EXERCISE
    assert lesson.exercises[0].spec.title == "두 수의 합"


@pytest.mark.parametrize("top", ["", "course-main/"])
def test_zip_gives_the_same_course_as_the_folder(tmp_path, top):
    folder = make_course(tmp_path / "folder")
    packed = make_zip(tmp_path / "course.zip", course_files(), top)
    assert read_course(packed) == read_course(folder)


def test_what_editors_leave_behind_is_passed_over(tmp_path):
    folder = make_course(
        tmp_path, {".git/config": "x", "01-start/.DS_Store": "x", "README.md": "x", f"{SUM}prompt.md~": "x"}
    )
    assert set(read_course(folder).lessons[0].exercises[0].files) >= {"exercise.yaml"}
    assert not any("~" in path for path in read_course(folder).lessons[0].exercises[0].files)


def test_exercises_come_in_the_order_of_the_page(tmp_path):
    files = {path: data for path, data in course_files().items() if path.startswith(SUM)}
    extra = {path.replace("/sum/", f"/{name}/"): data for path, data in files.items() for name in ("add", "zoo")}
    lesson = LESSON + "\n::exercise[zoo]\n"
    course = read_course(make_course(tmp_path, {**extra, "01-start/lesson.md": lesson}))
    assert [exercise.slug for exercise in course.lessons[0].exercises] == ["sum", "zoo", "add"]


def test_windows_line_ends_are_read(tmp_path):
    course = read_course(make_course(tmp_path, {"01-start/lesson.md": changed("\n", "\r\n")}))
    assert course.lessons[0].title == "Docker 첫걸음"


FAULTS = [
    # (changes, file, line, field, part of the message)
    ({"course.yaml": None}, "course.yaml", None, "file", "없어요"),
    ({"course.yaml": COURSE.replace("first", "admin")}, "course.yaml", 1, "slug", "포털"),
    ({"course.yaml": COURSE.replace("first", "Bad Slug")}, "course.yaml", 1, "slug", "소문자"),
    ({"course.yaml": COURSE.replace("first", "a" * 81)}, "course.yaml", 1, "slug", "80자"),
    ({"course.yaml": COURSE.replace("slug: first\n", "")}, "course.yaml", 1, "slug", "꼭"),
    ({"course.yaml": COURSE + "levels: 3\n"}, "course.yaml", 5, "levels", "모르는"),
    ({"course.yaml": COURSE.replace("[01-start]", "[01-start, 02-gone]")}, "course.yaml", 4, "lessons[1]", "없어요"),
    ({"course.yaml": COURSE.replace("[01-start]", "[01-start, 01-start]")}, "course.yaml", 4, "lessons[1]", "두 번"),
    ({"course.yaml": COURSE.replace("[01-start]", "[../x]")}, "course.yaml", 4, "lessons[0]", "소문자"),
    ({"course.yaml": COURSE.replace("[01-start]", "[]")}, "course.yaml", 4, "lessons", "1개"),
    ({"course.yaml": COURSE.replace("[01-start]", "[exercises]")}, "course.yaml", 4, "lessons[0]", "포털"),
    ({"course.yaml": b"\xff\xfe"}, "course.yaml", 1, "file", "UTF-8"),
    ({"course.yaml": "slug: a\ntitle: [\n"}, "course.yaml", 3, "yaml", "문법"),
    ({"02-other/lesson.md": LESSON}, "02-other/lesson.md", None, "lessons", "lessons에 없는"),
    ({"stray.txt": "x"}, "stray.txt", None, "file", "둘 수 없는"),
    ({"01-start/stray.txt": "x"}, "01-start/stray.txt", None, "file", "둘 수 없는"),
    ({"01-start/exercises/stray": "x"}, "01-start/exercises/stray", None, "file", "폴더만"),
    ({"01-start/lesson.md": "## 글만\n"}, "01-start/lesson.md", 1, "title", "머리말"),
    ({"01-start/lesson.md": changed("minutes: 12", "minutes: 0")}, "01-start/lesson.md", 4, "minutes", "범위"),
    ({"01-start/lesson.md": changed("minutes", "minute")}, "01-start/lesson.md", 4, "minute", "모르는"),
    ({"01-start/lesson.md": changed("[컨", "[[],컨")}, "01-start/lesson.md", 5, "objectives", "목"),
    ({"01-start/lesson.md": changed("title: Docker 첫걸음", "title: '")}, "01-start/lesson.md", 5, "yaml", "문법"),
    ({"01-start/lesson.md": changed("[sum]", "[gone]")}, "01-start/lesson.md", 13, "exercise", "gone"),
    ({"01-start/lesson.md": changed("[sum]", "[su")}, "01-start/lesson.md", 13, "exercise", "꼴"),
    ({"01-start/lesson.md": LESSON + "\n::exercise[sum]\n"}, "01-start/lesson.md", 13, "exercise", "두 번"),
    ({"01-start/lesson.md": changed("box", "none")}, "01-start/lesson.md", 11, "image", "없어요"),
    ({"01-start/lesson.md": changed("상자", "")}, "01-start/lesson.md", 11, "image", "설명"),
    ({"01-start/lesson.md": changed("images/box.svg", "//x.example/a")}, "01-start/lesson.md", 11, "image", "images/"),
    ({"01-start/lesson.md": changed("## 시작", "# 시작")}, "01-start/lesson.md", 7, "body", "##"),
    ({"01-start/images/box.svg": b"not an svg"}, "01-start/images/box.svg", 1, "image", "SVG"),
    ({"01-start/images/a.gif": b"GIF89a"}, "01-start/images/a.gif", None, "image", "이름"),
    ({"01-start/images/a.png": b"GIF89a"}, "01-start/images/a.png", None, "image", "PNG"),
    ({f"{SUM}exercise.yaml": EXERCISE.replace("kind", "knd")}, f"{SUM}exercise.yaml", 2, "knd", "모르는"),
    ({f"{SUM}prompt.md": "![그림](images/gone.svg)"}, f"{SUM}prompt.md", 1, "image", "없어요"),
    ({f"{SUM}starter/main.py": b"ok\n\xff"}, f"{SUM}starter/main.py", 2, "file", "UTF-8"),
    ({"01-start/exercises/B/exercise.yaml": EXERCISE}, "01-start/exercises/B/exercise.yaml", None, "slug", "소문자"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "file", "line", "field", "words"), FAULTS)
def test_course_fault_names_file_line_field_and_fix(tmp_path, changes, file, line, field, words):
    found = {(p.file, p.line, p.field): p for p in problems_of(make_course(tmp_path, changes))}
    assert (file, line, field) in found
    problem = found[file, line, field]
    assert words in problem.message
    assert HANGUL.search(problem.message)
    assert problem.fix


def test_exercise_slug_is_unique_in_its_course(tmp_path):
    files = {path.replace("01-start", "02-next"): data for path, data in course_files().items() if "/" in path}
    course = COURSE.replace("[01-start]", "[01-start, 02-next]")
    problems = problems_of(make_course(tmp_path, {**files, "course.yaml": course}))
    assert [(p.file, p.field) for p in problems] == [("02-next/exercises/sum/exercise.yaml", "slug")]
    assert "01-start" in problems[0].message


def test_problems_of_all_files_are_told_at_once(tmp_path):
    changes = {
        "course.yaml": COURSE + "x: 1\n",
        "01-start/lesson.md": changed("minutes: 12", "minutes: a"),
        f"{SUM}exercise.yaml": EXERCISE.replace("type: query", "type: magic"),
        "01-start/images/a.png": b"",
    }
    files = {problem.file for problem in problems_of(make_course(tmp_path, changes))}
    assert files == {"course.yaml", "01-start/lesson.md", f"{SUM}exercise.yaml", "01-start/images/a.png"}


def test_links_and_special_files_are_refused_and_never_followed(tmp_path):
    folder = make_course(tmp_path / "course")
    secret = tmp_path / "secret"
    secret.write_text("비밀")
    (folder / "01-start/images/secret.svg").symlink_to(secret)
    (folder / "02-dir").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    problems = problems_of(folder)
    assert {problem.file for problem in problems} == {"01-start/images/secret.svg", "02-dir", "pipe"}
    assert not any("비밀" in str(problem) for problem in problems)


def test_source_that_is_no_course_is_told(tmp_path):
    assert problems_of(tmp_path / "gone")[0].field == "file"
    text = tmp_path / "text.zip"
    text.write_text("no zip")
    assert "zip" in problems_of(text)[0].message


def test_picture_that_is_too_large_is_refused(tmp_path):
    problems = problems_of(make_course(tmp_path, {"01-start/images/a.png": png() + b"\0" * 2_200_000}))
    assert [problem.file for problem in problems] == ["01-start/images/a.png"]
