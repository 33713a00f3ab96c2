"""The one gate for an answer."""

from __future__ import annotations

import pytest

from lessons.contracts import ExerciseSpec, Kind
from lessons.services.answers import AnswerError, clean_answer, clean_stdin, read_answer

SPEC = ExerciseSpec(
    slug="sum",
    title="합",
    kind=Kind.RUN,
    prompt="",
    editable=("main.py", "lib/util.py"),
    starter={"main.py": "start", "lib/util.py": "", "data.txt": "1\n"},
)
QUIZ = ExerciseSpec(slug="quiz", title="문제", kind=Kind.QUIZ, prompt="")


def problems_of(files, spec=SPEC) -> list[tuple[str, str]]:
    with pytest.raises(AnswerError) as refused:
        clean_answer(spec=spec, files=files)
    return [(problem.file, problem.message) for problem in refused.value.problems]


def test_clean_answer_gives_every_editable_file_as_text():
    assert clean_answer(spec=SPEC, files={"main.py": b"print(1)\r\n"}) == {"main.py": "print(1)\n", "lib/util.py": ""}


def test_clean_answer_accepts_a_read_only_file_unchanged_and_drops_it():
    cleaned = clean_answer(spec=SPEC, files={"main.py": "x", "data.txt": "1\r\n"})
    assert sorted(cleaned) == ["lib/util.py", "main.py"]


def test_clean_answer_refuses_a_changed_read_only_file():
    assert problems_of({"main.py": "x", "data.txt": "2\n"}) == [("data.txt", "읽기 전용 파일이라 바꿀 수 없어요.")]


@pytest.mark.parametrize("name", ["other.py", "../main.py", "/etc/passwd", "main.py\0", "solution/main.py"])
def test_clean_answer_refuses_other_names(name):
    ((file, message),) = problems_of({name: "x"})
    assert "\0" not in file
    assert message == "이 문제의 답에 없는 파일 이름이에요. 낼 수 있는 파일: main.py, lib/util.py"


def test_clean_answer_refuses_a_large_file():
    assert problems_of({"main.py": "가" * 22_000}) == [("main.py", "파일 하나는 64 KB까지 낼 수 있어요.")]


def test_clean_answer_refuses_more_than_all_files_may_hold():
    names = tuple(f"f{number}.txt" for number in range(5))
    spec = ExerciseSpec(slug="s", title="", kind=Kind.RUN, prompt="", editable=names)
    assert problems_of(dict.fromkeys(names, "x" * 60_000), spec) == [("", "답은 모두 더해 256 KB까지 낼 수 있어요.")]


def test_clean_answer_refuses_too_many_files():
    assert problems_of({f"f{number}": "" for number in range(21)}) == [("", "파일은 20개까지 낼 수 있어요.")]


@pytest.mark.parametrize("raw", [b"\xff\xfe", "\ud800"])
def test_clean_answer_refuses_what_is_no_utf8(raw):
    assert problems_of({"main.py": raw}) == [("main.py", "UTF-8로 쓴 글이 아니에요. UTF-8로 저장해서 다시 내 주세요.")]


def test_clean_answer_refuses_binary_content():
    assert [file for file, _ in problems_of({"main.py": b"\x7fELF\0"})] == ["main.py"]


def test_clean_answer_refuses_an_empty_answer():
    assert problems_of({"main.py": "  \n"}) == [("", "답이 비어 있어요. 코드를 쓰고 나서 내 주세요.")]


def test_clean_answer_names_every_problem():
    assert [file for file, _ in problems_of({"main.py": b"\xff", "x.py": "x"})] == ["main.py", "x.py"]


def test_clean_answer_of_a_quiz_is_its_one_file_and_may_be_empty():
    assert clean_answer(spec=QUIZ, files={"answer.yaml": "a: b\n"}) == {"answer.yaml": "a: b\n"}
    assert clean_answer(spec=QUIZ, files={}) == {}


def test_clean_stdin_is_bounded_and_has_newlines():
    assert clean_stdin("3 4\r\n") == "3 4\n"
    with pytest.raises(AnswerError) as refused:
        clean_stdin("x" * 70_000)
    assert [problem.message for problem in refused.value.problems] == ["입력은 64 KB까지 쓸 수 있어요."]


def test_read_answer_reads_files_and_passes_over_leftovers(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "main.py").write_bytes(b"x")
    (tmp_path / "lib" / "util.py").write_bytes(b"y")
    (tmp_path / "__pycache__" / "main.pyc").write_bytes(b"z")
    (tmp_path / ".hidden").write_bytes(b"z")
    (tmp_path / "expect.yaml").write_bytes(b"check: any")
    assert read_answer(tmp_path) == {"lib/util.py": b"y", "main.py": b"x"}


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc"])
def test_read_answer_refuses_links(tmp_path, target):
    (tmp_path / "main.py").symlink_to(target)
    with pytest.raises(AnswerError):
        read_answer(tmp_path)


def test_read_answer_reads_no_more_than_an_answer_may_hold(tmp_path):
    (tmp_path / "main.py").write_bytes(b"x" * 100_000)
    assert len(read_answer(tmp_path)["main.py"]) == 64 * 1024 + 1
    for number in range(21):
        (tmp_path / f"{number}.py").write_bytes(b"")
    with pytest.raises(AnswerError):
        read_answer(tmp_path)
