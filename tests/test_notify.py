"""Waiting for the end of a submission, and following a lab, within one process."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from contextlib import aclosing

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


def test_wait_for_lab_asks_again_after_each_change():
    lab_id = uuid.uuid4()
    said = iter([False, False, True])
    timers = [threading.Timer(seconds, notify.lab_changed, [lab_id]) for seconds in (0.02, 0.05)]
    for timer in timers:
        timer.start()
    assert notify.wait_for_lab(lab_id, 10, lambda: next(said)) is True
    assert lab_id not in notify._lab_waiters


def test_wait_for_lab_ends_by_itself_and_leaves_nothing_behind():
    lab_id = uuid.uuid4()
    assert notify.wait_for_lab(lab_id, 0.01, lambda: False) is False
    assert lab_id not in notify._lab_waiters


def test_remembered_changes_are_bounded():
    for _ in range(notify.REMEMBERED + 50):
        notify.submission_changed(uuid.uuid4())
    assert len(notify._changed) == notify.REMEMBERED


def follow(lab_id: uuid.UUID, changes: int, *, tell: Callable[[], None], patience: float = 10) -> int:
    """How many changes of the lab came while ``tell`` was called before each of ``changes`` looks."""

    async def count() -> int:
        came = 0
        async with aclosing(notify.lab_changes(lab_id)) as followed:
            for _ in range(changes):
                waiting = asyncio.ensure_future(anext(followed))
                await asyncio.sleep(0)
                threading.Thread(target=tell).start()
                try:
                    await asyncio.wait_for(waiting, patience)
                except TimeoutError:
                    return came
                came += 1
        return came

    return asyncio.run(count())


def test_lab_changes_come_from_any_thread():
    lab_id = uuid.uuid4()
    assert follow(lab_id, 3, tell=lambda: notify.lab_changed(lab_id)) == 3


def test_lab_changes_of_another_lab_are_not_told():
    lab_id = uuid.uuid4()
    assert follow(lab_id, 1, tell=lambda: notify.lab_changed(uuid.uuid4()), patience=0.1) == 0


def test_lab_changes_that_are_left_leave_nothing_behind():
    lab_id = uuid.uuid4()
    follow(lab_id, 1, tell=lambda: notify.lab_changed(lab_id))
    assert lab_id not in notify._listeners
    notify.lab_changed(lab_id)


def test_lab_changes_that_come_fast_are_told_as_one():
    lab_id = uuid.uuid4()

    async def count() -> int:
        async with aclosing(notify.lab_changes(lab_id)) as followed:
            waiting = asyncio.ensure_future(anext(followed))
            await asyncio.sleep(0)
            for _ in range(5):
                notify.lab_changed(lab_id)
            await waiting
            try:
                await asyncio.wait_for(anext(followed), 0.05)
            except TimeoutError:
                return 1
        return 2

    assert asyncio.run(count()) == 1
