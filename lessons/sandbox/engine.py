"""The engine's API: one client a thread, a timeout on every call, and errors turned into ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound
from docker.transport import UnixHTTPAdapter

from lessons.sandbox.config import SandboxConfig
from lessons.sandbox.errors import EngineFullError, EngineUnavailableError, EnvironmentMissingError, SandboxError

API_VERSION = "1.44"  # of Docker 25: the engine container carries Debian 13's 26.1
RUNTIMES = ("runsc", "crun", "runc")  # best first
LAB_RUNTIME = "runsc-lab"  # gVisor with what an engine inside it needs; there is no other for labs


class Engine:
    """Naru's own Docker engine behind a unix socket."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._local = threading.local()
        self._runtime = ""
        self._has_labs = False

    @property
    def socket(self) -> Path:
        """Where the engine listens."""
        return self._config.socket

    @property
    def call_seconds(self) -> int:
        """The longest that one call may take."""
        return self._config.call_seconds

    @property
    def api(self) -> docker.APIClient:
        """This thread's client. Nothing is asked of the engine until a call is made."""
        client = getattr(self._local, "client", None)
        if client is None:
            address, timeout = f"unix://{self._config.socket}", self._config.call_seconds
            client = docker.APIClient(base_url=address, version=API_VERSION, timeout=timeout)
            # The SDK's own keeps an open connection for each of the last 25 URLs, nearly none of which comes again:
            # 25 files a thread.
            client.mount("http+docker://", UnixHTTPAdapter(f"http+{address}", timeout, pool_connections=1))
            self._local.client = client
        return client

    def runtime(self) -> str:
        """gVisor where the engine has it. Raises SandboxError where only a weaker one is there and not allowed."""
        if not self._runtime:
            with engine_errors():
                known = self.api.info().get("Runtimes", {})
            best = next((name for name in RUNTIMES if name in known), "")
            weak_allowed = self._config.loopback_only or self._config.allow_weak_runtime
            if best != "runsc" and not weak_allowed:
                raise EngineUnavailableError("the engine has no gVisor, and the portal is not bound to loopback")
            self._runtime = best or "runc"
        return self._runtime

    def lab_runtime(self) -> str:
        """The one that labs run in. Raises SandboxError where the engine has it not: a lab without gVisor would be
        an engine with the host's kernel."""
        if not self._has_labs:
            with engine_errors():
                known = self.api.info().get("Runtimes", {})
            if LAB_RUNTIME not in known:
                raise EngineUnavailableError(f"the engine has no {LAB_RUNTIME}: labs cannot be opened")
            self._has_labs = True
        return LAB_RUNTIME

    def forget(self) -> None:
        """After a failure: the engine that comes back may be another one."""
        self._runtime = ""
        self._has_labs = False
        self._local = threading.local()


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn whatever the engine, the SDK or the socket throws into a SandboxError."""
    try:
        yield
    except SandboxError:
        raise
    except APIError as error:
        raise _translate(error) from error
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise EngineUnavailableError(f"{type(error).__name__}: {error}") from error


def _translate(error: APIError) -> SandboxError:
    text = str(error.explanation or error)
    if "no space left" in text.lower():
        return EngineFullError(text)
    if isinstance(error, NotFound) and "image" in text.lower():
        return EnvironmentMissingError(text)
    return EngineUnavailableError(text)


def remove_container(api: docker.APIClient, container_id: str, *, may_be_paused: bool = False) -> None:
    """Remove it with what it wrote; one that is gone already is fine. Raises SandboxError.

    The engine waits ten seconds for a paused one to die: it has to go on first.
    """
    with engine_errors():
        if may_be_paused:
            with suppress(APIError):  # it was not paused, or is gone
                api.unpause(container_id)
        try:
            api.remove_container(container_id, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:  # another removal is under way
                raise


def receive(stream: Any, count: int) -> bytes:
    """Exactly ``count`` bytes of a socket, or fewer at its end."""
    parts = []
    while count:
        part = stream.recv(min(count, 1 << 20))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
