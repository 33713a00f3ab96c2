"""Pictures of lessons: SVG and PNG by their content, never by their name alone.

An SVG is shown only as <img>, where nothing in it runs; it is refused all the same if it
could do anything when opened by itself.
"""

from __future__ import annotations

import re
import struct
from xml.parsers import expat

from lessons.content import rules

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"

_ELEMENTS = frozenset({
    "svg", "g", "defs", "symbol", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
    "text", "tspan", "textPath", "title", "desc", "style", "linearGradient", "radialGradient", "stop",
    "clipPath", "mask", "pattern", "marker", "switch", "filter", "feBlend", "feColorMatrix",
    "feComponentTransfer", "feComposite", "feDropShadow", "feFlood", "feFuncA", "feFuncB", "feFuncG",
    "feFuncR", "feGaussianBlur", "feMerge", "feMergeNode", "feOffset", "feTile",
})  # fmt: skip
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_OUTSIDE_URL = re.compile(r"url\s*\(\s*[\"']?\s*(?!#)", re.IGNORECASE)
_ACTIVE_TEXT = re.compile(r"@import|javascript:|data:|expression\s*\(|\\", re.IGNORECASE)


class _Refused(Exception):
    pass


def content_type(name: str) -> str:
    """The media type of a checked picture."""
    return "image/svg+xml" if name.endswith(".svg") else "image/png"


def image_fault(name: str, data: bytes) -> tuple[int | None, str, str] | None:
    """What is wrong with a picture: (line, message, fix) in Korean, or None."""
    if not rules.IMAGE_NAME.fullmatch(name) or len(name) > 120:
        return None, "그림 이름은 영문자, 숫자, -, _와 .svg나 .png여야 해요.", "파일 이름을 바꿔 주세요."
    return _svg_fault(data) if name.endswith(".svg") else _png_fault(data)


def _png_fault(data: bytes) -> tuple[int | None, str, str] | None:
    if len(data) > rules.PNG_BYTES:
        return None, f"PNG가 {rules.PNG_BYTES // rules.MB} MB보다 커요.", "크기를 줄여 주세요."
    if len(data) < 33 or not data.startswith(_PNG_HEAD) or data[12:16] != b"IHDR":
        return None, "내용이 PNG 그림이 아니에요.", "PNG로 다시 저장해 주세요."
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= rules.PNG_SIDE and 0 < height <= rules.PNG_SIDE):
        return None, f"한 변이 {rules.PNG_SIDE}픽셀을 넘어요.", "크기를 줄여 주세요."
    return None


def _svg_fault(data: bytes) -> tuple[int | None, str, str] | None:
    if len(data) > rules.SVG_BYTES:
        return None, f"SVG가 {rules.SVG_BYTES // rules.KB} KB보다 커요.", "그림을 단순하게 줄여 주세요."
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None, "SVG가 UTF-8이 아니에요.", "UTF-8로 저장해 주세요."
    parser = expat.ParserCreate("utf-8", " ")
    guard = _SvgGuard()
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    parser.CharacterDataHandler = guard.text
    parser.StartDoctypeDeclHandler = guard.doctype
    parser.EntityDeclHandler = guard.doctype
    parser.ProcessingInstructionHandler = guard.instruction
    try:
        parser.Parse(data, True)
    except _Refused as refused:
        return parser.CurrentLineNumber, str(refused), "그 부분을 지우거나 '일반 SVG'로 다시 저장해 주세요."
    except (expat.ExpatError, ValueError):
        return parser.CurrentLineNumber, "내용이 올바른 SVG가 아니에요.", "SVG로 다시 저장해 주세요."
    return None


class _SvgGuard:
    """Handlers that raise _Refused on anything but still drawing."""

    def __init__(self) -> None:
        self.depth = self.count = 0
        self.style: list[str] | None = None

    def doctype(self, *_: object) -> None:
        raise _Refused("SVG에 DOCTYPE이나 엔티티가 있어요.")

    def instruction(self, *_: object) -> None:
        raise _Refused("SVG에 처리 명령(<?…?>)이 있어요.")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        namespace, _, local = name.rpartition(" ")
        if self.depth > rules.SVG_DEPTH or self.count > rules.SVG_ELEMENTS:
            raise _Refused("SVG가 너무 복잡해요.")
        if self.depth == 1 and (namespace, local) != (_SVG, "svg"):
            raise _Refused("SVG의 맨 바깥이 <svg xmlns=…>가 아니에요.")
        if namespace != _SVG or local not in _ELEMENTS:
            raise _Refused(f"SVG에 <{local[:40]}>는 쓸 수 없어요.")
        if local == "style":
            self.style = []
        for key, value in attributes.items():
            self._attribute(key, value)

    def end(self, _name: str) -> None:
        self.depth -= 1
        if self.style is not None:
            text = "".join(self.style)
            self.style = None
            if _OUTSIDE_URL.search(text) or _ACTIVE_TEXT.search(text):
                raise _Refused("SVG의 style이 바깥 파일을 가리켜요.")

    def text(self, data: str) -> None:
        if self.style is not None:
            self.style.append(data)

    def _attribute(self, key: str, value: str) -> None:
        namespace, _, local = key.rpartition(" ")
        if namespace not in ("", _XLINK, _XML):
            raise _Refused(f"SVG에 {local[:40]} 속성은 쓸 수 없어요.")
        if local.lower().startswith("on"):
            raise _Refused(f"SVG에 {local[:40]} 같은 이벤트 속성은 쓸 수 없어요.")
        if local == "href" and not value.strip().startswith("#"):
            raise _Refused("SVG가 바깥을 가리켜요(href).")
        if local == "base" or _OUTSIDE_URL.search(value) or _ACTIVE_TEXT.search(value):
            raise _Refused(f"SVG의 {local[:40]} 속성이 바깥을 가리켜요.")
