"""Which environments there are and how far they are, from the catalogue and what the engine's entrypoint wrote."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lessons.contracts import LabShape
from lessons.sandbox import EnvironmentMissingError, EnvironmentState, Progress, SandboxConfig
from lessons.sandbox.config import Entry, read_catalogue
from lessons.sandbox.images import BUILDING, MISSING, READY, Images
from tests.sandbox.running import CATALOGUE

WRITTEN = """
environments:
  python: {image: naru-python}
  docker: {kind: lab, image: naru-docker, memory_mb: 640}
"""


@pytest.fixture
def tags() -> list[str]:
    return ["naru-python:latest", "naru-docker:latest"]


@pytest.fixture
def images(tmp_path, tags) -> Images:
    (tmp_path / "catalogue.yaml").write_text(WRITTEN)
    config = SandboxConfig(socket=tmp_path / "docker.sock", catalogue=tmp_path / "catalogue.yaml", data_dir=tmp_path)
    listed = lambda: [{"RepoTags": [tag]} for tag in tags]  # noqa: E731  (the one call that is made)
    return Images(config, SimpleNamespace(api=SimpleNamespace(images=listed)))


def told(tmp_path, text: str | dict) -> None:
    (tmp_path / "environments.json").write_text(text if isinstance(text, str) else json.dumps(text))


def test_catalogue_tells_labs_from_runs(images):
    assert images.entries() == {"python": Entry("naru-python"), "docker": Entry("naru-docker", True, 640)}
    assert images.default() == "python"
    assert images.of_run("python") == "naru-python"
    assert images.lab_entry("docker").image == "naru-docker"
    assert images.first_lab() == images.shape_of_lab("docker") == LabShape("docker", (), 640)


@pytest.mark.parametrize("name", ["docker", "cobol"])
def test_runs_are_not_made_in_labs(images, name):
    with pytest.raises(EnvironmentMissingError):
        images.of_run(name)


@pytest.mark.parametrize("name", ["python", "cobol"])
def test_labs_are_not_made_of_other_environments(images, name):
    for ask in (images.lab_entry, images.shape_of_lab):
        with pytest.raises(EnvironmentMissingError):
            ask(name)


def test_catalogue_of_the_product_has_a_lab():
    entries = read_catalogue(CATALOGUE)
    labs = {name: entry for name, entry in entries.items() if entry.is_lab}
    assert labs["docker"].image == "naru-docker"
    assert labs["docker"].memory_mb == 512


def test_catalogue_of_labs_only_is_refused(tmp_path):
    (tmp_path / "catalogue.yaml").write_text("environments: {docker: {kind: lab, image: a}}")
    with pytest.raises(ValueError, match="for runs"):
        read_catalogue(tmp_path / "catalogue.yaml")


def test_unreadable_catalogue_has_no_first_lab(tmp_path):
    config = SandboxConfig(socket=tmp_path / "docker.sock", catalogue=tmp_path / "none", data_dir=tmp_path)
    assert Images(config, SimpleNamespace()).first_lab() is None


def test_progress_is_what_the_engine_last_wrote(images, tmp_path):
    told(tmp_path, {"docker": {"state": "building", "percent": 40, "text": "들여오는 중이에요."}})
    assert images.progress("docker") == Progress("building", 40, "들여오는 중이에요.")
    assert not images.lab_is_ready("docker")
    told(tmp_path, {"docker": {"state": "ready", "percent": 100, "text": "준비됐어요."}})
    assert images.lab_is_ready("docker")


def test_progress_without_a_word_is_that_of_the_engine(images, tmp_path):
    assert images.progress("docker") == images.progress("python") == BUILDING
    (tmp_path / "ready").touch()
    assert images.progress("docker") == images.progress("cobol") == MISSING
    assert images.progress("python") == READY


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"docker": 3}', '{"other": {}}'])
def test_progress_that_cannot_be_read_is_none(images, tmp_path, text):
    told(tmp_path, text)
    assert images.progress("docker") == BUILDING


@pytest.mark.parametrize("entry", [{}, {"state": "ready"}, {"state": "ready", "percent": "much", "text": ""}])
def test_progress_of_another_version_is_building(images, tmp_path, entry):
    told(tmp_path, {"docker": entry})
    assert images.progress("docker") == BUILDING


@pytest.mark.parametrize(("percent", "shown"), [(-3, 0), (250, 100), (39.9, 39)])
def test_percent_is_brought_within_bounds(images, tmp_path, percent, shown):
    told(tmp_path, {"docker": {"state": "building", "percent": percent, "text": ""}})
    assert images.progress("docker").percent == shown


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("building", EnvironmentState.BUILDING),
        ("failed", EnvironmentState.MISSING),
        ("ready", EnvironmentState.MISSING),  # told, but not there: somebody took it away
        (None, EnvironmentState.MISSING),
    ],
)
def test_lab_whose_image_is_absent_is_as_far_as_told(images, tags, tmp_path, state, wanted):
    (tmp_path / "ready").touch()
    tags.remove("naru-docker:latest")
    told(tmp_path, {"docker": {"state": state, "percent": 10, "text": ""}} if state else {})
    assert images.states() == {"python": EnvironmentState.READY, "docker": wanted}


def test_lab_is_building_before_the_engine_is_ready(images, tags):
    tags.clear()
    assert set(images.states().values()) == {EnvironmentState.BUILDING}
