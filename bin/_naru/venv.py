""".venv with exactly the locked dependencies."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from _naru import say, shell, stamps, system
from _naru.places import PYTHON, ROOT, VENV

STAMPS = stamps.Stamps(VENV / "naru-stamps.json")  # goes with the environment that it speaks of
LOCK, DEV_LOCK = "requirements.lock", "requirements-dev.lock"


def lock_hash(lock: str) -> str:
    return stamps.digest([ROOT / lock], base=ROOT, also=f"{sys.version_info[:2]}")


def ensure(*, dev: bool = False) -> None:
    """Create .venv and install the lock; nothing happens while the lock is the one installed last."""
    lock = DEV_LOCK if dev else LOCK
    if PYTHON.exists() and STAMPS.current(lock, lock_hash(lock)):
        return
    with say.step("Python 패키지 설치 (.venv)"):
        if not _usable():
            create(VENV)
        install(VENV, ROOT / lock)
    STAMPS.set(lock, lock_hash(lock))
    if dev:  # the lock of development holds everything of the other at the same versions
        STAMPS.set(LOCK, lock_hash(LOCK))


def _usable() -> bool:
    version = shell.answer([PYTHON, "-c", "import pip, sys; print(sys.version_info[:2])"])
    return version == f"{sys.version_info[:2]}"


def create(target: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if not system.can_install():
            raise say.Failure(f"Python의 venv 패키지가 없어요. apt install {package} 로 설치해 주세요.")
        system.apt_install(package)
    shell.run([sys.executable, "-m", "venv", "--clear", target], failure=f"가상 환경을 만들지 못했어요: {target}")


def install(target: Path, lock: Path) -> None:
    shell.run(
        [target / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--no-deps",
         "--require-hashes", "-r", lock],
        failure=f"Python 패키지를 설치하지 못했어요: {lock.name}. 네트워크를 확인하고 다시 시작해 주세요.",
        on_line=lambda text: say.progress("pip", text),
    )  # fmt: skip
