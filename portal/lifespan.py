"""Start and stop what runs beside the pages, when the server says so.

Django knows no lifespan messages; everything else is passed on to it untouched.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connections

from lessons import terminals
from lessons.services import accounts, dispatch, doctor, grading, lab_keeper, sandboxes

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Lifespan:
    """An ASGI application around ``pages``."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.pages(scope, receive, send)
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await sync_to_async(start)()
                except Exception as error:
                    logger.exception("The dispatcher could not start")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await terminals.hub.close()
                await sync_to_async(stop)()
                await send({"type": "lifespan.shutdown.complete"})
                return


def start() -> None:
    """Start pools, dispatcher and keeper of labs where this process grades; tidy up, log what is wrong."""
    if settings.DISPATCHER:
        sandboxes.start_sandbox()
        dispatch.start(grade=grading.grade_submission)
        lab_keeper.start()
        tidy()
        doctor.log_findings_soon()


def tidy() -> None:
    """Forget guests who left nothing; a database that is busy now keeps nobody from the pages."""
    try:
        forgotten = accounts.forget_idle_guests()
    except DatabaseError:
        logger.exception("Idle guests could not be forgotten")
    else:
        if forgotten:
            logger.info("Forgot %d idle guests", forgotten)


def stop() -> None:
    """Finish what is being graded, then end the containers; labs of learners go on."""
    if settings.DISPATCHER:
        dispatch.stop()
        lab_keeper.stop()
        sandboxes.close_sandbox()
        connections.close_all()  # of this thread: no request ends that would do it
