"""An engine that is none, for labs: its containers are dictionaries, and each exec's far end is the test's to hold."""

from __future__ import annotations

import itertools
import json
import socket
import struct
from pathlib import Path
from typing import Any

import requests
from docker.errors import APIError, NotFound

from lessons.contracts import LabShape
from lessons.sandbox.lab import Lab


def refusal(text: str, status: int) -> APIError:
    response = requests.Response()
    response.status_code = status
    return (NotFound if status == 404 else APIError)(text, response, explanation=text)


def frame(text: bytes, kind: int = 1) -> bytes:
    return struct.pack(">BxxxI", kind, len(text)) + text


class Answer:
    """What an exec says at once, and how it ends; ``holds`` leaves its stream open for the test to write to."""

    def __init__(self, document: Any = None, *, code: int = 0, out: bytes = b"", err: bytes = b"", holds: bool = False):
        self.out = json.dumps(document).encode() if document is not None else out
        self.code, self.err, self.holds = code, err, holds


class LabEngine:
    """Stands for Engine and for its api. ``answers``: second word of argv -> Answer, or a list of them."""

    def __init__(self) -> None:
        self.api, self.call_seconds, self.socket = self, 5, Path("/nowhere")
        self.containers_made: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {"wait": Answer({"ready_ms": 5, "hosts": []}), "check": Answer({"ok": True})}
        self.execs: list[dict[str, Any]] = []
        self.removed: list[str] = []
        self.resized: list[tuple[str, int, int]] = []
        self.numbers = itertools.count()
        self.runtimes = {"runsc", "runsc-lab"}
        self.refusals: dict[str, list[Exception]] = {}  # name of a call -> raised in turn
        self.forgotten = 0

    def _may(self, call: str, container_id: str = "") -> dict[str, Any]:
        if self.refusals.get(call):
            raise self.refusals[call].pop(0)
        if not container_id:
            return {}
        if container_id not in self.containers_made:
            raise refusal(f"No such container: {container_id}", 404)
        return self.containers_made[container_id]

    # of Engine
    def lab_runtime(self) -> str:
        return "runsc-lab"

    def forget(self) -> None:
        self.forgotten += 1

    # of its api
    def create_container_from_config(self, config: dict[str, Any], name: str) -> dict[str, str]:
        self._may("create")
        made = f"lab{next(self.numbers)}"
        self.containers_made[made] = {"config": config, "name": name, "running": False, "paused": False, "oom": False}
        return {"Id": made}

    def start(self, container_id: str) -> None:
        self._may("start", container_id)["running"] = True

    def inspect_container(self, container_id: str) -> dict[str, Any]:
        found = self._may("inspect", container_id)
        return {"State": {"Running": found["running"], "Paused": found["paused"], "OOMKilled": found["oom"]}}

    def containers(self, *, all: bool, filters: dict[str, str]) -> list[dict[str, Any]]:
        self._may("containers")
        assert all
        name, _, value = filters["label"].partition("=")
        return [
            {"Id": made, "Names": [f"/{one['name']}"], "Labels": one["config"]["Labels"]}
            for made, one in self.containers_made.items()
            if one["config"]["Labels"].get(name) == value
        ]

    def pause(self, container_id: str) -> None:
        self._switch("pause", container_id, paused=True)

    def unpause(self, container_id: str) -> None:
        self._switch("unpause", container_id, paused=False)

    def _switch(self, call: str, container_id: str, *, paused: bool) -> None:
        found = self._may(call, container_id)
        if not found["running"] or found["paused"] is paused:
            raise refusal(f"container {container_id} is not as it should be", 409)
        found["paused"] = paused

    def rename(self, container_id: str, name: str) -> None:
        self._may("rename", container_id)["name"] = name

    def remove_container(self, container_id: str, **_: Any) -> None:
        self._may("remove", container_id)
        del self.containers_made[container_id]
        self.removed.append(container_id)

    def exec_create(self, container_id: str, argv: list[str], **options: Any) -> dict[str, str]:
        found = self._may("exec_create", container_id)
        if not found["running"] or found["paused"]:
            raise refusal(f"Container {container_id} is {'paused' if found['paused'] else 'not running'}", 409)
        self.execs.append({"container": container_id, "argv": argv, **options})
        return {"Id": str(len(self.execs) - 1)}

    def hijack(self, engine: Any, path: str, body: dict[str, Any]) -> socket.socket:
        """In the place of ``execs._hijack``."""
        made = self.execs[int(path.split("/")[2])]
        self._may("hijack")
        verb = made["argv"][1] if len(made["argv"]) > 1 else made["argv"][0]
        answer = self.answers.get(verb, Answer())
        if isinstance(answer, list):
            answer = answer.pop(0)
        ours, far = socket.socketpair()
        made |= {"body": body, "answer": answer, "far": far, "ours": ours}
        if not body["Tty"]:
            far.sendall((frame(answer.out) if answer.out else b"") + (frame(answer.err, 2) if answer.err else b""))
        if not answer.holds:
            far.shutdown(socket.SHUT_WR)
        return ours

    def exec_inspect(self, exec_id: str) -> dict[str, Any]:
        made = self.execs[int(exec_id)]
        self._may("exec_inspect", made["container"])
        code = made["answer"].code
        return {"Running": code is None, "ExitCode": code}

    def exec_resize(self, exec_id: str, height: int, width: int) -> None:
        self._may("exec_resize")
        self.resized.append((exec_id, width, height))

    # for tests
    def lab(self, shape: LabShape | None = None) -> Lab:
        """A running one."""
        config = {"Labels": {}}
        made = self.create_container_from_config(config, "naru-lab-1-x")["Id"]
        self.start(made)
        return Lab(self, made, shape)

    def kill(self, lab: Lab, *, by_memory: bool = False) -> None:
        self.containers_made[lab.id] |= {"running": False, "oom": by_memory}

    def heard(self, number: int = -1) -> bytes:
        """All of what the exec was given on its standard input."""
        parts = []
        self.execs[number]["far"].settimeout(2)
        while part := self.execs[number]["far"].recv(1 << 16):
            parts.append(part)
        return b"".join(parts)

    def verbs(self) -> list[str]:
        return [made["argv"][1] for made in self.execs]

    def open_sockets(self) -> int:
        return sum(made["ours"].fileno() >= 0 for made in self.execs if "ours" in made)

    def close(self) -> None:
        for made in self.execs:
            for end in ("far", "ours"):
                if end in made:
                    made[end].close()
