"""The images built on the host's Docker: base images pulled or made, ours built when their inputs change."""

from __future__ import annotations

import io
import os
import re
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from _naru import dockerd, dockerfile, say, shell, stamps, system
from _naru.places import ROOT

PULL_S = 300
BUILD_LEAST_MB = 12_000  # the Go packages of Kubernetes alone are four, compiled
KEPT = "336h"  # images of ours that nobody used for two weeks go when a new one is made
PASSED_ARGS = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "GOPROXY", "GONOSUMDB", "PIP_INDEX_URL", "NPM_CONFIG_REGISTRY",
)  # fmt: skip
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
CA_FOLDERS = ("/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors")
HOST_CA = "labs/engine/host-ca.crt"
ENGINE_INPUTS = ("labs/engine", "labs/park", "labs/attendant")
PORTAL_INPUTS = (
    "Dockerfile", "manage.py", "pyproject.toml", "requirements.lock", "portal", "lessons", "courses", "templates",
    "static", "frontend", "labs/catalogue.yaml", "labs/engine/trust-host-ca.sh", "bin/_naru",
)  # fmt: skip
_building = threading.Lock()  # two cores: one build at a time is not slower


def ensure_base(reference: str) -> None:
    """``debian:<suite>-slim``: there already, else pulled, else made from the distribution's packages."""
    if shell.answer(["docker", "image", "inspect", "--format", "{{.Id}}", reference]):
        return
    with say.step(f"기본 이미지 준비: {reference}"):
        if shell.answer(["docker", "pull", "--quiet", reference], timeout=PULL_S):
            return
        suite = reference.removeprefix("debian:").removesuffix("-slim")
        say.line(f"  레지스트리가 대답하지 않아서 {suite} 패키지로 만들어요.")
        _bootstrap(suite, reference)


def _bootstrap(suite: str, reference: str) -> None:
    if not shutil.which("mmdebstrap"):
        if not system.can_install():
            raise say.Failure(f"{reference} 이미지를 받을 수 없어요. 네트워크를 확인하거나 mmdebstrap을 설치해 주세요.")
        system.apt_install("mmdebstrap", "debian-archive-keyring")
    failure = f"{reference} 이미지를 만들지 못했어요. 네트워크를 확인해 주세요."
    with tempfile.TemporaryDirectory(prefix="naru-base-") as folder:
        archive = Path(folder) / "base.tar"
        shell.run(
            ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", suite, archive],
            failure=failure,
            on_line=lambda text: say.progress(reference, text),
        )
        shell.run(["docker", "import", archive, reference], failure=failure)


def host_ca() -> bytes:
    """Certificates that this host trusts beyond the usual, so that builds get through a proxy that inspects TLS."""
    if (ROOT / HOST_CA).is_file():
        return (ROOT / HOST_CA).read_bytes()
    for name in CA_VARIABLES:
        value = os.environ.get(name, "")
        if value and Path(value).is_file():
            return Path(value).read_bytes()
    found = [path for folder in CA_FOLDERS for path in sorted(Path(folder).glob("*.crt"))]
    return b"\n".join(path.read_bytes() for path in found)


def input_files(inputs: Sequence[str]) -> list[Path]:
    present = [ROOT / name for name in inputs if (ROOT / name).exists()]
    return [path for path in stamps.files_under(*present) if path != ROOT / HOST_CA]


def context_tar(inputs: Sequence[str]) -> bytes:
    """A build context of just the inputs, the same bytes for the same content, and the host's certificates."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in input_files(inputs):
            content = path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(ROOT)))
            entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        certificates = host_ca()
        if certificates:
            entry = tarfile.TarInfo(HOST_CA)
            entry.mode, entry.size = 0o644, len(certificates)
            tar.addfile(entry, io.BytesIO(certificates))
    return buffer.getvalue()


def ensure_engine() -> str:
    """The engine's image with the images of runs and labs in it; returns its tag."""
    folders = [one.build for one in dockerfile.environments(dockerfile.CATALOGUE.read_text())]
    return _ensure("naru-engine", (*ENGINE_INPUTS, *folders), "labs/engine/Dockerfile", "엔진 이미지 빌드")


def ensure_portal() -> str:
    """The portal's image for docker compose; returns its tag."""
    return _ensure("naru-portal", PORTAL_INPUTS, "Dockerfile", "포털 이미지 빌드")


def _ensure(repository: str, inputs: Sequence[str], file: str, label: str) -> str:
    key = stamps.digest(input_files(inputs), base=ROOT)[:16]
    tag = f"{repository}:{key}"
    if shell.answer(["docker", "image", "inspect", "--format", "{{.Id}}", tag]):
        return tag
    with _building, say.step(label):
        _refuse_without_room()
        for base in sorted(set(re.findall(r"^FROM (debian:\S+)", (ROOT / file).read_text(), re.MULTILINE))):
            ensure_base(base)
        _build(tag, repository, file, context_tar(inputs), label)
        shell.answer(
            ["docker", "image", "prune", "--all", "--force", "--filter", f"label=naru.image={repository}",
             "--filter", f"until={KEPT}"], timeout=120,
        )  # fmt: skip
    return tag


def _build(tag: str, repository: str, file: str, context: bytes, label: str) -> None:
    passed = [part for name in PASSED_ARGS if os.environ.get(name) for part in ("--build-arg", name)]
    with tempfile.TemporaryFile() as stream:
        stream.write(context)
        stream.seek(0)
        shell.run(
            ["docker", "build", "--force-rm", "--tag", tag, "--tag", f"{repository}:latest",
             "--label", f"naru.image={repository}", "--file", file, *passed, "-"],
            env=dockerd.build_environment(),
            stdin=stream,
            failure=f"이미지를 만들지 못했어요: {repository}",
            on_line=lambda text: say.progress(label, text),
        )  # fmt: skip


def _refuse_without_room() -> None:
    root = shell.answer(["docker", "info", "--format", "{{.DockerRootDir}}"])
    if not root or not Path(root).is_dir():
        return  # Docker Desktop keeps its images elsewhere
    free_mb = shutil.disk_usage(root).free // 2**20
    if free_mb < BUILD_LEAST_MB:
        raise say.Failure(
            f"디스크 공간이 모자라요: 이미지를 만들려면 {root}에 {BUILD_LEAST_MB} MB가 필요한데 "
            f"{free_mb} MB만 남았어요."
        )
