"""Fixtures of every test: where the test engine is, said loudly when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ENGINE_FIXTURES = {"engine_socket", "engine_image", "portal_image", "docker_environment"}


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
