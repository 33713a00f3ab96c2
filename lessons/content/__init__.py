"""Course files <-> contracts: the format that authors write, checked with file, line and fix. No Django."""

from lessons.content.catalogue import Catalogue, read_catalogue
from lessons.content.courses import CourseFiles, ExerciseFiles, LessonFiles, course_faults, lesson_faults, read_course
from lessons.content.errors import ContentError
from lessons.content.exercises import exercise_hash, parse_exercise
from lessons.content.images import content_type, image_fault
from lessons.content.pages import RenderedLesson, render_lesson, render_markdown
from lessons.content.rules import RESERVED_COURSES, RESERVED_LESSONS, answer_faults, path_fault, slug_fault

__all__ = [
    "RESERVED_COURSES",
    "RESERVED_LESSONS",
    "Catalogue",
    "ContentError",
    "CourseFiles",
    "ExerciseFiles",
    "LessonFiles",
    "RenderedLesson",
    "answer_faults",
    "content_type",
    "course_faults",
    "exercise_hash",
    "image_fault",
    "lesson_faults",
    "parse_exercise",
    "path_fault",
    "read_catalogue",
    "read_course",
    "render_lesson",
    "render_markdown",
    "slug_fault",
]
