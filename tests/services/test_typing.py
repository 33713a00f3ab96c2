"""Scripts typed into a terminal by hand: a real bash, no container."""

from __future__ import annotations

import pytest

from lessons.services import typing
from lessons.services.typing import TypingFailed, Typist
from tests.services.bash import BashShell


@pytest.fixture
def shell(tmp_path):
    shell = BashShell(tmp_path)
    yield shell
    shell.hang_up()


@pytest.fixture
def hand(shell) -> Typist:
    hand = Typist(shell)
    hand.begin()
    return hand


def test_lines_are_typed_one_after_the_other(hand, tmp_path):
    calls: list[list[str]] = []
    script = "# 첫 줄\necho 하나 > one\nsleep 0.1; echo two > two\n"
    hand.type(script, after_line=lambda: calls.append(sorted(path.name for path in tmp_path.glob("[ot]*"))))
    assert calls == [[], ["one"], ["one", "two"]]
    assert (tmp_path / "one").read_text() == "하나\n"


def test_constructs_over_several_lines_are_one_command(hand, tmp_path):
    ended: list[bool] = []
    loop = "for n in 1 2; do\n  echo $n >> loop\n\ndone\n"
    document = "cat > Dockerfile <<'END'\nFROM a\n\n\tRUN b\nEND\n"
    script = loop + document + "echo $?\\\n > joined\n"
    hand.type(script, after_line=lambda: ended.append(True))
    assert (tmp_path / "loop").read_text() == "1\n2\n"
    assert (tmp_path / "Dockerfile").read_text() == "FROM a\n\n\tRUN b\n"
    assert (tmp_path / "joined").read_text() == "0\n"
    assert len(ended) == 3


def test_output_that_looks_like_a_prompt_is_none(hand, tmp_path):
    hand.type("printf '$ \\033]7770;x\\007'; sleep 0.2; touch after\ntest -e after && touch seen\n")
    assert (tmp_path / "seen").exists()


def test_failing_command_ends_nothing(hand, tmp_path):
    hand.type("false\nno-such-command\ntouch after\n")
    assert (tmp_path / "after").exists()


def test_line_that_does_not_end_is_named(hand, monkeypatch):
    monkeypatch.setattr(typing, "LINE_SECONDS", 2.0)
    with pytest.raises(TypingFailed) as failed:
        hand.type("true\necho 기다려요; cat\n")
    assert failed.value.line == 2
    assert "기다려요" in failed.value.said


def test_shell_that_ends_is_told(hand):
    with pytest.raises(TypingFailed) as failed:
        hand.type("true\nexit 3\ntrue\n")
    assert failed.value.line == 2


def test_much_output_is_taken_in(hand, tmp_path):
    hand.type("seq 1 200000\ntouch after\n")
    assert (tmp_path / "after").exists()
