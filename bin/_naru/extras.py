"""What only the tests need: a browser with Korean fonts, docker compose, Go."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from _naru import dockerd, images, say, shell, stamps, system
from _naru.places import ROOT, cache_dir

PLUGIN_FOLDER = "usr/libexec/docker/cli-plugins"
# Debian 13's packages hold the plugins as static programs; older releases do not have them.
GET_PLUGINS = f"""
set -e
cd /tmp
apt-get update -q >&2
apt-get download -q docker-compose docker-buildx >&2
for package in *.deb; do dpkg-deb -x "$package" /tmp/out; done
tar -C /tmp/out/{PLUGIN_FOLDER} -cf - .
"""
GO_TEST = "mkdir /src && tar -xf - -C /src && cd /src && go vet ./... && go test ./..."


def ensure_browser() -> None:
    """Chromium and a font with Hangul, from the distribution."""
    wanted = []
    if not shutil.which("chromium"):
        wanted.append("chromium")
    if not shell.answer(["fc-list", ":lang=ko"]):
        wanted += ["fonts-noto-cjk", "fontconfig"]
    if not wanted:
        return
    if not system.can_install():
        raise say.Failure(f"테스트에 쓸 브라우저나 글꼴이 없어요: {' '.join(wanted)} 패키지를 설치해 주세요.")
    system.apt_install(*wanted)


def ensure_compose() -> Path | None:
    """A DOCKER_CONFIG directory whose plugins include compose, or None where Docker has it already."""
    if shell.answer(["docker", "compose", "version"]):
        return None
    config = cache_dir() / "docker-config"
    plugins = config / "cli-plugins"
    if (plugins / "docker-compose").exists():
        return config
    base = "debian:trixie-slim"
    images.ensure_base(base)
    with say.step("docker compose 받기"):
        done = subprocess.run(
            ["docker", "run", "--rm", base, "sh", "-c", GET_PLUGINS],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode:
            raise say.Failure("docker compose를 받지 못했어요.", done.stderr.decode(errors="replace")[-2000:])
        plugins.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            tar.extractall(plugins, filter="data")
    return config


def host_go_suffices(go_mod: Path) -> bool:
    wanted = re.search(r"^go (\d+)\.(\d+)", go_mod.read_text(), re.MULTILINE)
    present = re.search(r"go(\d+)\.(\d+)", shell.answer(["go", "version"]) or "")
    if not wanted or not present:
        return False
    return (int(present[1]), int(present[2])) >= (int(wanted[1]), int(wanted[2]))


def go_test_in_container(folder: Path, stage: str) -> None:
    """Vet and test a Go module with the Go of a stage of the engine's image, which the build cache holds."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path in stamps.files_under(folder):
            tar.add(path, arcname=str(path.relative_to(folder)))
    built = subprocess.run(
        ["docker", "build", "--quiet", "--target", stage, "--file", "labs/engine/Dockerfile", "-"],
        input=images.context_tar((*images.ENGINE_INPUTS, str(folder.relative_to(ROOT)))),
        env={**os.environ, **dockerd.build_environment()},
        capture_output=True, check=False, timeout=1800,
    )  # fmt: skip
    image = built.stdout.decode().strip().splitlines()[-1:] or [""]
    done = subprocess.run(
        ["docker", "run", "--rm", "--interactive", image[0], "sh", "-c", GO_TEST],
        input=archive.getvalue(), capture_output=True, check=False, timeout=900,
    )  # fmt: skip
    if built.returncode or done.returncode:
        shown = (built.stderr if built.returncode else done.stdout + done.stderr).decode(errors="replace")
        raise say.Failure(f"Go 검사가 실패했어요: {folder.name}", shown[-4000:])
