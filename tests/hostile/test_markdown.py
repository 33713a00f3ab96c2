"""What an author may try with Markdown: nothing but still, labelled text comes out."""

from __future__ import annotations

import time
from contextlib import suppress
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.content import ContentError, render_lesson, render_markdown

pytestmark = pytest.mark.hostile

BASE = "/c/l/images/"
TAGS = {
    "p", "h2", "h3", "h4", "h5", "h6", "a", "em", "strong", "code", "pre", "span", "div", "ul", "ol", "li",
    "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "img", "kbd", "sub", "sup", "del",
    "dl", "dt", "dd", "details", "summary", "figure", "figcaption", "mark", "abbr",
}  # fmt: skip
ATTRIBUTES = {"href", "title", "rel", "class", "id", "src", "alt", "loading", "start", "align"}


class Looker(HTMLParser):
    """Says what is forbidden in a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(tag)
        for name, value in attrs:
            value = value or ""
            if name not in ATTRIBUTES:
                self.faults.append(f"{tag} {name}")
            if name == "id" and not value.startswith("s-"):
                self.faults.append(f"id {value}")
            if name == "src" and not value.startswith(BASE):
                self.faults.append(f"src {value}")
            if name == "href" and ":" in value.split("/")[0] and not value.startswith(("http:", "https:", "mailto:")):
                self.faults.append(f"href {value}")

    def handle_comment(self, data: str) -> None:
        self.faults.append("comment")


def faults_of(text: str) -> list[str]:
    """What is forbidden in what the text becomes, as a lesson and as a prompt; a refusal is fine."""
    looker = Looker()
    for render in (_lesson, _prompt):
        with suppress(ContentError):
            looker.feed(render(text))
        looker.close()
    return looker.faults


def _lesson(text: str) -> str:
    return "".join(block.get("html", "") for block in render_lesson(text, image_base=BASE).blocks)


def _prompt(text: str) -> str:
    return render_markdown(text, image_base=BASE)


ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<img src='images/a.svg' onerror=alert(1) style='x' hx-get=/x>",
    "![a](javascript:alert(1))",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x)",
    "<a href='\x01javascript:alert(1)'>a</a>",
    "<svg><use href='data:image/svg+xml,x#x'/></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<form action=/logout/><input name=csrfmiddlewaretoken><button>x</button></form>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<div hx-get='/me/' hx-trigger='load'>x</div>",
    "<div data-hx-get='/me/' data-hx-trigger='load' data-hx-on:load='x'>x</div>",
    "<div data-hx-on--load='x' hx-on::load='x'>x</div>",
    "<h2 id=main>x</h2><p id=csrf>x</p><a name=body>x</a><div id='s-x'>x</div>",
    "<div class='card button primary'>x</div>",
    "<span class='highlight hidden-from-view'>x</span>",
    "<iframe src=https://evil.example></iframe><object data=x></object><embed src=x>",
    "<style>*{display:none}</style><link rel=stylesheet href=x>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<script>alert(1)</script><scr<script>ipt>alert(1)</script>",
    "<details ontoggle=alert(1) open><summary>x</summary></details>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=x>",
    "<textarea><img src=x onerror=alert(1)></textarea><template><img></template><noscript><p title='</noscript><img>'>",
    "<!-- <script> --><!--[if IE]><script>x</script><![endif]-->",
    "```python id=main onclick=x\nx\n```",
    "```{.python #main onclick=alert(1) style=x}\nx\n```",
    "# 제목 {#main onclick=alert(1)}\n",
    "## 제목 {: #main onclick=alert(1) style=x }\n",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "| a |\n|--|\n| <img src=x onerror=alert(1)> |",
    '[x](https://a.example "onmouseover=alert(1)\\" onclick=x")',
    "NARUXEXERCISEX0XEND",
    "\x02wzxhzdk:0\x03 \x02amp\x03",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_markdown_attack_leaves_nothing_that_acts(text):
    assert faults_of(text) == []


@pytest.mark.parametrize("text", ATTACKS)
def test_markdown_attack_inside_other_text_leaves_nothing_that_acts(text):
    assert faults_of(f"## 제목\n\n- 하나\n\n    {text}\n\n> {text}\n\n*{text}*\n") == []


def test_class_names_of_the_interface_are_not_for_authors():
    assert "card" not in _lesson("<div class='card note'>x</div>")
    assert 'class="note"' in _lesson("<div class='card note'>x</div>")


MARKS = """
> |- |1. |```|~~~|`|**|_|[|](|)|![|<|>|</div>|<div>|::exercise[a]|::exercise[|]|#|## |!!! note|글|&#x3c;|&lt;|\\
"""
PIECES = st.sampled_from([*ATTACKS, *MARKS.strip().split("|"), "|", "\n", "\n\n", "    ", "\r", "\t", "\x00"])


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_markdown_of_any_pieces_is_rendered_safely_or_refused(text):
    assert faults_of(text) == []


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_markdown_of_any_text_is_rendered_safely_or_refused(text):
    assert faults_of(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50 + "x" * 15_000,
        "[a](" * 5_000,
        "![" * 10_000,
        "*_" * 100_000,
        "**a " * 900,
        "`" * 200_000,
        "<a " * 50_000,
        "<!--" * 30_000,
        "\n".join("    " * level + "- a" for level in range(200)),
        "> " * 100_000,
        "&" * 200_000,
        "|" * 10_000 + "\n" + "|-" * 5_000 + "\n" + "|" * 10_000,
        "```python\n" + "'" * 100_000 + "\n```",
        "[a]: " * 40_000,
        "\\" * 200_000,
        ("#" * 6 + " a\n") * 5_000,
        "1. a\n" * 20_000,
        "<div>" * 30_000,
        "::exercise[a]\n" * 10_000,
    ],
)
def test_markdown_that_is_hard_to_read_ends_soon(text):
    started = time.monotonic()
    assert faults_of(text) == []
    assert time.monotonic() - started < 20
