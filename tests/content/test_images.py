"""Pictures are taken by their content."""

from __future__ import annotations

import pytest

from lessons.content import content_type, image_fault
from tests.content.build import SVG, png


def svg(inner: str, attributes: str = "", before: str = "") -> bytes:
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inner}</svg>'.encode()


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        svg(
            "<title>상자</title><text x='1'>글</text>", "viewBox='0 0 1 1'", '<?xml version="1.0" encoding="UTF-8"?>\n'
        ),
        svg("<style>.a{fill:url(#g)}</style><defs><linearGradient id='g'/></defs><use href='#g'/>"),
        svg("<path d='M0 0' style='fill:var(--ink)' marker-end='url(#m)'/>"),
    ],
)
def test_still_drawing_is_taken(data):
    assert image_fault("box.svg", data) is None


@pytest.mark.parametrize(
    "data",
    [
        svg("<script>alert(1)</script>"),
        svg("<a href='javascript:alert(1)'><path/></a>"),
        svg("<foreignObject><p>x</p></foreignObject>"),
        svg("<path/>", "onload='alert(1)'"),
        svg("<path ONCLICK='x'/>"),
        svg("<use href='https://evil.example/a.svg#x'/>"),
        svg("<use xlink:href='data:image/svg+xml,x' />", "xmlns:xlink='http://www.w3.org/1999/xlink'"),
        svg("<image href='x.png'/>"),
        svg("<animate attributeName='href' to='javascript:x'/>"),
        svg("<set attributeName='onload' to='x'/>"),
        svg("<style>@import 'https://evil.example/a.css';</style>"),
        svg("<style>a{background:url(https://evil.example)}</style>"),
        svg("<style>a{background:u\\72l(https://evil.example)}</style>"),
        svg("<path style='fill:url(//evil.example/x)'/>"),
        svg("<path fill='url( \"https://evil.example/x\")'/>"),
        svg("<html:script xmlns:html='http://www.w3.org/1999/xhtml'>x</html:script>"),
        svg("<path/>", before='<!DOCTYPE svg [<!ENTITY x "y">]>'),
        svg("<path/>", before='<?xml-stylesheet href="https://evil.example/a.css"?>'),
        svg("<path xml:base='https://evil.example/'/>"),
        svg("<g>" * 100 + "</g>" * 100),
        svg("<path/>" * 20_001),
        b"<svg><path/></svg>",
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
        b"",
        b"\xff\xfe<\0s\0",
        SVG + b" " * 600_000,
    ],
)
def test_svg_that_could_do_anything_is_refused(data):
    line, message, fix = image_fault("box.svg", data)
    assert "SVG" in message
    assert fix
    assert line is None or line >= 1


def test_svg_fault_names_its_line():
    assert image_fault("a.svg", svg("\n\n<script/>"))[0] == 3


def test_png_is_judged_by_its_head():
    assert image_fault("a.png", png()) is None
    assert "PNG" in image_fault("a.png", SVG)[1]
    assert "픽셀" in image_fault("a.png", png(9_000, 1))[1]


@pytest.mark.parametrize("name", ["a.gif", "a.svg.exe", "../a.svg", "그림.svg", ".svg", "a" * 120 + ".svg", "a.SVG"])
def test_picture_names_are_plain(name):
    assert "이름" in image_fault(name, SVG)[1]


def test_media_types():
    assert (content_type("a.svg"), content_type("a.png")) == ("image/svg+xml", "image/png")
