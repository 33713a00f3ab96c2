"""Import and admin's way in: all or nothing, idempotent, and nothing of anybody's work is lost."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lessons.content import ContentError, exercise_hash
from lessons.models import Course, Exercise, Lesson, Revision
from lessons.services.courses import (
    check_exercise_files,
    check_lesson,
    import_course,
    save_exercise_files,
    save_lesson,
)
from tests.content.build import COURSE, EXERCISE, FILES, LESSON, SVG, course_files, make_course
from tests.factories import make_draft, make_lab, make_learner, make_staff, make_submission

pytestmark = pytest.mark.django_db

SUM = "01-start/exercises/sum/"
NAMES = ("first", "first/01-start", "first/sum")


def second_exercise(name: str = "more") -> dict[str, bytes]:
    """The sum exercise again under another name."""
    return {path.replace("/sum/", f"/{name}/"): data for path, data in course_files().items() if path.startswith(SUM)}


def without(folder, *parts):
    """Take a folder of the course out."""
    target = folder.joinpath(*parts)
    for path in sorted(target.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    target.rmdir()


def test_import_adds_course_lesson_exercise_and_picture(tmp_path):
    report = import_course(source=make_course(tmp_path))
    assert report.added == NAMES
    assert report.unchanged == report.changed == report.kept == report.archived == report.removed == ()
    lesson = Lesson.objects.get()
    assert (lesson.title, lesson.minutes, lesson.position) == ("Docker 첫걸음", 12, 1)
    assert lesson.contents == [{"id": "s-시작", "title": "시작", "exercises": ["sum"]}]
    assert lesson.blocks[1] == {"exercise": "sum"}
    assert 'src="/first/01-start/images/box.svg"' in lesson.blocks[0]["html"]
    image = lesson.images.get()
    assert (image.name, image.content_type, bytes(image.data)) == ("box.svg", "image/svg+xml", SVG)
    exercise = Exercise.objects.get()
    assert (exercise.title, exercise.kind, exercise.position) == ("두 수의 합", "run", 1)
    assert (exercise.revision.number, exercise.revision.files) == (1, FILES)
    assert exercise.revision.content_hash == exercise_hash(FILES)
    assert "<strong>합</strong>" in exercise.revision.prompt_html


def test_import_again_changes_nothing(tmp_path):
    folder = make_course(tmp_path)
    import_course(source=folder)
    report = import_course(source=folder)
    assert report.unchanged == NAMES
    assert report.added == report.changed == ()
    assert Revision.objects.count() == 1


def test_changed_exercise_gets_a_new_revision_and_keeps_the_old(tmp_path):
    import_course(source=make_course(tmp_path))
    submission = make_submission(exercise=Exercise.objects.get())
    make_course(tmp_path, {f"{SUM}exercise.yaml": EXERCISE.replace("두 수의 합", "덧셈")})
    report = import_course(source=tmp_path)
    assert report.changed == ("first/sum",)
    exercise = Exercise.objects.get()
    assert (exercise.title, exercise.revision.number) == ("덧셈", 2)
    submission.refresh_from_db()
    assert submission.revision.number == 1
    assert submission.revision.files == FILES


def test_changed_lesson_makes_no_revision(tmp_path):
    import_course(source=make_course(tmp_path))
    make_course(tmp_path, {"01-start/lesson.md": LESSON.replace("프로세스예요", "상자예요")})
    assert import_course(source=tmp_path).changed == ("first/01-start",)
    assert "상자예요" in Lesson.objects.get().blocks[0]["html"]
    assert Revision.objects.count() == 1


def test_changed_picture_is_taken(tmp_path):
    import_course(source=make_course(tmp_path))
    make_course(tmp_path, {"01-start/images/box.svg": SVG + b"\n"})
    assert import_course(source=tmp_path).changed == ("first/01-start",)
    assert bytes(Lesson.objects.get().images.get().data) == SVG + b"\n"


def test_broken_file_changes_nothing(tmp_path):
    import_course(source=make_course(tmp_path))
    make_course(tmp_path, {"course.yaml": COURSE.replace("첫 과정", "새 과정"), f"{SUM}exercise.yaml": "kind: run\n"})
    with pytest.raises(ContentError):
        import_course(source=tmp_path)
    assert Course.objects.get().title == "첫 과정"


def test_vanished_exercise_without_work_is_removed(tmp_path):
    import_course(source=make_course(tmp_path, second_exercise()))
    without(tmp_path, "01-start", "exercises", "more")
    assert import_course(source=tmp_path).removed == ("first/more",)
    assert Exercise.objects.get().slug == "sum"


@pytest.mark.parametrize("work", ["submission", "draft", "lab"])
def test_vanished_exercise_with_work_is_archived_and_comes_back(tmp_path, work):
    import_course(source=make_course(tmp_path, second_exercise()))
    more = Exercise.objects.get(slug="more")
    if work == "draft":
        make_draft(make_learner(), more)
    elif work == "lab":
        make_lab(exercise=more)
    else:
        make_submission(exercise=more)
    without(tmp_path, "01-start", "exercises", "more")
    assert import_course(source=tmp_path).archived == ("first/more",)
    more.refresh_from_db()
    assert more.archived
    report = import_course(source=make_course(tmp_path, second_exercise()))
    assert report.changed == ("first/more",)
    more.refresh_from_db()
    assert (more.archived, more.revision.number) == (False, 1)


def test_vanished_lesson_is_archived_while_its_exercises_have_work(tmp_path):
    other = {
        path.replace("01-start", "02-next").replace("/sum/", "/more/"): data for path, data in course_files().items()
    }
    other = {path: data for path, data in other.items() if path.startswith("02-next")}
    other["02-next/lesson.md"] = LESSON.replace("[sum]", "[more]").encode()
    import_course(source=make_course(tmp_path, {**other, "course.yaml": COURSE.replace("]", ", 02-next]")}))
    make_submission(exercise=Exercise.objects.get(slug="more"))
    without(tmp_path, "02-next")
    make_course(tmp_path)
    assert import_course(source=tmp_path).archived == ("first/more", "first/02-next")
    assert Lesson.objects.get(slug="02-next").archived


def test_vanished_lesson_without_work_is_removed(tmp_path):
    changes = {"02-next/lesson.md": "---\ntitle: 다음\n---\n글\n", "course.yaml": COURSE.replace("]", ", 02-next]")}
    import_course(source=make_course(tmp_path, changes))
    without(tmp_path, "02-next")
    assert import_course(source=make_course(tmp_path)).removed == ("first/02-next",)


def test_exercise_may_move_to_another_lesson(tmp_path):
    import_course(source=make_course(tmp_path))
    make_submission(exercise=Exercise.objects.get())
    moved = {path.replace("01-start", "02-next"): data for path, data in course_files().items() if path.startswith(SUM)}
    without(tmp_path, "01-start", "exercises")
    make_course(
        tmp_path,
        {
            **{path: None for path in course_files() if path.startswith(SUM)},
            **moved,
            "01-start/lesson.md": LESSON.replace("::exercise[sum]", ""),
            "02-next/lesson.md": "---\ntitle: 다음\n---\n::exercise[sum]\n",
            "course.yaml": COURSE.replace("]", ", 02-next]"),
        },
    )
    report = import_course(source=tmp_path)
    assert "first/sum" in report.changed
    exercise = Exercise.objects.get()
    assert (exercise.lesson.slug, exercise.revision.number) == ("02-next", 1)


def test_lesson_edited_here_is_kept_and_said(tmp_path):
    import_course(source=make_course(tmp_path))
    lesson = Lesson.objects.get()
    save_lesson(lesson=lesson, title="여기서 고침", summary="", minutes=3, objectives=[], body="## 새 글\n")
    make_course(tmp_path, {"01-start/lesson.md": LESSON.replace("프로세스예요", "상자예요")})
    report = import_course(source=tmp_path)
    assert report.kept == ("first/01-start",)
    lesson.refresh_from_db()
    assert (lesson.title, lesson.contents[0]["title"]) == ("여기서 고침", "새 글")
    assert lesson.edited_at is not None


def test_exercise_edited_here_is_kept_until_the_files_say_the_same(tmp_path):
    import_course(source=make_course(tmp_path))
    exercise = Exercise.objects.get()
    edited = {**FILES, "prompt.md": "여기서 고친 문제\n"}
    save_exercise_files(exercise=exercise, files=edited, author=make_staff())
    make_course(tmp_path, {f"{SUM}prompt.md": "파일에서 고친 문제\n"})
    assert import_course(source=tmp_path).kept == ("first/sum",)
    exercise.refresh_from_db()
    assert exercise.revision.files["prompt.md"] == "여기서 고친 문제\n"
    make_course(tmp_path, {f"{SUM}prompt.md": "여기서 고친 문제\n"})
    assert import_course(source=tmp_path).kept == ()
    exercise.refresh_from_db()
    assert exercise.edited_at is None
    assert exercise.revision.number == 2


def test_row_edited_here_is_not_removed_when_it_vanishes(tmp_path):
    import_course(source=make_course(tmp_path, second_exercise()))
    Exercise.objects.filter(slug="more").update(edited_at=timezone.now())
    without(tmp_path, "01-start", "exercises", "more")
    assert import_course(source=tmp_path).kept == ("first/more",)
    assert not Exercise.objects.get(slug="more").archived


def test_course_edited_here_keeps_its_title(tmp_path):
    import_course(source=make_course(tmp_path))
    Course.objects.update(title="여기 제목", edited_at=timezone.now())
    assert import_course(source=tmp_path).kept == ("first",)
    assert Course.objects.get().title == "여기 제목"


def test_archived_course_comes_back(tmp_path):
    import_course(source=make_course(tmp_path))
    Course.objects.update(archived=True)
    assert import_course(source=tmp_path).changed == ("first",)
    assert not Course.objects.get().archived


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("title", "", None),
        ("title", "가" * 201, None),
        ("minutes", 0, None),
        ("objectives", ["a"] * 21, None),
        ("body", "## 하나\n\n::exercise[gone]\n", 3),
        ("body", "![](images/box.svg)", 1),
        ("body", "![그림](images/gone.svg)", 1),
    ],
)
def test_lesson_fault_names_the_argument(tmp_path, field, value, line):
    import_course(source=make_course(tmp_path))
    good = {"title": "글", "summary": "", "minutes": 5, "objectives": ["하나"], "body": "::exercise[sum]\n"}
    lesson = Lesson.objects.get()
    check_lesson(lesson=lesson, **good)
    with pytest.raises(ContentError) as caught:
        save_lesson(lesson=lesson, **{**good, field: value})
    assert [(p.field, p.line) for p in caught.value.problems] == [(field, line)]
    assert Lesson.objects.get().edited_at is None


def test_edited_exercise_becomes_the_next_revision_of_its_author(tmp_path):
    import_course(source=make_course(tmp_path))
    exercise, staff = Exercise.objects.get(), make_staff()
    files = {**FILES, "exercise.yaml": EXERCISE.replace("두 수의 합", "덧셈")}
    revision = save_exercise_files(exercise=exercise, files=files, author=staff)
    assert (revision.number, revision.author) == (2, staff)
    exercise.refresh_from_db()
    assert (exercise.title, exercise.revision) == ("덧셈", revision)
    assert exercise.edited_at is not None


def test_saving_the_same_files_changes_nothing(tmp_path):
    import_course(source=make_course(tmp_path))
    exercise = Exercise.objects.get()
    assert save_exercise_files(exercise=exercise, files=FILES).number == 1
    exercise.refresh_from_db()
    assert exercise.edited_at is None


def test_exercise_fault_names_its_file(tmp_path):
    import_course(source=make_course(tmp_path))
    with pytest.raises(ContentError) as caught:
        check_exercise_files(exercise=Exercise.objects.get(), files={**FILES, "prompt.md": ""})
    assert [problem.file for problem in caught.value.problems] == ["prompt.md"]


def test_command_reports_what_it_did(tmp_path):
    out = io.StringIO()
    call_command("importcourse", str(make_course(tmp_path)), stdout=out)
    assert out.getvalue().splitlines() == [
        "더함: first",
        "더함: first/01-start",
        "더함: first/sum",
        "first 과정을 들여왔어요. 그대로인 것은 0개예요.",
    ]


def test_command_names_every_problem_on_stderr(tmp_path):
    error = io.StringIO()
    make_course(tmp_path, {f"{SUM}exercise.yaml": EXERCISE.replace("title:", "titel:", 1)})
    with pytest.raises(CommandError) as caught:
        call_command("importcourse", str(tmp_path), stderr=error)
    assert caught.value.returncode == 1
    lines = error.getvalue().splitlines()
    assert lines[0].startswith(f"{SUM}exercise.yaml:1: title: 꼭 있어야")
    assert len(lines) == 2


def test_command_without_a_course_is_wrong_use(tmp_path):
    with pytest.raises(CommandError) as caught:
        call_command("importcourse", str(tmp_path / "gone"))
    assert caught.value.returncode == 2
