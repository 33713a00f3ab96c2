"""A whole course: course.yaml, lessons, pictures and exercises, every problem of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lessons.content import rules
from lessons.content.catalogue import Catalogue
from lessons.content.errors import ContentError, Problems
from lessons.content.exercises import parse_exercise
from lessons.content.images import image_fault
from lessons.content.pages import render_lesson
from lessons.content.reader import Reader
from lessons.content.source import read_source
from lessons.content.yamlfile import Document, read_yaml
from lessons.contracts import ExerciseSpec, Problem

COURSE = "course.yaml"
LESSON = "lesson.md"
_TOP_FILES = frozenset({COURSE, "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt"})


@dataclass(frozen=True)
class ExerciseFiles:
    """An exercise's folder as path -> text, and what it says."""

    slug: str
    files: Mapping[str, str]
    spec: ExerciseSpec


@dataclass(frozen=True)
class LessonFiles:
    """A lesson. ``body`` is Markdown without front matter; ``images`` are checked bytes by name."""

    slug: str
    title: str
    summary: str
    minutes: int
    objectives: tuple[str, ...]
    body: str
    images: Mapping[str, bytes]
    exercises: tuple[ExerciseFiles, ...]


@dataclass(frozen=True)
class CourseFiles:
    """A course, validated as a whole."""

    slug: str
    title: str
    summary: str
    lessons: tuple[LessonFiles, ...]


def read_course(source: Path, *, catalogue: Catalogue | None = None) -> CourseFiles:
    """The course in a folder or .zip. Raises ContentError with every problem of every file."""
    return _Course(read_source(source), catalogue).read()


@dataclass
class _Course:
    tree: Mapping[str, bytes]
    catalogue: Catalogue | None
    problems: Problems = field(default_factory=Problems)
    exercise_lesson: dict[str, str] = field(default_factory=dict)  # exercise slug -> its lesson

    def read(self) -> CourseFiles:
        text = self._text(COURSE, "slug, title, lessons를 적은 course.yaml을 과정 폴더 바로 아래에 두세요.")
        document = None if text is None else read_yaml(COURSE, text, self.problems)
        if document is None:
            raise ContentError(self.problems.found)
        reader = Reader(document, self.problems)
        slug, title, summary = _read_about(reader)
        names = self._lesson_names(reader)
        reader.finish()
        self._check_top(names)
        lessons = tuple(self._lesson(name) for name in names)
        self.problems.raise_any()
        return CourseFiles(slug, title, summary, lessons)

    def _text(self, path: str, fix: str) -> str | None:
        """A file as text, or a problem and None."""
        data = self.tree.get(path)
        if data is None:
            self.problems.add(path, None, "file", "파일이 없어요.", fix)
            return None
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.problems.add(path, line, "file", "UTF-8 글이 아니에요.", "UTF-8로 저장하거나 파일을 빼 주세요.")
            return None
        if len(data) > rules.MARKDOWN_BYTES:
            self.problems.add(
                path, None, "file", f"파일이 {rules.MARKDOWN_BYTES // rules.KB} KB보다 커요.", "파일을 줄여 주세요."
            )
            return None
        return text

    def _lesson_names(self, reader: Reader) -> tuple[str, ...]:
        names = reader.texts("lessons", required=True, most=rules.LESSONS)
        for index, name in enumerate(names):
            if fault := rules.slug_fault(name, rules.RESERVED_LESSONS):
                reader.problem("lessons", fault, "단원 폴더와 이 이름을 함께 바꿔 주세요.", index)
            elif f"{name}/{LESSON}" not in self.tree:
                fix = f"{name}/{LESSON} 파일을 만들거나 목록에서 지워 주세요."
                reader.problem("lessons", f"{name}/{LESSON} 파일이 없어요.", fix, index)
            elif name in names[:index]:
                reader.problem("lessons", f"{name} 단원을 두 번 적었어요.", "하나를 지워 주세요.", index)
        known = dict.fromkeys(name for name in names if not rules.slug_fault(name) and f"{name}/{LESSON}" in self.tree)
        return tuple(known)

    def _check_top(self, names: tuple[str, ...]) -> None:
        for path in self.tree:
            top, _, rest = path.partition("/")
            if not rest and top not in _TOP_FILES:
                self.problems.add(
                    path, None, "file", "과정 폴더에 둘 수 없는 파일이에요.", "단원 폴더 안으로 옮기거나 빼 주세요."
                )
            elif rest == LESSON and top not in names:
                self.problems.add(
                    path,
                    None,
                    "lessons",
                    "course.yaml의 lessons에 없는 단원이에요.",
                    "lessons에 적거나 폴더를 빼 주세요.",
                )

    def _lesson(self, name: str) -> LessonFiles:
        prefix = f"{name}/"
        inside = {path.removeprefix(prefix): data for path, data in self.tree.items() if path.startswith(prefix)}
        images = self._images(name, inside)
        exercises = self._exercises(name, inside, frozenset(images))
        text = self._text(prefix + LESSON, "단원의 글을 적어 주세요.") or ""
        for path in inside:
            if path not in (LESSON, "README.md") and not path.startswith(("images/", "exercises/")):
                fix = "images/나 exercises/ 안에 두거나 빼 주세요."
                self.problems.add(prefix + path, None, "file", "단원 폴더에 둘 수 없는 파일이에요.", fix)
        slugs = {path.split("/")[1] for path in inside if path.startswith("exercises/")}
        return self._page(name, text, images, exercises, slugs)

    def _page(
        self,
        name: str,
        text: str,
        images: dict[str, bytes],
        exercises: tuple[ExerciseFiles, ...],
        slugs: set[str],
    ) -> LessonFiles:
        file = f"{name}/{LESSON}"
        front, body, body_line = split_front_matter(text)
        document = read_yaml(file, front, self.problems, lines_above=1) if front is not None else None
        if front is None:
            fix = "첫 줄에 ---, 그 아래에 title과 summary, 그다음 줄에 ---를 적어 주세요."
            self.problems.add(file, 1, "title", "머리말(front matter)이 없어요.", fix)
        reader = Reader(document or Document(file, {"title": name}, {}), self.problems)
        about = _read_front(reader)
        order: list[str] = []
        try:
            rendered = render_lesson(body, images=images, exercises=slugs, file=file, first_line=body_line)
            order = [block["exercise"] for block in rendered.blocks if "exercise" in block]
        except ContentError as error:
            self.problems.take(error)
        # The order on the page; what is nowhere on it comes last.
        exercises = tuple(sorted(exercises, key=lambda e: order.index(e.slug) if e.slug in order else len(order)))
        return LessonFiles(
            slug=name,
            title=about.title,
            summary=about.summary,
            minutes=about.minutes,
            objectives=about.objectives,
            body=body,
            images=images,
            exercises=exercises,
        )

    def _images(self, name: str, inside: Mapping[str, bytes]) -> dict[str, bytes]:
        images = {}
        for path, data in inside.items():
            if not path.startswith("images/"):
                continue
            image = path.removeprefix("images/")
            if fault := image_fault(image, data):
                line, message, fix = fault
                self.problems.add(f"{name}/{path}", line, "image", message, fix)
            images[image] = data
        return images

    def _exercises(self, name: str, inside: Mapping[str, bytes], images: frozenset[str]) -> tuple[ExerciseFiles, ...]:
        folders: dict[str, dict[str, str]] = {}
        for path in sorted(inside):
            if not path.startswith("exercises/"):
                continue
            _, slug, *rest = path.split("/", 2)
            if not rest:
                fix = "exercises/<문제 이름>/ 안으로 옮기거나 빼 주세요."
                self.problems.add(f"{name}/{path}", None, "file", "exercises/ 바로 아래에는 폴더만 둘 수 있어요.", fix)
                continue
            folder = folders.setdefault(slug, {})
            text = self._text(f"{name}/{path}", "")
            if text is not None:
                folder[rest[0]] = text
        if len(folders) > rules.EXERCISES:
            self.problems.add(
                f"{name}/exercises", None, "file", f"문제가 {rules.EXERCISES}개보다 많아요.", "단원을 나눠 주세요."
            )
            return ()
        found = (self._exercise(name, slug, files, images) for slug, files in folders.items())
        return tuple(exercise for exercise in found if exercise)

    def _exercise(self, name: str, slug: str, files: dict[str, str], images: frozenset[str]) -> ExerciseFiles | None:
        prefix = f"{name}/exercises/{slug}/"
        if slug in self.exercise_lesson:
            message = f"{slug} 문제가 {self.exercise_lesson[slug]} 단원에도 있어요."
            self.problems.add(prefix + "exercise.yaml", None, "slug", message, "문제 폴더의 이름을 바꿔 주세요.")
        self.exercise_lesson.setdefault(slug, name)
        try:
            return ExerciseFiles(slug, files, parse_exercise(slug, files, catalogue=self.catalogue, images=images))
        except ContentError as error:
            self.problems.take(error, prefix=prefix)
            return None


def split_front_matter(text: str) -> tuple[str | None, str, int]:
    """(front matter or None, body, line on which the body begins)."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        return None, text, 1
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "\n".join(lines[1:index]), "\n".join(lines[index + 1 :]), index + 2
    return None, text, 1


def course_faults(*, slug: str, title: str, summary: str, file: str = COURSE) -> list[Problem]:
    """What is wrong with a course's own fields, given as values rather than YAML."""
    problems = Problems()
    reader = Reader(Document(file, {"slug": slug, "title": title, "summary": summary}, {}), problems)
    _read_about(reader)
    reader.finish()
    return [replace(problem, line=None) for problem in problems.found]


def _read_about(reader: Reader) -> tuple[str, str, str]:
    """A course's slug, title and summary."""
    slug = reader.text("slug", required=True)
    if slug and (fault := rules.slug_fault(slug, rules.RESERVED_COURSES)):
        reader.problem("slug", fault, "다른 이름을 적어 주세요.")
    return slug, reader.text("title", required=True, most=rules.TITLE_LENGTH).strip(), reader.text("summary")


def lesson_faults(
    *, title: str, summary: str, minutes: int, objectives: Sequence[str], file: str = LESSON
) -> list[Problem]:
    """What is wrong with a lesson's front matter, given as values rather than YAML."""
    problems = Problems()
    values = {"title": title, "summary": summary, "minutes": minutes, "objectives": list(objectives)}
    _read_front(Reader(Document(file, values, {}), problems))
    return [replace(problem, line=None) for problem in problems.found]


@dataclass(frozen=True)
class _Front:
    """A lesson's front matter."""

    title: str
    summary: str
    minutes: int
    objectives: tuple[str, ...]


def _read_front(reader: Reader) -> _Front:
    front = _Front(
        title=reader.text("title", required=True, most=rules.TITLE_LENGTH).strip(),
        summary=reader.text("summary"),
        minutes=int(reader.number("minutes", default=10, least=1, most=600, whole=True)),
        objectives=reader.texts("objectives", most=20),
    )
    reader.finish()
    return front
