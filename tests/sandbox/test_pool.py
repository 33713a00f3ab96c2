"""The warm pool and its gate, with containers that are none."""

from __future__ import annotations

import itertools
import threading

import pytest

from lessons.sandbox import EngineUnavailableError
from lessons.sandbox import pool as pools
from lessons.sandbox.limits import Shape
from lessons.sandbox.pool import Gate, Pool
from tests.sandbox.running import FakeContainer, eventually

PYTHON = Shape("python", 128)


class Yard:
    """Makes and removes containers for a pool and remembers them."""

    def __init__(self) -> None:
        self.made: list[FakeContainer] = []
        self.removed: list[FakeContainer] = []
        self.fails: Exception | None = None
        self.numbers = itertools.count()

    def make(self, shape: Shape) -> FakeContainer:
        if self.fails is not None:
            raise self.fails
        self.made.append(FakeContainer(shape, f"c{next(self.numbers)}"))
        return self.made[-1]

    def remove(self, container: FakeContainer) -> None:
        if self.fails is not None:
            raise self.fails
        self.removed.append(container)

    def pool(self, size: int = 2, prefill: tuple[Shape, ...] = (PYTHON,)) -> Pool:
        return Pool(size=size, gate=Gate(1), make=self.make, remove=self.remove, prefill=prefill)


@pytest.fixture
def yard() -> Yard:
    return Yard()


def refill(pool: Pool) -> None:
    while pool.refill_one():
        pass


def test_pool_fills_to_its_size_and_no_further(yard):
    pool = yard.pool()
    refill(pool)
    assert pool.parked_count() == len(yard.made) == 2
    assert {container.shape for container in yard.made} == {PYTHON}


def test_pool_gives_each_container_once_and_then_none(yard):
    pool = yard.pool()
    refill(pool)
    assert {pool.take(PYTHON), pool.take(PYTHON)} == set(yard.made)
    assert pool.take(PYTHON) is None


def test_pool_never_gives_a_container_of_another_shape(yard):
    pool = yard.pool()
    refill(pool)
    assert pool.take(Shape("python", 64)) is None
    assert pool.take(Shape("python-debian12", 128)) is None
    assert pool.parked_count() == 2


def test_pool_learns_the_shapes_that_are_asked_for(yard):
    pool = yard.pool(prefill=())
    wanted = Shape("python", 64)
    assert pool.take(wanted) is None
    refill(pool)
    taken = pool.take(wanted)
    assert taken.shape == wanted


def test_pool_fills_the_shape_asked_for_last_first(yard):
    pool = yard.pool()
    pool.take(Shape("python", 64))
    pool.refill_one()
    assert yard.made[0].shape == Shape("python", 64)


def test_pool_keeps_few_shapes_and_destroys_the_stalest(yard):
    pool = yard.pool()
    refill(pool)
    for memory in range(1, pools.MOST_SHAPES + 1):
        pool.take(Shape("python", memory))
    refill(pool)
    while pool.remove_one():
        pass
    assert yard.removed == yard.made[:2]  # of the first shape
    assert pool.parked_count() == 2 * pools.MOST_SHAPES
    for memory in range(1, 200):
        pool.take(Shape("python", memory))
    assert len(pool._parked) == pools.MOST_SHAPES


def test_pool_of_no_size_remembers_nothing(yard):
    pool = yard.pool(size=0, prefill=())
    assert pool.take(PYTHON) is None
    assert not pool.refill_one()
    assert yard.made == []


def test_pool_retires_aged_containers_before_their_deadline(yard):
    assert pools.RETIRE_SECONDS < pools.LIFETIME_SECONDS
    pool = yard.pool()
    refill(pool)
    aged = yard.made[0]
    aged.born -= pools.RETIRE_SECONDS + 1
    refill(pool)
    while pool.remove_one():
        pass
    assert yard.removed == [aged]
    assert aged not in {pool.take(PYTHON), pool.take(PYTHON)}


def test_pool_destroys_a_dismissed_container_later(yard):
    pool = yard.pool()
    used = FakeContainer(PYTHON)
    pool.dismiss(used)
    assert not used.closed  # park waits in it: ending it now would stand beside the next run
    assert yard.removed == []
    assert pool.remove_one()
    assert used.closed
    assert yard.removed == [used]
    assert not pool.remove_one()


def test_pool_that_cannot_make_says_so_and_goes_on(yard, monkeypatch, caplog):
    monkeypatch.setattr(pools, "AFTER_FAILURE_SECONDS", 0.01)
    pool = yard.pool()
    yard.fails = EngineUnavailableError("no engine")
    assert not pool.refill_one()
    assert "no engine" in caplog.text
    yard.fails = None
    assert pool.refill_one()


def test_pool_leaves_what_it_cannot_remove_to_the_reaper(yard, caplog):
    pool = yard.pool()
    pool.dismiss(FakeContainer(PYTHON))
    yard.fails = EngineUnavailableError("no engine")
    assert pool.remove_one()
    assert not pool.remove_one()
    assert "left to the reaper" in caplog.text


def test_pool_forgets_all_when_the_engine_is_gone(yard):
    pool = yard.pool()
    refill(pool)
    pool.drop_all()
    assert pool.parked_count() == 0
    assert pool.take(PYTHON) is None
    while pool.remove_one():
        pass
    assert yard.removed == yard.made


def test_pool_starts_nothing_where_it_may_not(yard):
    pool = yard.pool()
    pool._may_make = lambda shape: False
    assert not pool.refill_one()
    assert yard.made == []


def test_pool_gives_up_the_shape_asked_for_least_recently(yard):
    pool = yard.pool(size=1)
    other = Shape("python", 64)
    pool.take(other)
    refill(pool)
    assert pool.evict().shape == PYTHON
    assert pool.evict().shape == other
    assert pool.evict() is None
    while pool.remove_one():
        pass
    assert yard.removed == [yard.made[1], yard.made[0]]


def test_pool_closed_destroys_everything(yard):
    pool = yard.pool()
    pool.start()
    eventually(lambda: pool.parked_count() == 2)
    dismissed = pool.take(PYTHON)
    pool.dismiss(dismissed)
    pool.close()
    assert set(yard.removed) == set(yard.made)
    assert all(container.closed for container in yard.made)
    assert not [thread for thread in threading.enumerate() if thread.name in ("sandbox-pool", "sandbox-remover")]


def test_pool_closed_while_making_destroys_what_comes_late(yard):
    pool = yard.pool(size=1)
    making, go_on = threading.Event(), threading.Event()
    make = yard.make

    def slowly(shape: Shape) -> FakeContainer:
        making.set()
        assert go_on.wait(10)
        return make(shape)

    pool._make = slowly
    pool.start()
    assert making.wait(10)
    closing = threading.Thread(target=pool.close)
    closing.start()
    eventually(lambda: pool._closing)
    go_on.set()
    closing.join()
    assert yard.removed == yard.made
    assert len(yard.made) == 1


def test_pool_upkeep_survives_an_unexpected_error(yard, caplog):
    pool = yard.pool(size=1)
    failing = iter([ValueError("surprise")])
    make = yard.make

    def once(shape: Shape) -> FakeContainer:
        for error in failing:
            raise error
        return make(shape)

    pool._make = once
    pool.start()
    eventually(lambda: pool.parked_count() == 1)
    pool.close()
    assert "surprise" in caplog.text


def test_upkeep_waits_while_runs_are_under_way(yard):
    pool = yard.pool()
    with pool._gate:
        assert not pool.refill_one()
        assert yard.made == []
    assert pool.refill_one()


def test_removal_waits_for_quiet_but_not_forever(yard, monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE_SECONDS", 0.05)
    pool = yard.pool()
    with pool._gate:
        pool.dismiss(FakeContainer(PYTHON))
        assert pool.remove_one()
    assert len(yard.removed) == 1


def test_many_waiting_removals_no_longer_wait_for_quiet(yard, monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE_SECONDS", 3600.0)
    pool = yard.pool()
    with pool._gate:
        for _ in range(pools.MOST_REMOVALS_WAITING + 1):
            pool.dismiss(FakeContainer(PYTHON))
        assert pool.remove_one()
    assert len(yard.removed) == 1


def test_gate_is_quiet_below_its_mark():
    gate = Gate(busy_from=2, settle_seconds=0)
    assert gate.wait_until_quiet(0)
    with gate:
        assert gate.wait_until_quiet(0)
        with gate:
            assert not gate.wait_until_quiet(0.01)
        assert gate.wait_until_quiet(0)


def test_gate_stays_shut_while_a_verdict_is_on_its_way():
    gate = Gate(busy_from=1, settle_seconds=60)
    assert gate.wait_until_quiet(0)
    with gate:
        pass
    assert not gate.wait_until_quiet(0.01)


def test_gate_lets_upkeep_go_on_once_a_run_has_ended():
    gate = Gate(busy_from=0, settle_seconds=0.01)
    quiet: list[bool] = []
    with gate:
        waiting = threading.Thread(target=lambda: quiet.append(gate.wait_until_quiet(10)))
        waiting.start()
    waiting.join()
    assert quiet == [True]
