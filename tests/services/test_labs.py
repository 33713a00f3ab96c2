"""What a learner may do with a lab."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from lessons.models import LabSession
from lessons.sandbox import Progress
from lessons.services import lab_wakes, labs
from tests.factories import make_exercise, make_guest, make_lab, make_lab_exercise, make_learner

pytestmark = pytest.mark.django_db


def ago(**span: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(**span)


@pytest.fixture
def woken():
    """Whom the keeper was told of; None: anybody."""
    told: list[object] = []
    lab_wakes.listen(told.append)
    yield told
    lab_wakes.listen(None)


def test_request_lab_queues_a_lab_of_the_exercise(docker, woken):
    exercise = make_lab_exercise()
    lab = labs.request_lab(learner=make_learner(), exercise=exercise)
    assert (lab.state, lab.memory_mb, lab.revision_id) == ("requested", 512, exercise.revision_id)
    assert lab.lab_shape.environment == "docker"
    assert (labs.place_of(lab), woken) == (1, [None])


def test_request_lab_twice_gives_the_same_lab(docker):
    learner, exercise = make_learner(), make_lab_exercise()
    first = labs.request_lab(learner=learner, exercise=exercise)
    assert labs.request_lab(learner=learner, exercise=exercise).pk == first.pk
    assert LabSession.objects.count() == 1


def test_request_lab_of_another_exercise_names_the_open_one(docker):
    learner = make_learner()
    first = labs.request_lab(learner=learner, exercise=make_lab_exercise())
    with pytest.raises(labs.OneIsOpen) as refused:
        labs.request_lab(learner=learner, exercise=make_lab_exercise())
    assert refused.value.lab.pk == first.pk


def test_request_lab_allows_as_many_as_the_operator_says(docker, settings):
    settings.LABS_PER_LEARNER = 2
    learner = make_learner()
    for _ in range(2):
        labs.request_lab(learner=learner, exercise=make_lab_exercise())
    with pytest.raises(labs.OneIsOpen):
        labs.request_lab(learner=learner, exercise=make_lab_exercise())


def test_request_lab_is_for_guests_on_loopback_only(docker, settings):
    guest, exercise = make_guest(), make_lab_exercise()
    settings.LOOPBACK_ONLY = False
    with pytest.raises(labs.NotAllowed):
        labs.request_lab(learner=guest, exercise=exercise)
    settings.LOOPBACK_ONLY = True
    assert labs.request_lab(learner=guest, exercise=exercise).state == "requested"


def test_request_lab_waits_for_no_image(docker):
    docker.progresses["docker"] = Progress("building", 40, "만들고 있어요.")
    with pytest.raises(labs.EnvironmentNotReady) as refused:
        labs.request_lab(learner=make_learner(), exercise=make_lab_exercise())
    assert refused.value.progress.percent == 40
    assert not LabSession.objects.exists()


def test_request_lab_is_refused_where_there_is_no_lab_to_open(docker):
    for exercise in (make_exercise(), make_lab_exercise(archived=True)):
        with pytest.raises(labs.NotOpen):
            labs.request_lab(learner=make_learner(), exercise=exercise)


def test_place_of_counts_who_asked_before(docker):
    exercise = make_lab_exercise()
    rows = [make_lab(exercise=exercise, state="requested", requested_at=ago(seconds=9 - n)) for n in range(3)]
    assert [labs.place_of(row) for row in rows] == [1, 2, 3]
    assert labs.place_of(make_lab(exercise=exercise)) == 0


def test_extend_lab_moves_the_end_twice_and_takes_the_warning_back(docker):
    lab = make_lab(warned_at=timezone.now())
    before = lab.expires_at
    labs.extend_lab(lab=lab)
    assert (lab.expires_at - before, lab.warned_at, lab.extensions_left) == (datetime.timedelta(minutes=30), None, 1)
    labs.extend_lab(lab=lab)
    with pytest.raises(labs.NoExtensionLeft):
        labs.extend_lab(lab=lab)
    assert lab.expires_at - before == datetime.timedelta(minutes=60)


def test_extend_lab_that_is_over_is_refused(docker):
    with pytest.raises(labs.NotOpen):
        labs.extend_lab(lab=make_lab(state="ended"))


def test_end_lab_ends_once(docker, woken):
    lab = make_lab()
    labs.end_lab(lab=lab)
    assert (lab.state, lab.reason, lab.get_reason_display()) == ("ended", "learner", "실습을 끝냈어요.")
    labs.end_lab(lab=lab, reason="hard")
    assert (lab.reason, woken) == ("learner", [None])


@pytest.mark.parametrize("refused", ["building", "archived"])
def test_reset_lab_that_is_refused_ends_nothing(docker, refused):
    lab = make_lab()
    if refused == "building":
        docker.progresses["docker"] = Progress("building", 10, "만들고 있어요.")
    else:
        lab.exercise.archived = True
    with pytest.raises(labs.LabRefused):
        labs.reset_lab(lab=lab)
    lab.refresh_from_db()
    assert lab.state == "ready"


def test_request_lab_instead_of_another_ends_that_one_unless_it_is_refused(docker):
    other, exercise = make_lab(), make_lab_exercise()
    docker.progresses["docker"] = Progress("building", 10, "만들고 있어요.")
    with pytest.raises(labs.EnvironmentNotReady):
        labs.request_lab(learner=other.learner, exercise=exercise, instead=True)
    other.refresh_from_db()
    assert other.state == "ready"
    docker.progresses.clear()
    lab = labs.request_lab(learner=other.learner, exercise=exercise, instead=True)
    other.refresh_from_db()
    assert (lab.state, other.state, other.reason) == ("requested", "ended", "learner")
    assert labs.request_lab(learner=other.learner, exercise=exercise, instead=True) == lab


def test_reset_lab_keeps_the_turn_and_nothing_else(docker):
    lab = make_lab(requested_at=ago(minutes=9), seed=5)
    new = labs.reset_lab(lab=lab)
    lab.refresh_from_db()
    assert (lab.state, lab.reason) == ("ended", "reset")
    assert (new.state, new.keeps_home, new.requested_at) == ("requested", False, lab.requested_at)
    assert new.seed != lab.seed


def test_touch_lab_is_written_down_now_and_then(docker, django_assert_num_queries):
    lab = make_lab(seen_at=ago(seconds=20), used_at=ago(seconds=20))
    labs.touch_lab(lab=lab, used=True)
    with django_assert_num_queries(0):
        labs.touch_lab(lab=lab, used=True)
    lab.refresh_from_db()
    assert lab.used_at > ago(seconds=5)


def test_touch_lab_of_a_page_is_no_use(docker):
    lab = make_lab(seen_at=ago(seconds=20), used_at=ago(minutes=3))
    labs.touch_lab(lab=lab)
    lab.refresh_from_db()
    assert lab.seen_at > ago(seconds=5)
    assert lab.used_at < ago(minutes=2)


def test_touch_lab_wakes_a_paused_one_when_somebody_types(docker, woken):
    lab = make_lab(state="idle", seen_at=ago(seconds=30), used_at=ago(minutes=3))
    labs.touch_lab(lab=lab)
    assert woken == []
    labs.touch_lab(lab=lab, used=True)
    assert woken == [lab.pk]


def test_typing_takes_an_idle_warning_back_but_not_that_of_the_hard_end(docker):
    idle = make_lab(used_at=ago(minutes=17), warned_at=ago(minutes=1))
    labs.touch_lab(lab=idle, used=True)
    assert idle.warned_at is None
    hard = make_lab(used_at=ago(minutes=1), warned_at=ago(minutes=1), expires_at=ago(minutes=-2))
    labs.touch_lab(lab=hard, used=True)
    assert hard.warned_at is not None


def test_ends_at_is_the_first_limit_of_a_live_lab():
    used = ago(minutes=1)
    assert make_lab(used_at=used).ends_at == used + datetime.timedelta(minutes=20)
    soon = ago(minutes=-3)
    assert make_lab(used_at=used, expires_at=soon).ends_at == soon
    assert make_lab(state="requested").ends_at is None
