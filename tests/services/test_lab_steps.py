"""Going back to where a check last passed for the first time."""

from __future__ import annotations

import datetime
import threading
from types import SimpleNamespace

import pytest
from django.utils import timezone

from lessons import graders
from lessons.contracts import CheckResult
from lessons.models import KeptStep, LabSession
from lessons.sandbox import DeadlineError, EngineUnavailableError, LabGoneError, LabTooLargeError
from lessons.services import lab_events, lab_homes, lab_steps, lab_wakes
from lessons.services.lab_steps import StepRefused, keep_step, return_to_step
from lessons.services.lab_use import in_use
from tests.factories import make_submission
from tests.services.labs import make_cluster_exercise, opened

pytestmark = pytest.mark.django_db

RUNS = CheckResult("runs", "web이 실행 중", True)
NOTE = CheckResult("note", "쪽지", True)
DIED = CheckResult("died", "web이 멈춘 적 있음", False)


@pytest.fixture
def row(docker) -> LabSession:
    return opened(exercise=make_cluster_exercise())


@pytest.fixture
def step(row) -> KeptStep:
    keep_step(row, [RUNS], data=b"then")
    return KeptStep.objects.get()


def later(row: LabSession) -> None:
    """As if the last step was kept a while ago."""
    LabSession.objects.update(step_tried_at=timezone.now() - datetime.timedelta(seconds=lab_steps.STEP_SECONDS))


def test_step_is_kept_once_for_each_check_and_the_last_one_stays(row, docker):
    assert keep_step(row, [RUNS, DIED]) == 0.0
    assert keep_step(row, [RUNS, DIED]) == 0.0
    lab = docker.lab_of(row)
    assert lab.save_calls == [("/root/work", "cluster", "/root/.bash_history")]
    later(row)
    lab.saved = b"with note"
    assert keep_step(row, [RUNS, NOTE]) == 0.0
    kept = KeptStep.objects.get()
    assert (kept.check_id, kept.title, bytes(kept.data)) == ("note", "쪽지", b"with note")
    row.refresh_from_db()
    assert row.passed == ["runs", "note"]


def test_step_is_saved_no_more_often_than_every_ten_seconds(row, docker):
    keep_step(row, [RUNS])
    assert keep_step(row, [RUNS, NOTE]) == lab_steps.STEP_SECONDS
    assert len(docker.lab_of(row).save_calls) == 1
    assert keep_step(row, [RUNS, NOTE], data=b"at hand") == 0.0
    assert bytes(KeptStep.objects.get().data) == b"at hand"


def test_all_tries_to_save_a_step_share_its_time(row, docker, monkeypatch):
    clock = iter((0.0, 12.0, 17.0))
    monkeypatch.setattr(lab_homes, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    docker.lab_of(row).save_error = LabTooLargeError("large")
    keep_step(row, [RUNS])
    assert docker.lab_of(row).save_seconds == [8.0, 3.0]


def test_what_passed_meanwhile_is_not_forgotten(row, monkeypatch):
    def store(row, result, data):
        LabSession.objects.update(passed=["died"])  # a look, while a grading saves

    monkeypatch.setattr(lab_steps, "_store", store)
    keep_step(row, [RUNS], data=b"now")
    row.refresh_from_db()
    assert row.passed == ["died", "runs"]


def test_step_that_cannot_be_saved_is_tried_again(row, docker, caplog):
    caplog.set_level("INFO")
    docker.lab_of(row).save_error = EngineUnavailableError("down")
    assert keep_step(row, [RUNS]) == 0.0
    assert "could not be kept" in caplog.text
    docker.lab_of(row).save_error = None
    later(row)
    keep_step(row, [RUNS])
    assert KeptStep.objects.get().check_id == "runs"


def test_step_that_is_too_large_is_not_tried_again(row, docker, caplog):
    docker.lab_of(row).save_error = LabTooLargeError("large")
    keep_step(row, [RUNS])
    later(row)
    keep_step(row, [RUNS])
    assert docker.lab_of(row).save_calls[1:] == [("cluster", "/root/.bash_history")]  # and no third
    assert "too large" in caplog.text
    assert not KeptStep.objects.of(row).exists()


def test_lab_without_a_cluster_and_a_proof_have_no_steps(docker):
    plain = opened()
    proof = opened(exercise=make_cluster_exercise("cluster", "registry"))
    proof.origin = "proof"
    for lab in (plain, proof):
        lab_steps.note_first(lab, [RUNS])
        assert keep_step(lab, [RUNS]) == 0.0
        assert docker.lab_of(lab).save_calls == []
    assert not KeptStep.objects.exists()
    assert not LabSession.objects.exclude(passed=[]).exists()


def test_return_takes_the_lab_back_and_looks_again(row, step, docker, monkeypatch):
    woken: list[object] = []
    monkeypatch.setattr(lab_wakes, "wake", lambda lab_id=None: woken.append(lab_id))
    LabSession.objects.update(state="idle")
    docker.lab_of(row).pause()
    row.refresh_from_db()
    assert return_to_step(lab=row) == step
    assert docker.lab_of(row).loaded == [b"then"]
    assert (docker.lab_of(row).paused, row.state, woken[-1]) == (False, "ready", row.pk)


def test_look_that_comes_while_the_lab_is_put_back_waits(row, step, docker, monkeypatch):
    lab, entered = docker.lab_of(row), threading.Event()
    load = lab.load

    def look() -> None:
        with in_use(row):
            entered.set()

    def loading(data, *, seconds):
        thread.start()
        assert not entered.wait(0.05)
        load(data, seconds=seconds)
        assert not entered.is_set()

    thread = threading.Thread(target=look)
    monkeypatch.setattr(lab, "load", loading)
    return_to_step(lab=row)
    thread.join(5)
    assert (entered.is_set(), lab.loaded) == (True, [b"then"])


def test_return_counts_requests_that_go_on_as_they_were_then_once_the_pods_had_time(row, docker, monkeypatch):
    monkeypatch.setattr(graders, "streams", lambda exercise, seed: ({"id": "shop"},))
    LabSession.objects.filter(pk=row.pk).update(streams={"shop": {"sent": 20, "failed": 0}})
    keep_step(row, [RUNS])
    LabSession.objects.filter(pk=row.pk).update(streams={"shop": {"sent": 90, "failed": 70}})
    before = timezone.now().timestamp()
    return_to_step(lab=row)
    found = LabSession.objects.get(pk=row.pk).streams["shop"]
    assert (found["sent"], found["failed"]) == (20, 0)
    assert found["quiet_until"] == pytest.approx(before + lab_events.QUIET_SECONDS, abs=5)


def test_return_without_a_step_is_refused(row, docker):
    with pytest.raises(StepRefused) as refused:
        return_to_step(lab=row)
    assert refused.value.text.startswith("이 실습에서 아직 새로 통과한")
    assert docker.lab_of(row).loaded == []


def test_step_of_another_seed_is_none(row, step):
    assert KeptStep.objects.of(row).get() == step
    row.seed += 1
    assert not KeptStep.objects.of(row).exists()
    with pytest.raises(StepRefused, match="돌아갈 곳이 없어요"):
        return_to_step(lab=row)


def test_return_waits_for_no_grading_and_no_look(row, step, docker, monkeypatch):
    submission = make_submission(row.learner, row.exercise, lab=row)
    with pytest.raises(StepRefused, match="채점하거나 확인하고 있어요"):
        return_to_step(lab=row)
    submission.delete()
    monkeypatch.setattr(lab_steps, "ALONE_SECONDS", 0.0)
    with in_use(row), pytest.raises(StepRefused, match="채점하거나 확인하고 있어요"):
        return_to_step(lab=row)
    row.state = "ended"
    with pytest.raises(StepRefused, match="쓸 수 없는 실습"):
        return_to_step(lab=row)
    assert docker.lab_of(row).loaded == []


@pytest.mark.parametrize(
    ("error", "text", "state"),
    [
        (LabGoneError("died"), "멈춰서", "failed"),
        (DeadlineError("slow"), "너무 오래", "ready"),
        (EngineUnavailableError("down"), "되돌리지 못했어요", "ready"),
    ],
)
def test_return_that_fails_says_so(row, step, docker, error, text, state):
    docker.lab_of(row).load_error = error
    with pytest.raises(StepRefused, match=text):
        return_to_step(lab=row)
    row.refresh_from_db()
    assert row.state == state


def test_old_steps_are_forgotten(step):
    assert not lab_steps.forget_old_steps()
    KeptStep.objects.update(at=timezone.now() - datetime.timedelta(days=lab_steps.KEPT_DAYS + 1))
    assert lab_steps.forget_old_steps()
    assert not KeptStep.objects.exists()
