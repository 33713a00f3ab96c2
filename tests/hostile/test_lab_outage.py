"""Hostile item 29 for labs: the portal is killed, the engine stops, a terminal's socket drops, while a lab is open."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.conftest import SpareEngine
from tests.hostile.portal_process import PortalProcess
from tests.sandbox.running import eventually, make_sandbox

pytestmark = [pytest.mark.docker, pytest.mark.hostile]

FIND = """
from lessons.models import Exercise, LabSession, User
learner, _ = User.objects.get_or_create(username="unlucky-in-labs")
exercise = Exercise.objects.get(slug="web")
"""
OPEN = FIND + "from lessons.services.labs import request_lab\n"
OPEN += 'print("ANSWER", request_lab(learner=learner, exercise=exercise).pk)\n'
HAND_IN = FIND + "from lessons.services.submissions import submit_answer\n"
HAND_IN += 'print("ANSWER", submit_answer(learner=learner, exercise=exercise, files={}).pk)\n'
REASON = FIND + 'print("ANSWER", LabSession.objects.get(pk="%s").get_reason_display())\n'
END = FIND + "from lessons.services.labs import end_lab\n"
END += 'end_lab(lab=LabSession.objects.open().get(learner=learner, exercise=exercise))\nprint("ANSWER done")\n'
ENTER = (
    FIND
    + """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from lessons.services.terminals import issue_ticket
session = SessionStore()
session[SESSION_KEY] = str(learner.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = learner.get_session_auth_hash()
session.save()
lab = LabSession.objects.get(pk="%s")
print("ANSWER", session.session_key, *(issue_ticket(lab=lab, number=1, user=learner) for _ in range(2)))
"""
)
STATE = "SELECT state, reason, container FROM lessons_labsession WHERE id = ?"

BROKEN = "SELECT status, broken_reason, verdict FROM lessons_submission WHERE id = ?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, engine_image: str) -> Iterator[SpareEngine]:
    """With labs, for all tests of this module: putting their image in takes half a minute."""
    made = SpareEngine(tmp_path_factory.mktemp("engine"), engine_image, labs=True)
    try:
        made.start()
        wait_for_labs(made)
        yield made
    finally:
        made.container.remove(volume=True)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, engine: SpareEngine) -> Iterator[PortalProcess]:
    data = tmp_path_factory.mktemp("data")
    started = PortalProcess(data, engine.socket, LAB_POOL_SIZE="0", POOL_SIZE="0")
    started.start()
    yield started
    started.end()


@pytest.fixture(scope="module")
def lab(portal: PortalProcess) -> str:
    """An open lab in which the learner has done what was asked."""
    return opened(portal)


def opened(portal: PortalProcess) -> str:
    (lab,) = portal.ask(OPEN)
    portal.until(lambda: portal.row(STATE, lab)[0] == "ready", 60, "a lab to be ready")
    return lab


def wait_for_labs(engine: SpareEngine) -> None:
    eventually(lambda: engine.container.labs().get("docker", {}).get("state") == "ready", seconds=240)


def in_lab(portal: PortalProcess, engine: SpareEngine, lab: str, *argv: str) -> str:
    container = portal.row(STATE, lab)[2]
    done = make_sandbox(engine.socket, portal.data).lab(container).run(argv, seconds=40)
    assert done.exit_code == 0, done
    return done.stdout.decode()


def containers_of_labs(engine: SpareEngine) -> list[str]:
    """Labs that are somebody's; a doctor that was killed leaves its own to the reaper."""
    client = docker.APIClient(base_url=f"unix://{engine.socket}", version="1.44")
    try:
        labs = client.containers(all=True, filters={"label": "naru.kind=lab"})
        return [lab["Id"] for lab in labs if any(name.startswith("/naru-lab-") for name in lab["Names"])]
    finally:
        client.close()


class Window:
    """A terminal as a browser shows it; ``hello`` is the first frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen = b""
        self.hello = json.loads(socket.recv(timeout=30))

    def read_until(self, wanted: bytes) -> None:
        while wanted not in self.seen:
            frame = self.socket.recv(timeout=30)
            self.seen += frame if isinstance(frame, bytes) else b""

    def drop(self) -> None:
        """As a train in a tunnel: no farewell."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def terminal(portal: PortalProcess, lab: str, session: str, ticket: str) -> Iterator[Window]:
    with connect(
        f"ws://127.0.0.1:{portal.port}/ws/labs/{lab}/terminals/1/?ticket={ticket}",
        origin=f"http://127.0.0.1:{portal.port}",  # type: ignore[arg-type]  # a NewType over str
        additional_headers={"Cookie": f"sessionid={session}"},
    ) as connection:
        yield Window(connection)


def test_terminal_whose_socket_drops_is_replayed_and_goes_on(portal: PortalProcess, lab: str) -> None:
    session, first, second = portal.ask(ENTER % lab)
    with terminal(portal, lab, session, first) as window:
        window.socket.send(b"echo be''fore; sleep 2; echo mean''while; pwd\r")
        window.read_until(b"before")
        window.drop()
    with terminal(portal, lab, session, second) as again:
        assert again.hello["type"] == "hello"
        assert again.hello["replay"] > 0
        again.read_until(b"meanwhile")
        assert again.seen.count(b"before\r\n") == 1


def test_lab_outlives_a_portal_that_was_killed(portal: PortalProcess, engine: SpareEngine, lab: str) -> None:
    in_lab(portal, engine, lab, "docker", "run", "-d", "--name", "web", "nginx:1.26")
    container = portal.row(STATE, lab)[2]
    assert portal.process
    portal.process.send_signal(signal.SIGSTOP)  # so that nobody grades before the kill
    (submission,) = portal.ask(HAND_IN)
    portal.end(signal.SIGKILL)
    assert portal.state(submission)[0] == "queued"
    assert containers_of_labs(engine) == [container]
    portal.start()
    assert portal.wait_for(submission, "finished", "broken")[:2] == ("finished", "pass")
    assert portal.row(STATE, lab) == ("ready", "", container)
    assert containers_of_labs(engine) == [container]
    session, ticket, _ = portal.ask(ENTER % lab)
    with terminal(portal, lab, session, ticket) as window:
        window.socket.send(b"docker ps --format '{{.Names}} is u''p'\r")
        window.read_until(b"web is up")


def test_engine_that_stops_fails_the_lab_and_the_next_one_opens(
    portal: PortalProcess, engine: SpareEngine, lab: str
) -> None:
    engine.stop()
    (submission,) = portal.ask(HAND_IN)
    assert portal.wait_for(submission, "broken", "finished")[1] == ""
    engine.start()
    portal.until(lambda: portal.row(STATE, lab)[0] == "failed", 40, "the lab to have failed")
    portal.until(lambda: portal.row(BROKEN, submission) == ("broken", "lab", ""), 40, "it to be given up")
    assert portal.row(STATE, lab)[1] == "gone"
    assert re.search("[가-힣]+요\\.$", " ".join(portal.ask(REASON % lab)))
    wait_for_labs(engine)
    new = opened(portal)
    assert new != lab
    assert in_lab(portal, engine, new, "docker", "run", "--rm", "busybox:1.37", "echo", "fine") == "fine\n"
    assert containers_of_labs(engine) == [portal.row(STATE, new)[2]]
    portal.ask(END)
    portal.until(lambda: not containers_of_labs(engine), 30, "its container to go")
    portal.until(lambda: portal.row(STATE, lab)[2] == portal.row(STATE, new)[2] == "", 30, "both to be tidied up")
