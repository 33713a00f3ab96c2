"""Korean in templates: the particle that the last sound takes."""

from __future__ import annotations

from django import template

from lessons.graders.particles import particle

register = template.Library()


@register.filter
def with_particle(value: object, form: str) -> str:
    """``{{ course.title|with_particle:"을(를)" }}``; forms: 이(가), 은(는), 을(를), (으)로."""
    text = str(value)
    return text + particle(text, form)
