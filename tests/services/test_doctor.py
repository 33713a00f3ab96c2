"""What may be wrong with an installation."""

from __future__ import annotations

import pytest

from lessons.sandbox import EngineUnavailableError, Finding
from lessons.services import doctor
from tests.factories import make_course

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installed(settings, tmp_path):
    """A data directory and a checkout of their own, both in order."""
    settings.DATA_DIR = tmp_path / "data"
    settings.BASE_DIR = tmp_path
    settings.DATA_DIR.mkdir()
    (tmp_path / "static" / "dist").mkdir(parents=True)
    for name in ("lesson.css", "lesson.js"):
        (tmp_path / "static" / "dist" / name).touch()


def levels(look) -> list[str]:
    return [finding.level for finding in look()]


def test_find_problems_of_a_good_installation_is_all_good(sandbox):
    make_course()
    sandbox.findings = [Finding("good", "runsc", "", "")]
    assert {finding.level for finding in doctor.find_problems()} == {"good"}


def test_database_without_courses_is_bad():
    assert levels(doctor._database) == ["good", "bad"]


def test_data_directory_names_a_secret_that_others_may_read(settings):
    secret = settings.DATA_DIR / "secret-key"
    secret.touch(mode=0o644)
    secret.chmod(0o644)
    bad = [finding for finding in doctor._data_directory() if finding.level == "bad"]
    assert [finding.fix for finding in bad] == [f"다음 명령을 실행하세요: chmod 600 {secret}"]
    secret.chmod(0o600)
    assert levels(doctor._data_directory) == ["good"]


def test_data_directory_that_is_gone_is_bad(settings):
    settings.DATA_DIR.rmdir()
    assert levels(doctor._data_directory) == ["bad"]


def test_data_directory_that_is_nearly_full_is_bad(monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_MB", 2**40)
    assert levels(doctor._data_directory) == ["bad"]


def test_static_files_that_were_not_built_are_bad(tmp_path):
    (tmp_path / "static" / "dist" / "lesson.js").unlink()
    assert levels(doctor._static_files) == ["bad"]


def test_engine_that_does_not_answer_is_bad(sandbox, monkeypatch):
    def fail() -> list[Finding]:
        raise EngineUnavailableError("no socket")

    monkeypatch.setattr(sandbox, "health", fail)
    assert levels(doctor._engine) == ["bad"]


def test_find_problems_survives_a_look_that_fails(monkeypatch, caplog):
    def fail():
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(doctor, "LOOKS", (fail,))
    assert [finding.level for finding in doctor.find_problems()] == ["bad"]


@pytest.mark.django_db(transaction=True)
def test_log_findings_soon_logs_what_is_bad(sandbox, caplog):
    doctor.log_findings_soon().join(30)
    assert "들여온 과정이 없어요." in caplog.text
