"""The allow-list: what of an author's HTML comes out, and nothing else."""

from __future__ import annotations

import re

import nh3

from lessons.content import rules

_CLASS = re.compile(r"highlight|language-[a-z0-9+#_-]{1,30}|admonition|admonition-title|note|tip|warning|danger")
_TOKEN_CLASS = re.compile(r"[a-z][a-z0-9]{0,3}")  # Pygments' own
_SECTION_ID = re.compile(r"s-[\w-]+")
_TAGS = {
    "p", "h2", "h3", "h4", "h5", "h6", "a", "em", "strong", "code", "pre", "span", "div", "ul", "ol", "li",
    "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "img", "kbd", "sub", "sup", "del",
    "dl", "dt", "dd", "details", "summary", "figure", "figcaption", "mark", "abbr",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "div": {"class"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "img": {"src", "alt", "title", "loading"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"align"},
    "th": {"align"},
    "p": {"class"},
}


def sanitise(html: str, image_base: str) -> str:
    """Only tags and attributes of the allow-list; pictures only from ``image_base``."""
    base = image_base or "images/"

    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return value if _SECTION_ID.fullmatch(value) else None
        if name == "class":
            allowed = _TOKEN_CLASS if tag == "span" else _CLASS
            return " ".join(word for word in value.split() if allowed.fullmatch(word)) or None
        if name == "src":
            found = value.removeprefix("images/") if value.startswith("images/") else value.removeprefix(base)
            return base + found if value != found and rules.IMAGE_NAME.fullmatch(found) else None
        if name == "href":
            head = re.split("[/?#]", value, maxsplit=1)[0]
            return (
                value if ":" not in head or head.lower() in ("http:", "https:") or head.startswith("mailto:") else None
            )
        if name == "align":
            return value if value in ("left", "right", "center") else None
        if name == "start":
            return value if value.isascii() and value.isdigit() and len(value) < 6 else None
        if name == "loading":
            return "lazy"
        return value

    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "math", "svg", "textarea"},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=keep,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
        strip_comments=True,
    )
    # What Markdown leaves around two code blocks that touch.
    return clean.replace("<p></p>", "")
