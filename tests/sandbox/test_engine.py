"""Errors of the engine in our words, and which runtime is used."""

from __future__ import annotations

import json
import socket
import threading

import pytest
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from lessons.sandbox import (
    DeadlineError,
    EngineFullError,
    EngineUnavailableError,
    EnvironmentMissingError,
    SandboxConfig,
    SandboxError,
)
from lessons.sandbox.engine import Engine, engine_errors, receive, remove_container
from tests.sandbox.running import CATALOGUE


def response(status: int) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    return made


def api_error(text: str, status: int = 500) -> APIError:
    kind = NotFound if status == 404 else APIError
    return kind(text, response(status), explanation=text)


@pytest.mark.parametrize(
    ("thrown", "ours", "reason"),
    [
        (api_error("write /x: no space left on device"), EngineFullError, "disk"),
        (api_error("No Space Left"), EngineFullError, "disk"),
        (api_error("No such image: naru-python:latest", 404), EnvironmentMissingError, "environment"),
        (ImageNotFound("x", response(404), explanation="No such image: x"), EnvironmentMissingError, "environment"),
        (api_error("No such container: abc", 404), EngineUnavailableError, "engine"),
        (api_error("OCI runtime create failed"), EngineUnavailableError, "engine"),
        (APIError("bare"), EngineUnavailableError, "engine"),
        (DockerException("x"), EngineUnavailableError, "engine"),
        (requests.ConnectionError("refused"), EngineUnavailableError, "engine"),
        (requests.ReadTimeout("slow"), EngineUnavailableError, "engine"),
        (urllib3.exceptions.ProtocolError("cut"), EngineUnavailableError, "engine"),
        (FileNotFoundError("no socket"), EngineUnavailableError, "engine"),
        (BrokenPipeError("gone"), EngineUnavailableError, "engine"),
        (TimeoutError("slow"), EngineUnavailableError, "engine"),
        (DeadlineError("late"), DeadlineError, "engine"),
    ],
)
def test_error_of_the_engine_is_translated(thrown, ours, reason):
    with pytest.raises(SandboxError) as caught, engine_errors():
        raise thrown
    assert type(caught.value) is ours
    assert caught.value.reason == reason
    assert str(caught.value)


def test_mistake_of_our_own_is_not_hidden():
    with pytest.raises(ZeroDivisionError), engine_errors():
        _ = 1 / 0


class FakeApi:
    def __init__(self, runtimes=(), removal: APIError | None = None) -> None:
        self.runtimes, self.removal, self.removed = runtimes, removal, []

    def info(self) -> dict:
        return {"Runtimes": {name: {} for name in self.runtimes}}

    def remove_container(self, container_id: str, **options) -> None:
        self.removed.append((container_id, options))
        if self.removal is not None:
            raise self.removal


def engine_with(runtimes, tmp_path, **config) -> Engine:
    engine = Engine(SandboxConfig(socket=tmp_path / "none", catalogue=CATALOGUE, data_dir=tmp_path, **config))
    engine._local.client = FakeApi(runtimes)
    return engine


@pytest.mark.parametrize(
    ("known", "loopback_only", "allow_weak", "wanted"),
    [
        (("runc", "runsc"), False, False, "runsc"),
        (("runc", "crun", "io.containerd.runc.v2"), True, False, "crun"),
        (("runc",), True, False, "runc"),
        (("runc",), False, True, "runc"),
    ],
)
def test_runtime_is_the_best_that_is_allowed(known, loopback_only, allow_weak, wanted, tmp_path):
    engine = engine_with(known, tmp_path, loopback_only=loopback_only, allow_weak_runtime=allow_weak)
    assert engine.runtime() == wanted


def test_weak_runtime_is_refused_on_an_open_portal(tmp_path):
    engine = engine_with(("runc", "crun"), tmp_path, loopback_only=False)
    with pytest.raises(EngineUnavailableError, match="gVisor"):
        engine.runtime()


def test_labs_have_no_runtime_but_their_own(tmp_path):
    engine = engine_with(("runc", "runsc"), tmp_path, loopback_only=True, allow_weak_runtime=True)
    with pytest.raises(EngineUnavailableError, match="runsc-lab"):
        engine.lab_runtime()
    engine._local.client = FakeApi(("runc", "runsc", "runsc-lab"))
    assert engine.lab_runtime() == "runsc-lab"
    engine.forget()
    engine._local.client = FakeApi(("runc",))
    with pytest.raises(EngineUnavailableError):
        engine.lab_runtime()


def test_runtime_is_asked_again_after_a_failure(tmp_path):
    engine = engine_with(("runc", "runsc"), tmp_path)
    assert engine.runtime() == "runsc"
    engine.forget()
    engine._local.client = FakeApi(("runc",))
    assert engine.runtime() == "runc"


@pytest.mark.parametrize("error", [None, api_error("No such container", 404), api_error("already in progress", 409)])
def test_removal_of_what_is_gone_or_going_is_fine(error):
    api = FakeApi(removal=error)
    remove_container(api, "abc")
    assert api.removed == [("abc", {"force": True, "v": True})]


def test_removal_that_fails_says_so():
    with pytest.raises(EngineUnavailableError):
        remove_container(FakeApi(removal=api_error("device busy")), "abc")


def test_receive_joins_pieces_and_stops_at_the_end():
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def send() -> None:
            for piece in (b"ab", b"cde", b"f"):
                theirs.sendall(piece)
            theirs.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        assert receive(ours, 4) == b"abcd"
        assert receive(ours, 0) == b""
        assert receive(ours, 10) == b"ef"
        sender.join()


def test_error_document_of_the_engine_is_read_for_its_message():
    made = response(500)
    made._content = json.dumps({"message": "mkdir: no space left on device"}).encode()
    made.headers["Content-Type"] = "application/json"
    error = APIError("500 Server Error", made, explanation=made.json()["message"])
    with pytest.raises(EngineFullError), engine_errors():
        raise error
