"""Markdown -> sanitised HTML, once, when it is saved.

What an author writes may hold raw HTML; only what the allow-list below names comes out. Ids are
made here alone and begin with ``s-``, so that no text can take the place of a part of the page.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from lessons.content import rules
from lessons.content.errors import Problems
from lessons.content.sanitising import sanitise
from lessons.content.weighing import markdown_fault

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_MARKER = re.compile(r"::exercise\[([^\]\n]*)\][ \t]*")
_ANY_MARKER = re.compile(r"::exercise\b")
_STASHED = re.compile("\x02[^\x03]*\x03")
_IMAGE = re.compile(r"(?:\./)?images/([^/]+)")


@dataclass(frozen=True)
class RenderedLesson:
    """A lesson as rows keep it.

    blocks: [{"html": sanitised} | {"exercise": slug}, …]
    contents: [{"id": anchor, "title": text, "exercises": [slug, …]}, …], one entry a H2
    """

    blocks: list[dict[str, str]]
    contents: list[dict[str, Any]]


def render_markdown(
    text: str, *, image_base: str = "", images: Collection[str] | None = None, file: str = "prompt.md"
) -> str:
    """HTML of a prompt or another text inside a page: headings start at h3 and have no ids.

    Raises ContentError for pictures that are not in ``images`` (None: not checked) or lack alt text.
    """
    problems = Problems()
    page = _Page(text, file, 1, image_base, images, None, problems, inside=True)
    html = page.convert()
    problems.raise_any()
    return sanitise(html, image_base)


def render_lesson(
    text: str,
    *,
    image_base: str = "",
    images: Collection[str] | None = None,
    exercises: Collection[str] | None = None,
    file: str = "lesson.md",
    first_line: int = 1,
) -> RenderedLesson:
    """The blocks and contents of a lesson's body, which begins at ``first_line`` of ``file``.

    ``exercises`` are the slugs that may be placed; None: not checked. Raises ContentError.
    """
    problems = Problems()
    page = _Page(text, file, first_line, image_base, images, exercises, problems, inside=False)
    html = page.convert()
    blocks: list[dict[str, str]] = []
    for index, part in enumerate(re.split(f"<p>{page.place}</p>", html)):
        if index % 2:
            blocks.append({"exercise": page.placed[int(part)]})
        elif clean := sanitise(part, image_base).strip():
            blocks.append({"html": clean})
            if left := re.search(page.place, clean):
                slug = page.placed[int(left[1])]
                page.problem(
                    f"::exercise[{slug}]",
                    "exercise",
                    "문제는 다른 것 안에 둘 수 없어요.",
                    "앞뒤를 빈 줄로 띄우고 HTML 밖에 두세요.",
                )
    problems.raise_any()
    return RenderedLesson(blocks, page.contents)


@dataclass
class _Page:
    """One text on its way to HTML."""

    text: str
    file: str
    first_line: int
    image_base: str
    images: Collection[str] | None
    exercises: Collection[str] | None
    problems: Problems
    inside: bool
    placed: list[str] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)
    # Stands where an exercise goes; drawn anew so that no author can write it.
    mark: str = field(default_factory=lambda: f"EXERCISE{secrets.token_hex(8)}N")

    @property
    def place(self) -> str:
        """The pattern of such a place: its group is an index of ``placed``."""
        return self.mark + r"(\d+)END"

    def problem(self, needle: str, name: str, message: str, fix: str) -> None:
        """A fault at the first line that holds ``needle``."""
        at = self.text.find(needle) if needle else -1
        line = self.first_line + (self.text.count("\n", 0, at) if at >= 0 else 0)
        self.problems.add(self.file, line, name, message, fix)

    def convert(self) -> str:
        text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        self.text = text = re.sub("[\x00\x02\x03]", "", text)  # Markdown's own marks
        if fault := markdown_fault(text):
            row, message, fix = fault
            self.problems.add(self.file, self.first_line + row, "body", message, fix)
            return ""
        markdown = Markdown(
            extensions=[
                "tables",
                "sane_lists",
                "admonition",
                "pymdownx.superfences",
                "pymdownx.highlight",
                _Ours(self),
            ],
            extension_configs={
                "tables": {"use_align_attribute": True},
                "pymdownx.highlight": {
                    "guess_lang": False,
                    "pygments_lang_class": True,
                    "default_lang": "text",
                    "anchor_linenums": False,
                    "linenums": None,
                },
                "pymdownx.superfences": {"disable_indented_code_blocks": False, "preserve_tabs": True},
            },
            output_format="html",
        )
        try:
            return markdown.convert(text)
        except (RecursionError, ValueError, IndexError, AssertionError, KeyError, AttributeError, TypeError):
            # Markdown and its lexers break in many ways on texts that nobody means.
            self.problem("", "body", "Markdown으로 읽을 수 없어요.", "겹친 목록과 인용을 줄이고 괄호를 살펴 주세요.")
            return ""


class _Ours(Extension):
    def __init__(self, page: _Page) -> None:
        super().__init__()
        self.page = page

    def extendMarkdown(self, md: Markdown) -> None:
        if not self.page.inside:
            # After superfences (25) has put code away, before raw HTML (20) is.
            md.preprocessors.register(_Markers(md, self.page), "naru_exercises", 24)
        md.treeprocessors.register(_Shape(md, self.page), "naru_shape", -10)


class _Markers(Preprocessor):
    """``::exercise[slug]`` lines become paragraphs of their own."""

    def __init__(self, md: Markdown, page: _Page) -> None:
        super().__init__(md)
        self.page = page

    def run(self, lines: list[str]) -> list[str]:
        found: list[str] = []
        for line in lines:
            if not _ANY_MARKER.match(line):
                found.append(line)
                continue
            match = _MARKER.fullmatch(line)
            slug = match[1] if match else ""
            if self._is_good(line, slug):
                found += ["", self.page.mark + str(len(self.page.placed)) + "END", ""]
                self.page.placed.append(slug)
        return found

    def _is_good(self, line: str, slug: str) -> bool:
        page = self.page
        if rules.slug_fault(slug):
            page.problem(
                line, "exercise", "문제를 놓는 줄의 꼴이 맞지 않아요.", "::exercise[문제-이름]만 한 줄에 적어 주세요."
            )
        elif page.exercises is not None and slug not in page.exercises:
            page.problem(
                line,
                "exercise",
                f"{slug} 문제가 이 단원에 없어요.",
                f"exercises/{slug}/ 폴더를 만들거나 이름을 고쳐 주세요.",
            )
        elif slug in page.placed:
            page.problem(line, "exercise", f"{slug} 문제를 두 번 놓았어요.", "한 번만 놓아 주세요.")
        else:
            return True
        return False


class _Shape(Treeprocessor):
    """Gives headings their ids, pictures their addresses, and collects the contents."""

    def __init__(self, md: Markdown, page: _Page) -> None:
        super().__init__(md)
        self.page = page
        self.used: set[str] = set()

    def run(self, root: Element) -> None:
        for element in root.iter():
            if element.tag == "img":
                self._image(element)
            elif element.tag == "a":
                href = element.get("href", "")
                if href.startswith("#") and not self.page.inside:
                    element.set("href", f"#{_anchor(unquote(href[1:]))}")
            elif element.tag in _HEADINGS:
                self._heading(element)
        if not self.page.inside:
            self._contents(root)

    def _image(self, element: Element) -> None:
        src, alt = element.get("src", ""), element.get("alt", "")
        match = _IMAGE.fullmatch(unquote(src))
        name = match[1] if match else ""
        if not rules.IMAGE_NAME.fullmatch(name):
            self.page.problem(
                src,
                "image",
                "단원의 images/ 안에 있는 그림만 쓸 수 있어요.",
                "![설명](images/이름.svg)처럼 적어 주세요.",
            )
        elif self.page.images is not None and name not in self.page.images:
            self.page.problem(src, "image", f"images/{name} 파일이 없어요.", "그림을 넣거나 이름을 고쳐 주세요.")
        elif not alt.strip():
            self.page.problem(
                src, "image", "그림에 설명(alt)이 없어요.", "![그림이 보여 주는 것](images/이름.svg)처럼 적어 주세요."
            )
        element.attrib.clear()
        element.set("src", (self.page.image_base or "images/") + name)
        element.set("alt", alt)
        element.set("loading", "lazy")

    def _heading(self, element: Element) -> None:
        level = int(element.tag[1])
        if self.page.inside:
            element.tag = f"h{min(6, level + 2)}"
            return
        title = _words(element)
        if level == 1:
            self.page.problem(
                title, "body", "본문의 제목은 ##부터 써요.", "#을 ##으로 바꿔 주세요. 단원 제목은 title에 적어요."
            )
        anchor = base = _anchor(title)
        number = 2
        while anchor in self.used:
            anchor, number = f"{base}-{number}", number + 1
        self.used.add(anchor)
        element.set("id", anchor)

    def _contents(self, root: Element) -> None:
        for element in root:
            if element.tag == "h2":
                self.page.contents.append({"id": element.get("id", ""), "title": _words(element), "exercises": []})
            elif self.page.contents and (placed := re.fullmatch(self.page.place, (element.text or "").strip())):
                self.page.contents[-1]["exercises"].append(self.page.placed[int(placed[1])])


def _words(element: Element) -> str:
    return " ".join(_STASHED.sub("", "".join(element.itertext())).split())


def _anchor(title: str) -> str:
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", title).lower()).strip("-_")
    return f"s-{words[:80] or 'part'}"
