"""Fixtures of every test: where the test engine is, said loudly when it is not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bin"))

from _naru.engine import Engine  # noqa: E402  (bin/ is importable from the line above on)
from _naru.places import Data  # noqa: E402  (likewise)

ENGINE_FIXTURES = {"engine_socket", "engine_image", "portal_image", "docker_environment", "spare_engine"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for the engine needs Docker, whether its author marked it or not."""
    for item in items:
        if ENGINE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.docker)


def _told(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        pytest.fail(f"{name} is not set: run this by bin/test, which starts an engine for the tests", pytrace=False)
    return value


@pytest.fixture(scope="session")
def engine_socket() -> Path:
    """The unix socket of the tests' own engine container, with the run images inside."""
    return Path(_told("NARU_TEST_ENGINE_SOCKET"))


@pytest.fixture(scope="session")
def engine_image() -> str:
    """Tag of the engine's image on the host's Docker."""
    return _told("NARU_TEST_ENGINE_IMAGE")


@pytest.fixture(scope="session")
def portal_image() -> str:
    """Tag of the portal's image on the host's Docker."""
    return _told("NARU_TEST_PORTAL_IMAGE")


@pytest.fixture(scope="session")
def docker_environment() -> dict[str, str]:
    """Environment for the host's docker command, in which ``docker compose`` exists."""
    _told("NARU_TEST_ENGINE_SOCKET")
    config = os.environ.get("NARU_TEST_DOCKER_CONFIG", "")
    return {**os.environ, **({"DOCKER_CONFIG": config} if config else {})}


class SpareEngine:
    """An engine container of one test's own, to be stopped and started at will; ``labs`` take long to get ready."""

    def __init__(self, folder: Path, image: str, *, labs: bool = False) -> None:
        self.data = Data(folder)
        self.data.make()
        self.image = image
        self.container = Engine(self.data, labs=labs)

    @property
    def socket(self) -> Path:
        return self.data.socket

    def start(self) -> None:
        self.container.start(self.image)

    def stop(self) -> None:
        """End and remove it; its images stay for the next start."""
        self.container.stop()


@pytest.fixture
def spare_engine(tmp_path_factory: pytest.TempPathFactory, engine_image: str) -> Iterator[SpareEngine]:
    """A started engine beside the shared one; gone with its volume after the test."""
    engine = SpareEngine(tmp_path_factory.mktemp("engine"), engine_image)
    try:
        engine.start()
        yield engine
    finally:
        engine.container.remove(volume=True)
