"""Markdown to blocks, contents and safe HTML."""

from __future__ import annotations

import pytest

from lessons.content import ContentError, render_lesson, render_markdown


def html_of(text: str, **options) -> str:
    return "".join(block.get("html", "") for block in render_lesson(text, **options).blocks)


def problems_of(text: str, **options):
    with pytest.raises(ContentError) as caught:
        render_lesson(text, **options)
    return caught.value.problems


def test_exercises_split_the_lesson_into_blocks():
    lesson = render_lesson("앞\n\n::exercise[a]\n가운데\n::exercise[b]\n\n뒤\n")
    assert lesson.blocks == [
        {"html": "<p>앞</p>"},
        {"exercise": "a"},
        {"html": "<p>가운데</p>"},
        {"exercise": "b"},
        {"html": "<p>뒤</p>"},
    ]


def test_contents_name_each_h2_with_its_exercises():
    lesson = render_lesson("::exercise[zero]\n\n## 하나 `run`\n\n::exercise[a]\n\n### 작은\n\n::exercise[b]\n\n## 둘\n")
    assert lesson.contents == [
        {"id": "s-하나-run", "title": "하나 run", "exercises": ["a", "b"]},
        {"id": "s-둘", "title": "둘", "exercises": []},
    ]
    assert '<h2 id="s-하나-run">하나 <code>run</code></h2>' in lesson.blocks[1]["html"]


def test_equal_titles_get_different_ids():
    lesson = render_lesson("## 같은\n\n## 같은\n\n## !?\n")
    assert [entry["id"] for entry in lesson.contents] == ["s-같은", "s-같은-2", "s-part"]


def test_exercise_line_inside_code_is_code():
    lesson = render_lesson("```text\n::exercise[a]\n```\n", exercises=())
    assert len(lesson.blocks) == 1
    assert "::exercise[a]" in lesson.blocks[0]["html"]


def test_exercise_inside_raw_html_is_refused():
    (problem,) = problems_of("<div>\n::exercise[a]\n</div>\n")
    assert (problem.field, problem.line) == ("exercise", 2)


def test_code_has_its_language_and_no_style():
    html = html_of("```python\nprint('<b>')\n```\n")
    assert html.startswith('<div class="language-python highlight"><pre>')
    assert "&lt;b&gt;" in html
    assert "style=" not in html
    assert 'class="language-text highlight"' in html_of("```\n글\n```\n")
    assert 'class="language-text highlight"' in html_of("    들여쓴 것\n")


def test_tables_align_without_style():
    assert '<td align="right">1</td>' in html_of("| 수 |\n|--:|\n| 1 |\n")


def test_pictures_point_at_the_lesson():
    html = html_of("![상자](images/a.svg)", image_base="/c/l/images/", images={"a.svg"})
    assert 'src="/c/l/images/a.svg"' in html
    assert 'alt="상자"' in html
    assert 'src="/c/l/images/b.png"' in html_of(
        '<figure><img src="images/b.png" alt="x"></figure>', image_base="/c/l/images/"
    )


def test_links_to_sections_find_them():
    assert 'href="#s-첫-걸음"' in html_of("[여기](#첫-걸음)\n\n## 첫 걸음\n")


def test_outer_links_do_not_hand_over_the_window():
    assert 'rel="noopener noreferrer"' in html_of("[밖](https://docs.docker.com/)")


def test_prompt_headings_go_below_those_of_the_page():
    assert render_markdown("## 할 일\n") == "<h4>할 일</h4>"


def test_prompt_text_may_name_the_marker():
    assert "::exercise[a]" in render_markdown("::exercise[a]\n")


def test_problem_lines_count_from_the_file():
    (problem,) = problems_of("글\n\n![](images/a.svg)\n", first_line=8, file="01/lesson.md")
    assert str(problem).startswith("01/lesson.md:10: image: 그림에 설명(alt)이 없어요.")


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, "> " * 500 + "a", "- " * 400 + "a", "*a " * 9_000, "<" * 9_000, "a" * 300_000, "x `" * 5_001],
)
def test_text_that_would_take_minutes_is_refused(text):
    (problem,) = problems_of(text)
    assert problem.field == "body"
