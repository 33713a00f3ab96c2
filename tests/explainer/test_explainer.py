"""Errors of docker as it words them, and what output of every other kind costs."""

from __future__ import annotations

import os
import time

import pytest

from lessons.explainer import Explainer, read_entries
from lessons.explainer.feeding import MOST_CARRIED
from tests.explainer import test_kubernetes as kubernetes

ID = "3f2e9c1d7a60"
DAEMON = "Error response from daemon: "
# As Docker 26 and BuildKit 0.13 print them; the older wordings of 20.10 where they differ.
SAMPLES = [
    (f'docker: {DAEMON}Conflict. The container name "/web" is already in use by container "{ID}".', "name-in-use"),
    (
        f"docker: {DAEMON}driver failed programming external connectivity on endpoint web ({ID}): Bind for "
        "0.0.0.0:8080 failed: port is already allocated.",
        "port-in-use",
    ),
    (
        f"docker: {DAEMON}failed to set up container networking: driver failed programming external connectivity: "
        "failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use",
        "port-in-use",
    ),
    (
        f"docker: {DAEMON}error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use.",
        "port-in-use",
    ),
    ("An image does not exist locally with the tag: registry.naru:5000/shop", "push-no-tag"),
    ("tag does not exist: registry.naru:5000/shop:2", "push-no-tag"),
    (
        f'{DAEMON}Get "https://registry:5000/v2/": http: server gave HTTP response to HTTPS client',
        "registry-http",
    ),
    (
        f"{DAEMON}pull access denied for shopp, repository does not exist or may require 'docker login': denied: "
        "requested access to the resource is denied",
        "pull-denied",
    ),
    (
        f'docker: {DAEMON}Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on '
        "127.0.0.11:53: no such host.",
        "registry-unreachable",
    ),
    (f'{DAEMON}Get "https://registry-1.docker.io/v2/": dial tcp 1.2.3.4:443: i/o timeout', "registry-unreachable"),
    (
        "ERROR: failed to solve: alpine: failed to resolve source metadata for docker.io/library/alpine:latest: "
        'failed to do request: Head "https://registry-1.docker.io/v2/library/alpine/manifests/latest": dial tcp: '
        "lookup registry-1.docker.io: no such host",
        "registry-unreachable",
    ),
    (f"{DAEMON}manifest for registry.naru:5000/shop:9 not found: manifest unknown", "manifest-unknown"),
    (f"{DAEMON}No such image: shop:1", "no-such-image"),
    (
        f'{DAEMON}conflict: unable to remove repository reference "shop:1" (must force) - container {ID} is using '
        "its referenced image 9d5226e6ce3f",
        "image-in-use",
    ),
    (
        f"{DAEMON}conflict: unable to delete 9d5226e6ce3f (cannot be forced) - image is being used by running "
        f"container {ID}",
        "image-in-use",
    ),
    (
        f"{DAEMON}conflict: unable to delete 9d5226e6ce3f (must be forced) - image is referenced in multiple "
        "repositories",
        "image-many-names",
    ),
    (
        f'{DAEMON}cannot remove container "/web": container is running: stop the container before removing or '
        "force remove",
        "remove-running",
    ),
    (
        f"{DAEMON}You cannot remove a running container {ID}. Stop the container before attempting removal or "
        "force remove",
        "remove-running",
    ),
    (f"{DAEMON}container {ID} is not running", "not-running"),
    (f"{DAEMON}Container {ID} is not running", "not-running"),
    (f"{DAEMON}No such container: web", "no-such-container"),
    ("Error: No such object: web", "no-such-object"),
    (
        f"docker: {DAEMON}failed to create task for container: failed to create shim task: OCI runtime create "
        'failed: runc create failed: unable to start container process: exec: "bash": executable file not found in '
        "$PATH: unknown",
        "executable-not-found",
    ),
    (
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "/app/x": stat /app/x: no '
        "such file or directory: unknown",
        "executable-not-found",
    ),
    (
        f'docker: {DAEMON}failed to create shim task: OCI runtime create failed: exec: "/run.sh": permission denied: '
        "unknown.",
        "exec-permission",
    ),
    ("exec /run.sh: exec format error", "exec-format"),
    ("exec /run.sh: no such file or directory", "exec-format"),
    (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "daemon-permission",
    ),
    (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "daemon-unreachable",
    ),
    ("docker: invalid reference format: repository name (library/Shop) must be lowercase", "invalid-reference"),
    ("docker: invalid reference format.", "invalid-reference"),
    ('invalid argument "Shop" for "-t, --tag" flag: invalid reference format', "invalid-reference"),
    (
        "ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref "
        'a1::b2: "/reqs.txt": not found',
        "copy-not-found",
    ),
    ("COPY failed: file not found in build context or excluded by .dockerignore: stat reqs.txt: x", "copy-not-found"),
    (
        "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: COPPY (did you mean COPY?)",
        "dockerfile-unknown",
    ),
    ("Error response from daemon: dockerfile parse error line 2: unknown instruction: RUM", "dockerfile-unknown"),
    ("ERROR: failed to solve: dockerfile parse error on line 1: FROM requires either one", "dockerfile-parse"),
    (
        "ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory",
        "no-dockerfile",
    ),
    (
        "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat /root/Dockerfile: no such",
        "no-dockerfile",
    ),
    ('ERROR: "docker buildx build" requires exactly 1 argument.', "no-context"),
    ('ERROR: failed to build: "docker build" requires 1 argument', "no-context"),
    (
        'ERROR: failed to solve: process "/bin/sh -c pip install x" did not complete successfully: exit code: 1',
        "build-step-failed",
    ),
    (f"docker: {DAEMON}network shopnet not found", "network-not-found"),
    ("Error: No such network: shopnet", "network-not-found"),
    (f"{DAEMON}error while removing network: network shopnet id a1 has active endpoints", "network-in-use"),
    (f"{DAEMON}network with name shopnet already exists", "network-exists"),
    (f"{DAEMON}remove data: volume is in use - [{ID}]", "volume-in-use"),
    (f"{DAEMON}get data: no such volume", "volume-not-found"),
    (
        f"docker: {DAEMON}invalid volume specification: 'data:app': invalid mount config for type \"volume\": invalid "
        "mount path: 'app' mount path must be absolute",
        "mount-not-absolute",
    ),
    (
        f'docker: {DAEMON}create ./data: "./data" includes invalid characters for a local volume name',
        "mount-not-absolute",
    ),
    (
        'error mounting "/root/x.conf" to rootfs at "/etc/x.conf": not a directory: unknown: Are you trying to mount a '
        "directory onto a file (or vice-versa)?",
        "mount-type",
    ),
    (
        f'docker: {DAEMON}invalid mount config for type "bind": bind source path does not exist: /root/nope',
        "bind-source-missing",
    ),
    ("failed to register layer: write /usr/lib/x: no space left on device", "no-space"),
    ("web    shop:1   Exited (137) 3 seconds ago", "out-of-memory"),
    ("Killed", "out-of-memory"),
    ("unauthorized: authentication required", "unauthorized"),
    ("denied: requested access to the resource is denied", "unauthorized"),
    ("refusing to create a tag with a digest reference", "digest-reference"),
    ("unknown flag: --prot", "unknown-flag"),
    ("unknown shorthand flag: 'x' in -x", "unknown-flag"),
    ("docker: 'rnu' is not a docker command.", "unknown-command"),
    ("docker: unknown command: docker rnu", "unknown-command"),
    ('"docker run" requires at least 1 argument.', "missing-argument"),
    ("docker: invalid containerPort: http", "bad-port"),
    (f"{DAEMON}Container {ID} is paused, unpause the container before exec", "paused"),
]


@pytest.mark.parametrize(("line", "wanted"), SAMPLES)
def test_known_errors_are_explained(line, wanted):
    found = Explainer().feed(f"{line}\r\n".encode(), 0.0)
    assert found is not None
    assert found.id == wanted
    texts = " ".join((found.title, found.cause, found.show, found.next))
    assert "``" not in texts
    assert "''" not in texts


def test_every_entry_is_met_by_a_sample():
    known = {wanted for _line, wanted in [*SAMPLES, *kubernetes.SAMPLES]}
    assert {entry.id for entry in read_entries()} == known
    assert len(SAMPLES) >= 20


@pytest.mark.parametrize(
    "line",
    [
        "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS   PORTS   NAMES",
        "Successfully tagged shop:1",
        "Login Succeeded",
        "Unable to find image 'registry.naru:5000/shop:1' locally",
        "Status: Downloaded newer image for busybox:1.37",
        "error: something of the learner's own program",
        "Traceback (most recent call last): ValueError: invalid literal",
        "root@naru:~# docker run --name web -p 8080:80 nginx:1.28",
        "bash: dokcer: command not found",
    ],
)
def test_everyday_output_is_left_alone(line):
    assert Explainer().feed(f"{line}\r\n".encode(), 0.0) is None


def test_texts_are_whole_korean_sentences_with_the_names_in_place():
    line = f'docker: {DAEMON}Conflict. The container name "/web" is already in use by container "{ID}".\r\n'
    found = Explainer().feed(line.encode(), 0.0)
    assert found is not None
    assert found.title == "이름이 이미 쓰이고 있어요"
    assert "`web` 컨테이너가" in found.cause
    assert found.show == "docker ps -a --filter name=web"
    for entry in read_entries():
        assert entry.show
        assert entry.cause.endswith(("요.", "요?"))
        assert entry.next.endswith(("요.", "요?"))
        assert entry.title.endswith("요")


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_message_may_come_in_pieces(cut):
    line = f"{DAEMON}No such container: web\r\n".encode()
    explainer = Explainer()
    found = [explainer.feed(line[start : start + cut], 0.0) for start in range(0, len(line), cut)]
    assert [one.id for one in found if one] == ["no-such-container"]


def test_colours_within_a_message_do_not_hide_it():
    line = b"\x1b[31mError\x1b[0m: \x1b[1mNo such contai\x1b[0mner: web\x1b[K\r\n"
    found = Explainer().feed(line, 0.0)
    assert found is not None
    assert (found.id, "`web`" in found.cause) == ("no-such-container", True)


def test_a_value_of_the_terminals_is_harmless():
    line = b"Error: No such container: x`\xe2\x80\xae;$(reboot)\x07\r\n"
    found = Explainer().feed(line, 0.0)
    assert found is not None
    assert "`x;$(reboot)` 컨테이너" in found.cause
    quoted = Explainer().feed(b"remove $(reboot): volume is in use\r\n", 0.0)
    assert quoted is not None
    assert quoted.show == "docker ps -a --filter volume='$(reboot)'"


def test_the_same_again_is_said_again_only_after_a_while():
    explainer = Explainer()
    line = b"Error: No such container: web\r\n"
    other = b"Error: No such container: db\r\n"
    said = [
        explainer.feed(text, at) for text, at in ((line, 0), (line, 2), (other, 4), (line, 6), (line, 8), (line, 30))
    ]
    assert [one is not None for one in said] == [True, False, True, True, False, True]


def test_the_last_of_several_errors_counts():
    text = b"Error: No such container: web\r\nError: No such network: net\r\n"
    found = Explainer().feed(text, 0.0)
    assert found is not None
    assert found.id == "network-not-found"


@pytest.mark.parametrize(
    "chunk",
    [
        b"y\r\n" * 20_000,
        b"Error: no such thing, invalid\r\n" * 2_000,
        os.urandom(64 * 1024),
        b"error " * 10_000,
        b"\x1b]" * 32_000,
        b"\x1b[" + b"1;" * 32_000,
        b"\r" * 64_000,
    ],
    ids=["yes", "errors", "random", "no newline", "osc", "csi", "returns"],
)
def test_a_flood_costs_little(chunk):
    explainer = Explainer()
    began = time.process_time()
    for step in range(64):  # two seconds of what a terminal lets through
        explainer.feed(chunk, step / 32)
    assert time.process_time() - began < 0.5
    assert len(explainer._carried) <= MOST_CARRIED


def test_after_a_flood_errors_are_explained_again():
    explainer = Explainer()
    for step in range(200):
        explainer.feed(b"error: no such\r\n" * 4000, step / 100)
    found = explainer.feed(b"\r\nError: No such container: web\r\n", 10.0)
    assert found is not None
    assert found.id == "no-such-container"
