"""The portal with its sockets, served by uvicorn in a thread: Django's own live server knows no WebSockets."""

from __future__ import annotations

import socket
import threading

import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from lessons.routing import sockets
from lessons.terminals import hub
from portal.asgi import pages
from portal.protocols import Protocols, Receive, Scope, Send

SECONDS = 10.0


class Application:
    """Pages, static files and sockets; terminals end with the server."""

    def __init__(self) -> None:
        self.inner = Protocols(pages=ASGIStaticFilesHandler(pages), sockets=sockets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.inner(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await hub.close()
        await send({"type": "lifespan.shutdown.complete"})


class Server:
    """``url`` answers from the start on; ``stop`` waits for the end."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(Application(), log_level="warning", timeout_graceful_shutdown=2, lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="portal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(SECONDS)
        self._socket.close()
        assert not self._thread.is_alive()
