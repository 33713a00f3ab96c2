"""The engine of a lab does what learners are told Docker does: a battery of its commands, all in one lab.

What an engine on gVisor does not do, or not each time, is no part of it: ``pause``, the OOM kill of an inner memory
limit, an inner process limit (it shows, and holds in about half of the containers).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from lessons.sandbox import Lab

pytestmark = pytest.mark.docker

InLab = Callable[..., str]

FILES = {
    "/root/app/requirements.txt": "flask\n",
    "/root/app/app.py": dedent("""
        import os, flask
        app = flask.Flask(__name__)
        @app.get("/")
        def greet():
            return "안녕, " + os.environ.get("WHO", "세계") + "\\n"
        app.run("0.0.0.0", 8000)
    """),
    "/root/app/Dockerfile": dedent("""
        FROM python:3.13-slim
        WORKDIR /app
        COPY requirements.txt .
        RUN pip install -r requirements.txt
        COPY app.py .
        USER 1000
        EXPOSE 8000
        CMD ["python", "app.py"]
    """),
    "/root/app/stages.Dockerfile": dedent("""
        FROM python:3.13-slim AS made
        RUN --mount=type=cache,target=/cache python -m venv /opt/venv && /opt/venv/bin/pip install requests
        FROM python:3.13-slim
        COPY --from=made /opt/venv /opt/venv
        COPY --from=busybox:1.37 /bin/busybox /bin/bb
        CMD ["/opt/venv/bin/python", "-c", "import requests; print(requests.__name__)"]
    """),
    "/root/app/broken.Dockerfile": "FROM busybox:1.37\nRUN false\n",
    "/root/app/compose.yaml": dedent("""
        services:
          web:
            image: nginx:1.26
            ports: ["8090:80"]
            healthcheck: {test: ["CMD", "test", "-e", "/etc/nginx/nginx.conf"], interval: 1s, retries: 20}
            volumes: ["pages:/usr/share/nginx/html"]
          client:
            image: busybox:1.37
            depends_on: {web: {condition: service_healthy}}
            command: ["sh", "-c", "wget -qO- http://web/; sleep 300"]
        volumes: {pages: {}}
    """),
    "/root/site/index.html": "bound\n",
}

CASES = yaml.safe_load((Path(__file__).parent / "battery.yaml").read_text(encoding="utf-8"))
# What a line of the battery may use; nothing is waited for longer than it needs.
VERBS = r"""
answers() { for i in $(seq 80); do curl -sf -m 3 "$1" && return; sleep .1; done; return 1; }
becomes() {
    for i in $(seq 100); do [ "$(docker inspect -f "$2" "$1")" = "$3" ] && break; sleep .1; done
    docker inspect -f "$2" "$1"
}
cd /root/app
"""
TIDY = "trap 'docker rm -fv tt >/dev/null 2>&1; docker network rm net >/dev/null 2>&1' EXIT\n"


@pytest.fixture(scope="module")
def filled(lab: Lab) -> Lab:
    lab.put(FILES)
    return lab


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_engine_of_a_lab_does_what_docker_does(filled: Lab, in_lab: InLab, case: dict[str, str]) -> None:
    tidy = TIDY if " tt" in case["run"] else ""
    assert case["says"] in in_lab(VERBS + tidy + case["run"], 90)


def test_base_images_save_as_the_very_layers_that_they_are_described_by(in_lab: InLab) -> None:
    """Docker refuses to save a layer whose bytes differ from its id; pushing reads them the same way."""
    listed = in_lab("docker save busybox:1.37 nginx:1.26 python:3.13-slim | tar -xOf - manifest.json")
    layers = {image["RepoTags"][0]: len(image["Layers"]) for image in json.loads(listed)}
    assert layers == {"busybox:1.37": 1, "nginx:1.26": 2, "python:3.13-slim": 3}


def test_nothing_in_the_image_points_at_a_registry_or_a_builder(in_lab: InLab) -> None:
    described = in_lab("docker image inspect busybox:1.37 nginx:1.26 python:3.13-slim | jq -c '.[].Config.Env'")
    assert sorted(name for line in described.splitlines() for name in json.loads(line) if "PIP" in name) == [
        "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_FIND_LINKS=/wheels", "PIP_NO_INDEX=1", "PIP_ROOT_USER_ACTION=ignore",
    ]  # fmt: skip
    assert (
        in_lab(
            "docker run --rm python:3.13-slim sh -c 'ls -d /root/.config /root/.pip /etc/pip.conf 2>/dev/null; true'"
        )
        == ""
    )


def test_tools_of_the_attendant_are_out_of_reach(in_lab: InLab) -> None:
    assert "refused" in in_lab("echo x >/naru/bin/naru-attendant 2>/dev/null || echo refused")
    assert "refused" in in_lab("rm -f /naru/bin/naru-attendant 2>/dev/null || echo refused")
