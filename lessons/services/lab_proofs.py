"""Labs of proofs: a fresh one for each case, with the case's script typed into its terminal.

A lab out of the pool is as cheap as taking one back to its beginning, and certainly untouched.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils.translation import gettext as _

from lessons.contracts import ExerciseSpec
from lessons.models import Exercise, LabReason, LabSession, Origin, User
from lessons.sandbox import Lab, LabGoneError
from lessons.services import lab_placing, lab_upkeep, labs, watching
from lessons.services.answers import LAB_FILE
from lessons.services.lab_events import catch_up
from lessons.services.lab_records import look
from lessons.services.lab_use import in_use, lab_of
from lessons.services.typing import typist

SCRIPT = LAB_FILE
LOOK_SECONDS = 0.2  # between looks for memory that is free
BUILDING_SECONDS = 1.0
TURN_SECONDS = 600.0  # until its memory is free; while others' labs go on, nobody says when that is
RENEW_SECONDS = 3.0


class NoTurn(labs.LabRefused):
    """No memory was free for so long."""


@contextmanager
def proof_lab(*, learner: User, exercise: Exercise, worker: str) -> Iterator[LabSession]:
    """A lab of its own, ready, gone afterwards. Waits for its image and for its turn.

    Raises LabRefused, also after ten minutes without a turn, or LabGoneError with the Korean reason where it could not
    be made ready.
    """
    row = _requested(learner, exercise)
    try:
        _place(row, worker)
        watching.begin(row.pk)
        yield row
    finally:
        watching.stop(row.pk)
        labs.end_lab(lab=row, reason=LabReason.LEARNER)
        if row.container:
            lab_of(row).end()
        LabSession.objects.filter(pk=row.pk).delete()


@contextmanager
def played(row: LabSession, spec: ExerciseSpec, script: str) -> Iterator[None]:
    """The lab after the script was typed into it, with the terminal still open. Raises SandboxError, TypingFailed.

    Where a step counts once it was seen, every line is looked at: a script is faster than the live watch.
    """
    if not script:
        yield
        return
    latches = any(check.latch for check in spec.checks)
    with in_use(row) as lab, typist(lab, host=spec.engines[0] if spec.engines else "") as hand:
        hand.type(script, after_line=(lambda: _look(row, lab)) if latches else (lambda: None))
        yield


def _look(row: LabSession, lab: Lab) -> None:
    watching.settle(row.pk, seconds=1.0)
    catch_up(row.pk, lab)
    look(LabSession.objects.select_related("revision", "exercise").get(pk=row.pk))


def _requested(learner: User, exercise: Exercise) -> LabSession:
    pause = threading.Event()  # never set: a wait that a signal ends
    while True:
        try:
            return labs.request_lab(learner=learner, exercise=exercise, origin=Origin.PROOF)
        except labs.EnvironmentNotReady as error:
            if error.progress.state != "building":
                raise
            pause.wait(BUILDING_SECONDS)


def _place(row: LabSession, worker: str) -> None:
    pause = threading.Event()
    ends_at = time.monotonic() + TURN_SECONDS
    while True:
        placed = lab_placing.claim_lab(worker=worker, only=[row.pk])
        if placed is not None:
            break
        lab_upkeep.give_back_lost()  # where no portal looks: a dead command's labs must not keep the memory
        lab_upkeep.end_lost_proofs()
        if time.monotonic() >= ends_at:
            text = _("%(n)d분을 기다렸지만 실습에 쓸 메모리가 비지 않았어요. 열린 실습이 줄면 다시 해 보세요.")
            raise NoTurn(text % {"n": round(TURN_SECONDS / 60)})
        pause.wait(LOOK_SECONDS)
    with _leased(worker):
        ready = lab_placing.prepare(placed)
    row.refresh_from_db()
    if not ready:
        raise LabGoneError(str(row.get_reason_display()))


@contextmanager
def _leased(worker: str) -> Iterator[None]:
    """Keep what ``worker`` prepares its own from a thread while the body runs."""
    done = threading.Event()

    def renew() -> None:
        try:
            while not done.wait(RENEW_SECONDS):
                lab_placing.renew_leases(worker=worker)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="lab-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
