from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.graders.particles import fill_message, particle


@pytest.mark.parametrize(
    ("word", "subject", "topic", "object_", "direction"),
    [
        ("값", "이", "은", "을", "으로"),
        ("나무", "가", "는", "를", "로"),
        ("서울", "이", "은", "을", "로"),
        ("0", "이", "은", "을", "으로"),
        ("1", "이", "은", "을", "로"),
        ("2", "가", "는", "를", "로"),
        ("3", "이", "은", "을", "으로"),
        ("6", "이", "은", "을", "으로"),
        ("7", "이", "은", "을", "로"),
        ("8", "이", "은", "을", "로"),
        ("9", "가", "는", "를", "로"),
        ("10", "이", "은", "을", "으로"),
        ("12", "가", "는", "를", "로"),
        ("300", "이", "은", "을", "으로"),
        ("1,000", "이", "은", "을", "으로"),
        ("1000000000000", "가", "는", "를", "로"),
        ("3.14", "가", "는", "를", "로"),
        ("2.0", "이", "은", "을", "으로"),
        ("Docker", "가", "는", "를", "로"),
        ("nginx", "가", "는", "를", "로"),
        ("YAML", "이", "은", "을", "로"),
        ("JSON", "이", "은", "을", "으로"),
        ("Pod", "가", "는", "를", "로"),
        ("Deployment", "가", "는", "를", "로"),
        ("ConfigMap", "이", "은", "을", "으로"),
        ("Secret", "이", "은", "을", "으로"),
        ("alpine", "이", "은", "을", "으로"),
        ("volume", "이", "은", "을", "으로"),
        ("file", "이", "은", "을", "로"),
        ("stack", "이", "은", "을", "으로"),
        ("host", "가", "는", "를", "로"),
        ("http", "가", "는", "를", "로"),
        ("url", "이", "은", "을", "로"),
        ("ECR", "이", "은", "을", "로"),
        ("USER", "가", "는", "를", "로"),
        ("main.py", "가", "는", "를", "로"),
        ("index.html", "이", "은", "을", "로"),
        ("`값`", "이", "은", "을", "으로"),
        ('["나무"]', "가", "는", "를", "로"),
        ("(비어 있음)", "이", "은", "을", "으로"),
        ("80%", "가", "는", "를", "로"),
        ("ㄹ", "이", "은", "을", "로"),
        ("", "가", "는", "를", "로"),
    ],
)
def test_particle_follows_the_last_sound(word: str, subject: str, topic: str, object_: str, direction: str) -> None:
    forms = ("이(가)", "은(는)", "을(를)", "(으)로")
    assert tuple(particle(word, form) for form in forms) == (subject, topic, object_, direction)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요.", "7이 나와야 하는데 12가 나왔어요."),
        ("{found}(으)로 끝났어요", "12로 끝났어요"),
        ("{expected} 이(가)", "7 이(가)"),
        ("{0} {found!r} {other} {{expected}}", "{0} {found!r} {other} {7}"),
        ("그대로 이(가)", "그대로 이(가)"),
    ],
)
def test_message_replaces_expected_and_found_only(template: str, message: str) -> None:
    assert fill_message(template, "7", "12") == message


def test_message_never_reads_what_it_put_in() -> None:
    assert fill_message("{found}이(가)", "비밀", "{expected}") == "{expected}가"


@given(st.text(), st.sampled_from(["이(가)", "은(는)", "을(를)", "(으)로"]))
def test_particle_is_one_of_the_two_for_any_text(word: str, form: str) -> None:
    assert particle(word, form) in {"이", "가", "은", "는", "을", "를", "으로", "로"}
