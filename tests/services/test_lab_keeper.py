"""Limits, pauses, deaths and ends of labs: the keeper's steps, one by one."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.utils import timezone

from lessons.models import KeptHome, LabSession
from lessons.sandbox import EngineUnavailableError
from lessons.services import lab_keeper, lab_upkeep, labs, watching
from lessons.services.lab_keeper import LabKeeper
from lessons.services.lab_use import alone_with, in_use
from tests.factories import make_lab, make_lab_exercise, make_learner, make_submission
from tests.services.labs import make_cluster_exercise, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(docker) -> LabKeeper:
    return LabKeeper(placing=2)


def ago(**span: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(**span)


def after(row: LabSession, **fields) -> LabSession:
    """The row with other times."""
    LabSession.objects.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()
    return row


def now(row: LabSession) -> LabSession:
    row.refresh_from_db()
    return row


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"expires_at": {"seconds": 1}}, "hard"),
        ({"used_at": {"minutes": 21}}, "idle"),
        ({"seen_at": {"minutes": 6}}, "away"),
    ],
)
def test_look_once_ends_a_lab_at_its_limit(keeper, docker, fields, reason):
    row = after(opened(), **{name: ago(**span) for name, span in fields.items()})
    assert keeper.look_once()
    assert (now(row).state, row.reason) == ("ended", reason)


def test_look_once_leaves_a_lab_in_use_alone(keeper, docker):
    row = opened()
    assert not keeper.look_once()
    assert now(row).state == "ready"


def test_look_once_lets_a_grading_finish_but_not_for_ever(keeper, docker):
    row = after(opened(), expires_at=ago(seconds=5), warned_at=ago(minutes=5))
    make_submission(row.learner, row.exercise, lab=row, status="running", files={})
    assert not keeper.look_once()
    after(row, expires_at=ago(minutes=10))
    assert keeper.look_once()
    assert now(row).reason == "hard"


def test_look_once_warns_once(keeper, docker):
    row = after(opened(), expires_at=ago(minutes=-4))
    assert keeper.look_once()
    assert now(row).warned_at is not None
    assert not keeper.look_once()


@pytest.mark.parametrize("fields", [{"seen_at": {"seconds": 70}}, {"used_at": {"minutes": 11}}])
def test_look_once_pauses_what_nobody_uses(keeper, docker, fields):
    row = after(opened(), **{name: ago(**span) for name, span in fields.items()})
    assert keeper.look_once()
    assert (now(row).state, docker.lab_of(row).paused) == ("idle", True)
    assert row.idle_at is not None


def test_look_once_never_pauses_a_lab_that_somebody_works_in(keeper, docker):
    row = after(opened(), seen_at=ago(seconds=70))
    with in_use(row):
        assert not keeper.look_once()
    make_submission(row.learner, row.exercise, lab=row, files={})
    assert not keeper.look_once()
    assert now(row).state == "ready"


def test_wake_once_lets_a_paused_lab_go_on(keeper, docker):
    row = after(opened(), seen_at=ago(seconds=70))
    keeper.look_once()
    assert not keeper.wake_once()
    keeper.wake(row.pk)
    assert keeper.wake_once()
    assert (now(row).state, docker.lab_of(row).paused) == ("ready", False)


def test_wake_once_of_a_lab_that_died_while_paused_says_so(keeper, docker):
    row = after(opened(), seen_at=ago(seconds=70))
    keeper.look_once()
    docker.lab_of(row).kill()
    keeper.wake(row.pk)
    keeper.wake_once()
    assert (now(row).state, row.reason) == ("failed", "gone")


def test_bury_once_notes_deaths_and_nothing_else(keeper, docker, monkeypatch):
    row, other = opened(), opened()
    docker.lab_of(row).kill()
    assert keeper.bury_once()
    assert (now(row).state, now(other).state) == ("failed", "ready")
    assert "엔진" in row.get_reason_display()

    def no_answer(lab):
        raise EngineUnavailableError("down")

    monkeypatch.setattr("tests.fake_labs.FakeLab.alive", no_answer)
    assert not keeper.bury_once()
    assert now(other).state == "ready"


def test_place_one_prepares_who_waits(keeper, docker):
    row = labs.request_lab(learner=make_learner(), exercise=make_lab_exercise())
    assert keeper.place_one()
    assert now(row).state == "ready"
    assert not keeper.place_one()


@pytest.mark.parametrize(("reason", "kept"), [("learner", True), ("hard", True), ("away", True), ("reset", False)])
def test_remove_saves_the_home_unless_it_begins_anew(keeper, docker, reason, kept):
    row = opened()
    lab = docker.lab_of(row)
    labs.end_lab(lab=row, reason=reason)
    assert keeper.remove(row)
    assert (now(row).container, lab.ended) == ("", True)
    assert KeptHome.objects.filter(learner=row.learner, data=b"saved").exists() is kept
    if kept:
        assert lab.save_calls == [("/root/work", "/root/.bash_history")]


def test_remove_waits_a_while_for_who_still_uses_the_lab(keeper, docker, monkeypatch):
    monkeypatch.setattr(lab_keeper, "REMOVE_AGAIN_SECONDS", 0.02)
    row = opened()
    labs.end_lab(lab=row)
    with in_use(now(row)):
        assert not keeper.remove(now(row))
        assert not KeptHome.objects.exists()
        assert keeper.remove(after(row, ended_at=ago(seconds=lab_keeper.KEEP_PATIENCE_SECONDS + 1)))
    assert now(row).container == ""


def test_remove_saves_what_had_to_wait(keeper, docker):
    row = opened()
    labs.end_lab(lab=row)
    assert keeper.remove(now(row))
    assert KeptHome.objects.filter(learner=row.learner).exists()


def test_remove_of_a_lab_too_large_keeps_what_was_there_before(keeper, docker):
    row = opened()
    KeptHome.objects.create(learner=row.learner, exercise=row.exercise, data=b"before")
    docker.lab_of(row).saved = b"x" * (3 << 20)
    labs.end_lab(lab=row)
    assert keeper.remove(row)
    assert bytes(KeptHome.objects.get().data) == b"before"


@pytest.mark.parametrize(("keep", "most"), [(("cluster",), 4), (("cluster", "registry"), 16)])
def test_remove_saves_a_cluster_with_what_the_next_lab_takes_over(keeper, docker, keep, most):
    row = opened(exercise=make_cluster_exercise(*keep))
    latched = {"died": {"id": "died", "title": "died", "passed": True}}
    LabSession.objects.update(latched=latched)
    lab = docker.lab_of(row)
    lab.saved = b"x" * (most << 20)
    labs.end_lab(lab=row)
    assert keeper.remove(row)
    assert lab.save_calls == [("/root/work", *keep, "/root/.bash_history")]
    home = KeptHome.objects.get()
    assert (len(home.data), home.has_cluster, home.seed) == (most << 20, True, row.seed)
    assert (home.baseline, home.latched) == ({"baseline.before": {"Id": "sha256:1"}}, latched)


def test_remove_leaves_out_a_registry_that_is_too_large(keeper, docker, caplog):
    row = opened(exercise=make_cluster_exercise("cluster", "registry"))
    lab = docker.lab_of(row)
    lab.registry = b"x" * (17 << 20)
    labs.end_lab(lab=row)
    assert keeper.remove(row)
    assert lab.save_calls[1] == ("/root/work", "cluster", "/root/.bash_history")
    assert bytes(KeptHome.objects.get().data) == b"saved"
    assert "saving less" in caplog.text


def test_remove_keeps_at_least_the_cluster_where_files_are_too_large(keeper, docker):
    row = opened(exercise=make_cluster_exercise("cluster", "/root"))
    docker.lab_of(row).home = b"x" * (5 << 20)
    labs.end_lab(lab=row)
    assert keeper.remove(row)
    assert docker.lab_of(row).save_calls[-1] == ("cluster", "/root/.bash_history")
    assert bytes(KeptHome.objects.get().data) == b"saved"


def test_remove_leaves_nothing_large_in_the_row(keeper, docker):
    row = opened()
    LabSession.objects.update(events=[1], streams={"a": {}}, topology={"docker": []})
    labs.end_lab(lab=row)
    assert keeper.remove(row)
    row = now(row)
    assert (row.events, row.streams, row.topology, row.baseline) == ([], {}, None, {})


def test_remove_of_a_dead_lab_saves_nothing(keeper, docker):
    row = opened()
    docker.lab_of(row).kill()
    lab_upkeep.fail_if_dead(row)
    assert keeper.remove(now(row))
    assert not KeptHome.objects.exists()


def test_remove_that_fails_is_tried_again(keeper, docker, monkeypatch):
    row = opened()
    labs.end_lab(lab=row)

    def no_answer(lab):
        raise EngineUnavailableError("down")

    monkeypatch.setattr("tests.fake_labs.FakeLab.end", no_answer)
    assert not keeper.remove(row)
    assert now(row).container
    monkeypatch.undo()


def test_sweep_orphans_once_removes_what_no_row_has(keeper, docker):
    row = opened()
    lost = docker.open_lab(row.lab_shape, owner=str(row.pk), lifetime=1)
    strange = docker.open_lab(row.lab_shape, owner="somebody-else", lifetime=1)
    assert keeper.sweep_orphans_once()
    assert (lost.ended, strange.ended, docker.lab_of(row).ended) == (True, False, False)
    assert not keeper.sweep_orphans_once()


def test_watch_once_follows_ready_labs_only(keeper, docker):
    row = opened()
    assert keeper.watch_once()
    assert not keeper.watch_once()
    after(row, state="idle")
    assert keeper.watch_once()
    assert row.pk not in watching._watchers


def test_labs_go_on_over_a_restart(docker):
    row = opened()
    first = LabKeeper(placing=1)
    first.stop()
    second = LabKeeper(placing=1)
    assert not second.bury_once()
    assert not second.sweep_orphans_once()
    assert (now(row).state, docker.lab_of(row).alive()) == ("ready", True)


def test_alone_with_waits_for_who_works(docker):
    row = opened()
    inside = threading.Event()
    leave = threading.Event()

    def work():
        with in_use(row):
            inside.set()
            leave.wait(5)

    worker = threading.Thread(target=work)
    worker.start()
    assert inside.wait(5)
    with alone_with(row.pk) as alone:
        assert not alone
    leave.set()
    with alone_with(row.pk, seconds=5) as alone:
        assert alone
    worker.join()


@pytest.mark.django_db(transaction=True)
def test_keeper_serves_a_lab_from_request_to_removal(docker):
    keeper = lab_keeper.start()
    try:
        row = labs.request_lab(learner=make_learner(), exercise=make_lab_exercise())
        assert eventually(lambda: now(row).state == "ready")
        container = row.container
        labs.end_lab(lab=row)
        assert eventually(lambda: now(row).container == "")
        assert docker.labs[container].ended
        assert lab_keeper.start() is keeper
    finally:
        lab_keeper.stop()
    assert not keeper._thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_keeper_learns_of_a_death_from_the_lab_itself(docker):
    lab_keeper.start()
    try:
        row = labs.request_lab(learner=make_learner(), exercise=make_lab_exercise())
        assert eventually(lambda: now(row).state == "ready" and bool(docker.lab_of(row).streams))
        docker.lab_of(row).kill()
        assert eventually(lambda: now(row).state == "failed")
    finally:
        lab_keeper.stop()


def eventually(holds) -> bool:
    """Whether it becomes true within 10 s."""
    done = threading.Event()
    for _ in range(500):
        if holds():
            return True
        done.wait(0.02)
    return False


def test_row_of_a_lab_without_limits_yet_is_left_alone(keeper, docker):
    row = make_lab(state="placed", lease_until=ago(seconds=-9))
    assert not keeper.look_once()
    assert now(row).state == "placed"
