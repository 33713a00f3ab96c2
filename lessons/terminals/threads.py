"""The one place where blocking calls (the sandbox's, the database's) leave the event loop for threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import connections

THREADS = 8  # a call takes milliseconds to a second; a class that opens its terminals at once waits its turn

T = TypeVar("T")
_pool: ThreadPoolExecutor | None = None


async def in_thread(call: Callable[..., T], /, *arguments: object, seconds: float, **named: object) -> T:
    """What ``call`` returns or raises; TimeoutError after ``seconds`` (the call itself then runs to its own end)."""
    global _pool  # made at its first use, and again after a stop
    if _pool is None:
        _pool = ThreadPoolExecutor(THREADS, thread_name_prefix="terminals")
    loop = asyncio.get_running_loop()
    work = loop.run_in_executor(_pool, _carry_out, partial(call, *arguments, **named))
    return await asyncio.wait_for(work, seconds)


def stop_threads() -> None:
    """Begin nothing more; a call under way is not waited for."""
    global _pool
    pool, _pool = _pool, None
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)


def _carry_out(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connections.close_all()  # of this thread: no request ends here that would do it
