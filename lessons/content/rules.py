"""Every number and name that a course file must keep to, in one place. Sizes are bytes."""

from __future__ import annotations

import re

KB = 1024
MB = 1024 * KB

# The course as a whole (directory or zip)
COURSE_FILES = 5_000
COURSE_BYTES = 64 * MB
ZIP_BYTES = 32 * MB
ZIP_INDEX_BYTES = 2 * MB  # the list of names at the end of a zip
ZIP_RATIO = 200  # unpacked to packed, of one entry past ZIP_RATIO_FROM
ZIP_RATIO_FROM = 64 * KB
PATH_LENGTH = 240
PATH_DEPTH = 12

# Single files
YAML_BYTES = 128 * KB
YAML_DEPTH = 24
YAML_VALUES = 20_000  # with every alias written out
MARKDOWN_BYTES = 256 * KB
SVG_BYTES = 512 * KB
SVG_ELEMENTS = 20_000
SVG_DEPTH = 64
PNG_BYTES = 2 * MB
PNG_SIDE = 8_000

# An answer: starter, solution and wrong answers keep to what a learner may hand in
ANSWER_FILES = 20
ANSWER_FILE_BYTES = 64 * KB
ANSWER_BYTES = 256 * KB

# Counts inside a course
LESSONS = 200
EXERCISES = 200  # of one lesson
PROBES = 50
CHECKS = 100
VARS = 50
HINTS = 50
OPTIONS = 100
WRONG = 50
COMMANDS = 50  # of setup, of one undo
ENGINES = 3  # hosts of one lab
KEEP = 20
STREAMS = 3  # requests that go on for as long as a lab lives
WITHIN_SECONDS = 60

TITLE_LENGTH = 200
TEXT_LENGTH = 20_000
SLUG_LENGTH = 80

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")  # of probes, checks and questions
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")  # of vars: they stand in arithmetic
FILE_PART = re.compile(r"[A-Za-z0-9_.@+][A-Za-z0-9_.@+-]*")
IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.(?:svg|png)")

# First path parts that belong to the portal: a course of that name could never be opened
RESERVED_COURSES = frozenset({
    "account", "accounts", "admin", "api", "courses", "doctor", "exercises", "favicon", "favicon-ico",
    "guest", "health", "healthz", "help", "images", "login", "logout", "me", "media", "new", "password",
    "robots", "robots-txt", "search", "static", "submissions", "terminals", "theme", "ws",
})  # fmt: skip
RESERVED_LESSONS = frozenset({"edit", "exercises", "images", "new", "submissions"})

# What file managers and editors leave behind, never part of a course
IGNORED_PARTS = frozenset({".git", ".DS_Store", "Thumbs.db", "__MACOSX", "__pycache__", ".gitkeep", ".idea", ".vscode"})

# `limits`: what makes sense at all, (least, most); labs/catalogue.yaml narrows it for each environment
LIMITS: dict[str, tuple[float, float]] = {
    "seconds": (0.1, 600),
    "cpu_seconds": (0.1, 600),
    "memory_mb": (4, 65_536),
    "output_kb": (1, 65_536),
    "processes": (1, 4_096),
    "file_kb": (1, 65_536),
}
LAB_LIMITS: dict[str, tuple[float, float]] = {"seconds": (0.5, 60), "output_kb": (1, 512)}  # of what is asked there
DEFAULT_ENVIRONMENT = "python"
DEFAULT_LAB = "docker"  # of kind lab, and where a build of kind run happens


def path_fault(path: str) -> str:
    """Why ``path`` is no path inside an exercise or course, in Korean; empty if it is one."""
    if not path or len(path) > PATH_LENGTH:
        return f"경로는 1자에서 {PATH_LENGTH}자 사이여야 해요."
    if path.startswith("/") or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "절대 경로와 역슬래시는 쓸 수 없어요."
    parts = path.split("/")
    if ".." in parts or "." in parts or "" in parts:
        return "폴더 밖으로 나가거나 빈 마디가 있는 경로는 쓸 수 없어요."
    if len(parts) > PATH_DEPTH:
        return f"폴더는 {PATH_DEPTH}단계까지만 들어갈 수 있어요."
    if not all(FILE_PART.fullmatch(part) for part in parts):
        return "파일 이름에는 영문자, 숫자, 점(.), 밑줄(_), 붙임표(-), @, +만 쓸 수 있어요."
    return ""


def slug_fault(slug: str, reserved: frozenset[str] = frozenset()) -> str:
    """Why ``slug`` cannot be part of an address, in Korean; empty if it can."""
    if len(slug) > SLUG_LENGTH or not SLUG.fullmatch(slug):
        return f"주소 이름은 영문 소문자, 숫자, 붙임표(-)로 {SLUG_LENGTH}자까지예요."
    if slug in reserved:
        return f"{slug} 주소는 포털이 써요."
    return ""


def answer_faults(files: dict[str, str]) -> list[tuple[str, str]]:
    """What makes a set of answer files too large: (path, message in Korean), path "" for the whole."""
    faults = []
    sizes = {path: len(text.encode()) for path, text in files.items()}
    if len(files) > ANSWER_FILES:
        faults.append(("", f"파일이 {len(files)}개예요. {ANSWER_FILES}개까지 둘 수 있어요."))
    if sum(sizes.values()) > ANSWER_BYTES:
        faults.append(("", f"파일을 모두 더하면 {ANSWER_BYTES // KB} KB가 넘어요."))
    faults += [
        (path, f"파일이 {ANSWER_FILE_BYTES // KB} KB보다 커요.")
        for path, size in sizes.items()
        if size > ANSWER_FILE_BYTES
    ]
    return faults
