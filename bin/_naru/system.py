"""The machine below: its distribution, root rights, packages."""

from __future__ import annotations

import os
import shutil
import threading

from _naru import say, shell

_apt = threading.Lock()
_updated = False


def can_install() -> bool:
    """Root on a distribution with apt: the only place where bin/start installs system packages itself."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(*packages: str) -> None:
    """Install packages; raises Failure. Call only when ``can_install()``."""
    global _updated
    names = " ".join(packages)
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    with _apt, say.step(f"시스템 패키지 설치: {names}"):
        if not _updated:
            shell.run(
                ["apt-get", "update"], failure="패키지 목록을 받지 못했어요. 네트워크를 확인해 주세요.", env=environment
            )
            _updated = True
        shell.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *packages],
            failure=f"시스템 패키지를 설치하지 못했어요: {names}",
            env=environment,
            on_line=lambda text: say.progress("apt", text),
        )


def apt_knows(package: str) -> bool:
    return bool(shell.answer(["apt-cache", "show", "--no-all-versions", package]))
