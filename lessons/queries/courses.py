"""Courses, lessons and a learner's way through them. Every page in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext

from lessons.models import Course, Exercise, Lesson, LessonImage, Submission, User
from lessons.queries import words
from lessons.queries.exercises import add_revisions, exercise_views
from lessons.queries.progress import NO_STANDING, Standing, standings
from lessons.queries.shapes import (
    Block,
    ContentsEntry,
    CourseCard,
    ExerciseLink,
    ExerciseView,
    LearnerPage,
    LessonLink,
    LessonPage,
    RecentRow,
)
from lessons.queries.submissions import history_row, recent_of
from lessons.sandbox import Progress

RECENT_ROWS = 20


def course_cards(learner: User | None) -> tuple[CourseCard, ...]:
    """Every published course with its lessons and what this learner has done."""
    courses = list(Course.objects.published())
    return _cards(courses, learner)[0]


def course_card(course_slug: str, learner: User | None) -> CourseCard | None:
    course = Course.objects.published().filter(slug=course_slug).first()
    return _cards([course], learner)[0][0] if course else None


def lesson_page(
    course_slug: str,
    lesson_slug: str,
    *,
    learner: User | None,
    place_of: Callable[[Submission], int],
    progress_of: Callable[[str], Progress],
) -> LessonPage | None:
    """The lesson with its exercises in place; None where there is no such published lesson."""
    lesson = (
        Lesson.objects.published()
        .filter(course__slug=course_slug, slug=lesson_slug)
        .select_related("course")
        .defer("body")
        .first()
    )
    if lesson is None:
        return None
    cards, standing_of, rows = _cards([lesson.course], learner)
    card = cards[0]
    index = [link.slug for link in card.lessons].index(lesson.slug)
    here = card.lessons[index]
    exercises = rows.get(lesson.pk, [])
    for exercise in exercises:
        exercise.course, exercise.lesson = lesson.course, lesson
    add_revisions(exercises)
    views = exercise_views(exercises, learner=learner, place_of=place_of, progress_of=progress_of, known=standing_of)
    return LessonPage(
        lesson=lesson,
        course=lesson.course,
        number=here.number,
        contents=_contents(lesson, here),
        blocks=_blocks(lesson, {view.exercise.slug: view for view in views}),
        previous=card.lessons[index - 1] if index else None,
        next=card.lessons[index + 1] if index + 1 < len(card.lessons) else None,
        done=card.done,
        total=card.total,
        percent=card.percent,
        lab=next((view.lab_card.lab for view in views if view.lab_card and view.lab_card.lab), None),
    )


def lesson_image(course_slug: str, lesson_slug: str, name: str) -> LessonImage | None:
    return LessonImage.objects.filter(
        lesson__in=Lesson.objects.published().filter(course__slug=course_slug, slug=lesson_slug), name=name
    ).first()


def learner_page(learner: User) -> LearnerPage:
    """What the learner has done, course by course, and most recently."""
    courses = list(Course.objects.published())
    cards, standing_of, _rows = _cards(courses, learner)
    recent = tuple(
        RecentRow(
            exercise_title=row.exercise.title,
            exercise_url=row.exercise.get_absolute_url(),
            row=history_row(row, number=0),
        )
        for row in recent_of(learner, most=RECENT_ROWS)
    )
    return LearnerPage(
        courses=cards,
        recent=recent,
        passed=sum(card.done for card in cards),
        attempts=sum(standing.attempts for standing in standing_of.values()),
    )


def _cards(
    courses: Sequence[Course], learner: User | None
) -> tuple[tuple[CourseCard, ...], dict[int, Standing], dict[int, list[Exercise]]]:
    """The cards, with what they were made of: exercise id -> standing, lesson id -> exercises in order."""
    lessons: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in Lesson.objects.published().filter(course__in=courses).defer("body", "blocks", "contents"):
        lessons[lesson.course_id].append(lesson)
    exercises: dict[int, list[Exercise]] = defaultdict(list)
    published = Exercise.objects.published().exclude(revision=None).filter(course__in=courses)
    rows = list(published.order_by("position", "slug"))
    for exercise in rows:
        exercises[exercise.lesson_id].append(exercise)
    standing_of = standings(learner, [exercise.pk for exercise in rows])
    cards = [_card(course, lessons[course.pk], exercises, standing_of) for course in courses]
    return tuple(cards), standing_of, exercises


def _card(
    course: Course,
    lessons: Sequence[Lesson],
    exercises: Mapping[int, Sequence[Exercise]],
    standing_of: Mapping[int, Standing],
) -> CourseCard:
    links = tuple(
        _lesson_link(course, lesson, number, exercises.get(lesson.pk, ()), standing_of)
        for number, lesson in enumerate(lessons, start=1)
    )
    done = sum(link.done_count for link in links)
    total = sum(link.total for link in links)
    next_lesson = next((link for link in links if link.done_count < link.total), None)
    return CourseCard(
        course=course,
        lessons=links,
        done=done,
        total=total,
        percent=done * 100 // total if total else 0,
        next_lesson=next_lesson or (links[0] if links and not total else None),
        next_exercise=next((link for link in next_lesson.exercises if not link.done), None) if next_lesson else None,
    )


def _lesson_link(
    course: Course,
    lesson: Lesson,
    number: int,
    exercises: Sequence[Exercise],
    standing_of: Mapping[int, Standing],
) -> LessonLink:
    links = tuple(_exercise_link(course, exercise, standing_of.get(exercise.pk, NO_STANDING)) for exercise in exercises)
    return LessonLink(
        number=number,
        slug=lesson.slug,
        title=lesson.title,
        summary=lesson.summary,
        minutes=lesson.minutes,
        url=reverse("lesson", args=[course.slug, lesson.slug]),
        exercises=links,
        done_count=sum(link.done for link in links),
        total=len(links),
    )


def _exercise_link(course: Course, exercise: Exercise, standing: Standing) -> ExerciseLink:
    tone, state = ("new", gettext("아직 안 풀었어요"))
    if standing.passed:
        tone, state = ("done", gettext("통과했어요"))
    elif standing.attempts:
        tone, state = ("tried", gettext("풀고 있어요"))
    return ExerciseLink(
        slug=exercise.slug,
        title=exercise.title,
        url=reverse("exercise", args=[course.slug, exercise.slug]),
        kind=exercise.kind,
        kind_label=words.kind_label(exercise.kind),
        tone=tone,
        state=state,
    )


def _contents(lesson: Lesson, link: LessonLink) -> tuple[ContentsEntry, ...]:
    known = {exercise.slug: exercise for exercise in link.exercises}
    entries = []
    for entry in lesson.contents:
        here = [known[slug] for slug in entry.get("exercises", []) if slug in known]
        entries.append(
            ContentsEntry(
                title=entry["title"],
                url=f"#{entry['id']}",
                done=bool(here) and all(exercise.done for exercise in here),
                kind_label=here[0].kind_label if here else "",
            )
        )
    return tuple(entries)


def _blocks(lesson: Lesson, views: Mapping[str, ExerciseView]) -> tuple[Block, ...]:
    """The lesson's parts in order; an exercise that is archived by now leaves no gap."""
    blocks = []
    for block in lesson.blocks:
        if "html" in block:
            blocks.append(Block(html=mark_safe(block["html"])))  # noqa: S308  (sanitised when the lesson was saved)
        elif block.get("exercise") in views:
            blocks.append(Block(exercise=views[block["exercise"]]))
    return tuple(blocks)
