"""From a lab that waits to one that can be used."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from lessons.models import KeptHome, LabSession
from lessons.sandbox import EngineFullError, EngineUnavailableError, EnvironmentMissingError, LabGoneError
from lessons.services import lab_placing, lab_records, lab_upkeep, labs
from tests.factories import LAB_FILES, make_exercise, make_lab, make_lab_exercise, make_learner
from tests.services.labs import FAILED, make_cluster_exercise, opened

pytestmark = pytest.mark.django_db


def claim() -> LabSession | None:
    return lab_placing.claim_lab(worker="w")


def prepared(row: LabSession) -> LabSession:
    lab_placing.prepare(lab_placing.claim_lab(worker="w", only=[row.pk]))
    row.refresh_from_db()
    return row


def waiting(**fields) -> LabSession:
    return make_lab(**{"state": "requested", **fields})


def test_claim_lab_takes_the_longest_waiting(docker):
    exercise, now = make_lab_exercise(), timezone.now()
    rows = [waiting(exercise=exercise, requested_at=now - datetime.timedelta(seconds=s)) for s in (1, 3, 2)]
    assert [claim().pk for _ in rows] == [rows[1].pk, rows[2].pk, rows[0].pk]
    assert claim() is None


def test_claim_lab_keeps_the_cap_of_memory(docker, settings):
    settings.LAB_MEMORY_MB = 1100
    exercise = make_lab_exercise()
    rows = [waiting(exercise=exercise) for _ in range(3)]
    assert claim()
    assert claim()
    assert claim() is None
    assert LabSession.objects.get(pk=rows[2].pk).state == "requested"
    labs.end_lab(lab=rows[0])
    assert claim() is not None


def test_claim_lab_counts_a_container_that_is_not_removed_yet(docker, settings):
    settings.LAB_MEMORY_MB = 600
    over = make_lab(state="ended", container="c1")
    row = waiting(exercise=over.exercise)
    assert claim() is None
    LabSession.objects.filter(pk=over.pk).update(container="")
    assert claim() == row


def test_claim_lab_waits_for_the_home_of_the_one_before(docker):
    before = make_lab(state="ended", reason="learner", container="c1")
    row = waiting(learner=before.learner, exercise=before.exercise)
    anew = waiting(exercise=before.exercise)
    assert claim() == anew
    assert claim() is None
    LabSession.objects.filter(pk=before.pk).update(container="")
    assert claim() == row


def test_claim_lab_larger_than_the_cap_has_its_turn_alone(docker, settings):
    settings.LAB_MEMORY_MB = 400
    exercise = make_lab_exercise()
    rows = [waiting(exercise=exercise) for _ in range(2)]
    assert claim() == rows[0]
    assert claim() is None


def test_claim_lab_leaves_proofs_to_their_command(docker):
    row = waiting(origin="proof")
    assert claim() is None
    assert lab_placing.claim_lab(worker="w", only=[row.pk]) == row


def test_prepare_furnishes_the_lab_and_makes_it_ready(docker):
    row = opened()
    lab = docker.lab_of(row)
    assert (row.state, row.lease_until, lab.owner) == ("ready", None, str(row.pk))
    assert lab.files == {"/root/notes/read-me.txt": "안녕하세요\n", "/root/run.sh": "#!/bin/sh\n"}
    assert lab.ran[0][0] == "touch"
    assert lab.ran[0][1].removeprefix("/root/set-").isdigit()
    assert row.baseline == {"baseline.before": {"Id": "sha256:1"}}
    assert row.expires_at - row.ready_at == datetime.timedelta(minutes=60)
    assert lab.lifetime > 3600


def test_prepare_puts_files_on_the_host_that_the_author_names(docker):
    files = dict(LAB_FILES)
    files["exercise.yaml"] = files["exercise.yaml"].replace(
        "setup:", "engines: [laptop, server]\nstarter_on: server\nsetup:"
    )
    row = opened(exercise=make_exercise(files=files))
    assert row.lab_shape.engines == ("laptop", "server")
    assert set(docker.lab_of(row).hosts["server"]) == {"/root/notes/read-me.txt", "/root/run.sh"}


@pytest.mark.parametrize(("keeps", "loaded"), [(True, [b"mine"]), (False, [])])
def test_prepare_puts_in_what_was_kept_unless_it_begins_anew(docker, keeps, loaded):
    row = waiting(keeps_home=keeps)
    KeptHome.objects.create(learner=row.learner, exercise=row.exercise, data=b"mine")
    assert docker.lab_of(prepared(row)).loaded == loaded


def resumed(exercise=None, **fields) -> LabSession:
    """A lab that waits and goes on where another of a cluster ended."""
    row = waiting(exercise=exercise or make_cluster_exercise())
    latched = {"died": result("died"), "gone": result("gone")}
    defaults = {"data": b"mine", "has_cluster": True, "seed": 4711, "latched": latched}
    defaults["baseline"] = {"baseline.before": {"Id": "sha256:old"}, "baseline.gone": 1}
    KeptHome.objects.create(learner=row.learner, exercise=row.exercise, **{**defaults, **fields})
    return row


def result(name: str) -> dict[str, object]:
    """As latched results are stored, with a field that a version before this one had."""
    return {"id": name, "title": name, "passed": True, "latched": True, "colour": "green"}


def test_prepare_puts_a_cluster_back_after_setup_with_what_was_drawn_for_it(docker):
    row = prepared(resumed())
    lab = docker.lab_of(row)
    assert (row.state, row.seed, lab.loaded) == ("ready", 4711, [b"mine"])
    assert lab.done == ["put", "run", "load"]
    assert row.baseline == {"baseline.before": {"Id": "sha256:old"}}
    assert {name: one.passed for name, one in lab_records.latched_of(row).items()} == {"died": True}


def test_prepare_asks_for_a_baseline_that_was_not_kept(docker):
    row = prepared(resumed(baseline={}))
    assert docker.lab_of(row).done == ["put", "run", "ask", "load"]
    assert row.baseline == {"baseline.before": {"Id": "sha256:1"}}


def test_prepare_puts_files_in_before_setup(docker):
    row = waiting()
    KeptHome.objects.create(learner=row.learner, exercise=row.exercise, data=b"mine", seed=4711)
    row = prepared(row)
    assert docker.lab_of(row).done == ["put", "load", "run", "ask"]
    assert row.seed == 7


def test_prepare_leaves_out_a_cluster_that_the_exercise_no_longer_keeps(docker):
    row = prepared(resumed(make_lab_exercise()))
    assert (row.state, row.seed, docker.lab_of(row).loaded) == ("ready", 7, [])


def test_lab_whose_cluster_cannot_be_put_back_begins_anew(docker, caplog):
    row = claim_of(resumed())
    opening = docker.open_lab

    def broken(*args, **options):
        lab = opening(*args, **options)
        lab.load_error = EngineUnavailableError("attendant load: 1")
        return lab

    docker.open_lab = broken
    assert lab_placing.prepare(row) is False
    row.refresh_from_db()
    assert (row.state, row.container, row.keeps_home) == ("requested", "", False)
    assert all(lab.ended for lab in docker.labs.values())
    assert "without what was kept" in caplog.text
    assert prepared(row).state == "ready"
    assert KeptHome.objects.exists()


def test_cluster_that_is_put_back_at_the_second_try_goes_on(docker, monkeypatch):
    tries = []

    def load(lab, data, *, seconds):
        tries.append(data)
        if len(tries) == 1:
            raise EngineUnavailableError("attendant load: 1")

    monkeypatch.setattr("tests.fake_labs.FakeLab.load", load)
    assert prepared(resumed()).state == "ready"
    assert tries == [b"mine", b"mine"]


def test_prepare_that_lost_its_turn_takes_nothing_over(docker):
    row = claim_of(resumed())
    opening = docker.open_lab

    def ended_meanwhile(*args, **options):
        lab = opening(*args, **options)
        lab.put = lambda files, host="": LabSession.objects.update(state="ended")
        return lab

    docker.open_lab = ended_meanwhile
    assert lab_placing.prepare(row) is False
    row.refresh_from_db()
    assert (row.state, row.seed) == ("ended", 7)


def test_prepare_with_a_setup_that_fails_says_so(docker, monkeypatch, caplog):
    monkeypatch.setattr("tests.fake_labs.FakeLab.run", lambda *args, **options: FAILED)
    row = prepared(waiting())
    assert (row.state, row.reason) == ("failed", "setup")
    assert "ended with 2: 그런 파일이 없어요" in caplog.text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EngineUnavailableError, "engine"),
        (EnvironmentMissingError, "environment"),
        (EngineFullError, "disk"),
        (LabGoneError, "gone"),
    ],
)
def test_prepare_without_a_container_fails_with_its_reason(docker, error, reason):
    docker.down = error("no container")
    row = prepared(waiting())
    assert (row.state, row.reason) == ("failed", reason)
    assert row.failed_at is not None


def test_prepare_of_a_broken_revision_is_the_authors_fault(docker):
    exercise = make_exercise(files={**LAB_FILES, "exercise.yaml": "kind: lab\n"})
    row = prepared(waiting(exercise=exercise))
    assert (row.state, row.reason) == ("failed", "content")


def test_prepare_with_a_fault_of_ours_is_told_apart(docker, monkeypatch, caplog):
    monkeypatch.setattr(lab_placing, "lifetime", lambda: 1 / 0)
    assert prepared(waiting()).reason == "internal"
    assert "could not be prepared" in caplog.text


def test_prepare_of_a_lab_that_was_ended_meanwhile_leaves_nothing(docker):
    row = claim_of(waiting())
    labs.end_lab(lab=LabSession.objects.get(pk=row.pk))
    assert lab_placing.prepare(row) is False
    assert LabSession.objects.get(pk=row.pk).state == "ended"
    assert all(lab.ended for lab in docker.labs.values())


def test_prepare_that_lost_its_turn_fails_nobody_elses(docker):
    row = claim_of(waiting())
    LabSession.objects.update(state="requested", worker="", placed_at=None)
    again = claim_of(row)
    docker.down = EngineUnavailableError("down")
    assert lab_placing.prepare(row) is False
    again.refresh_from_db()
    assert again.state == "placed"


def claim_of(row: LabSession) -> LabSession:
    found = lab_placing.claim_lab(worker="w", only=[row.pk])
    assert found is not None
    return found


def test_lab_whose_preparer_died_waits_again_and_its_container_goes(docker):
    row = claim_of(waiting())
    lab = docker.open_lab(row.lab_shape, owner=str(row.pk), lifetime=1)
    past = timezone.now() - datetime.timedelta(seconds=1)
    LabSession.objects.update(container=lab.id, lease_until=past)
    assert lab_upkeep.give_back_lost()
    row.refresh_from_db()
    assert (row.state, row.container, lab.ended) == ("requested", "", True)
    assert not lab_upkeep.give_back_lost()


def test_proof_whose_command_died_has_failed(docker):
    row = claim_of(waiting(origin="proof"))
    LabSession.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    lab_upkeep.give_back_lost()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "internal")


def test_proofs_lab_that_its_command_left_behind_ends(docker):
    lost = make_lab(origin="proof", container="c1", expires_at=timezone.now() - datetime.timedelta(seconds=1))
    fresh = make_lab(origin="proof", container="c2")
    assert lab_upkeep.end_lost_proofs()
    assert not lab_upkeep.end_lost_proofs()
    lost.refresh_from_db()
    fresh.refresh_from_db()
    assert (lost.state, lost.container, fresh.state) == ("ended", "", "ready")


def test_lease_that_is_renewed_is_not_given_back(docker):
    row = claim_of(waiting())
    LabSession.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    assert lab_placing.renew_leases(worker="w") == 1
    assert not lab_upkeep.give_back_lost()
    row.refresh_from_db()
    assert row.state == "placed"


def test_learners_of_one_exercise_each_have_their_own(docker):
    exercise = make_lab_exercise()
    rows = [opened(make_learner(), exercise) for _ in range(2)]
    assert len({row.container for row in rows}) == 2
