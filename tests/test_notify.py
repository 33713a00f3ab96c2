"""Waiting for the end of a submission within one process."""

from __future__ import annotations

import threading
import uuid

from lessons import notify


def test_wait_for_returns_as_soon_as_the_submission_changes():
    submission_id = uuid.uuid4()
    threading.Timer(0.02, notify.submission_changed, [submission_id]).start()
    assert notify.wait_for(submission_id, 10) is True


def test_wait_for_sees_a_change_that_came_just_before():
    submission_id = uuid.uuid4()
    notify.submission_changed(submission_id)
    assert notify.wait_for(submission_id, 0) is True


def test_wait_for_ends_by_itself_and_leaves_nothing_behind():
    submission_id = uuid.uuid4()
    assert notify.wait_for(submission_id, 0.01) is False
    assert submission_id not in notify._waiters


def test_wait_for_another_submission_is_not_woken():
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    notify.submission_changed(theirs)
    assert notify.wait_for(ours, 0.01) is False


def test_forget_makes_an_open_submission_worth_waiting_for_again():
    submission_id = uuid.uuid4()
    notify.submission_changed(submission_id)
    notify.forget(submission_id)
    assert notify.wait_for(submission_id, 0.01) is False


def test_remembered_changes_are_bounded():
    for _ in range(notify.REMEMBERED + 50):
        notify.submission_changed(uuid.uuid4())
    assert len(notify._changed) == notify.REMEMBERED
