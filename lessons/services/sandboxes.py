"""The sandbox of this process, built from settings: the one place where the two meet."""

from __future__ import annotations

import threading

from django.conf import settings
from django.utils.module_loading import import_string

from lessons.sandbox import Sandbox, SandboxConfig

_lock = threading.Lock()
_sandbox: Sandbox | None = None


def current_sandbox() -> Sandbox:
    """This process's sandbox; made at its first use, without a warm pool."""
    global _sandbox  # one a process: it owns connections and containers
    with _lock:
        if _sandbox is None:
            _sandbox = import_string(settings.SANDBOX)(configured())
        return _sandbox


def configured() -> SandboxConfig:
    """What the operator's settings say."""
    return SandboxConfig(
        socket=settings.ENGINE_SOCKET,
        catalogue=settings.CATALOGUE,
        data_dir=settings.DATA_DIR,
        runs_in_flight=settings.RUNS_IN_FLIGHT,
        pool_size=settings.POOL_SIZE,
        lab_pool_size=settings.LAB_POOL_SIZE,
        lab_memory_mb=settings.LAB_MEMORY_MB,
        loopback_only=settings.LOOPBACK_ONLY,
        allow_weak_runtime=settings.ALLOW_WEAK_RUNTIME,
    )


def start_sandbox() -> None:
    """Start warm pool and reaper."""
    current_sandbox().start()


def close_sandbox() -> None:
    """End this process's containers; the next use makes a new sandbox."""
    global _sandbox
    with _lock:
        sandbox, _sandbox = _sandbox, None
    if sandbox is not None:
        sandbox.close()
