"""The portal's data and process: secrets, database, static files, courses, then uvicorn.

``bin/start`` uses the pieces; the portal's image (docker compose) runs ``python bin/_naru serve``.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from _naru import say, shell, stamps
from _naru.places import ROOT, Data

ADMIN = "admin"
MOST_FRAME = 64 * 1024  # bytes that a terminal's socket may send at once; compressing keystrokes only delays them
GRACE_S = 5  # what uvicorn gives open requests at the end


def write_secret(file: Path) -> None:
    """A new random secret, readable by its owner only; an existing file stays."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_urlsafe(48 if file.name == "secret-key" else 15) + "\n")


def allowed_hosts(host: str) -> str:
    """Host names under which the pages may be asked for when bound to ``host``."""
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  (compared with, not bound to)
        names += [socket.gethostname(), socket.getfqdn(), *_own_addresses()]
    else:
        names.append(f"[{host}]" if ":" in host else host)
    return ",".join(dict.fromkeys(names))


def _own_addresses() -> list[str]:
    found = []
    for family, elsewhere, form in ((socket.AF_INET, "192.0.2.1", "{}"), (socket.AF_INET6, "2001:db8::1", "[{}]")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))  # a datagram socket sends nothing by this
                found.append(form.format(probe.getsockname()[0]))
            except OSError:
                continue
    return found


class Portal:
    """One data directory served by one Python."""

    def __init__(self, data: Data, python: Path, environment: Mapping[str, str]) -> None:
        self.data = data
        self.python = python
        self.environment = {**environment, "DJANGO_SETTINGS_MODULE": "portal.settings"}
        self.stamps = stamps.Stamps(data.path / "stamps.json")

    @property
    def password_file(self) -> Path:
        return self.data.path / "admin-password"

    def prepare(self) -> None:
        """Bring secrets, tables, static files, the admin account and the courses up to date; cheap when they are."""
        write_secret(self.data.path / "secret-key")
        if not (self.data.path / "naru.sqlite3").exists():
            self.stamps.file.unlink(missing_ok=True)
        code = [ROOT / "requirements.lock", ROOT / "lessons" / "migrations"]
        self._once("migrate", self._hash(*code), "데이터베이스 준비", "migrate", "--no-input")
        static = [ROOT / "static", ROOT / "static" / "dist", ROOT / "requirements.lock"]
        self._once("static", self._hash(*static), "화면 파일 모으기", "collectstatic", "--no-input", "--clear")
        self._ensure_admin()
        self._import_courses()

    def _hash(self, *paths: Path) -> str:
        return stamps.digest(stamps.files_under(*(path for path in paths if path.exists())), base=ROOT)

    def _once(self, name: str, wanted: str, label: str, *command: str) -> None:
        if self.stamps.current(name, wanted):
            return
        with say.step(label):
            self._manage(f"{label}: 실패했어요.", *command)
        self.stamps.set(name, wanted)

    def _manage(self, failure: str, *command: str, extra: Mapping[str, str] | None = None) -> str:
        return shell.run(
            [self.python, ROOT / "manage.py", *command],
            failure=failure,
            env={**self.environment, **(extra or {})},
            cwd=ROOT,
        )

    def _ensure_admin(self) -> None:
        if self.stamps.current("admin", "made"):
            return
        write_secret(self.password_file)
        chosen = {"DJANGO_SUPERUSER_PASSWORD": self.password_file.read_text().strip()}
        account = ["--no-input", "--username", ADMIN, "--email", "admin@localhost.localdomain"]
        try:
            self._manage("관리자 계정을 만들지 못했어요.", "createsuperuser", *account, extra=chosen)
        except say.Failure as failure:
            if "already" not in failure.detail and "이미" not in failure.detail:
                raise  # a stamp lost beside a kept database is no reason to stop
        self.stamps.set("admin", "made")

    def _import_courses(self) -> None:
        """A course with a fault is shown and left as it was before; the others and the pages go on."""
        folder = Path(self.environment.get("NARU_COURSES") or ROOT / "courses")
        reader = [ROOT / "lessons" / "content", ROOT / "lessons" / "graders", ROOT / "labs" / "catalogue.yaml"]
        for course in sorted(path.parent for path in folder.glob("*/course.yaml")):
            wanted, name = self._hash(course, *reader), f"course {course}"
            if self.stamps.current(name, wanted):
                continue
            try:
                with say.step(f"과정 가져오기: {course.name}"):
                    self._manage("", "importcourse", str(course))
            except say.Failure as failure:
                failure.line = f"과정을 가져오지 못했어요: {course.name}. 위의 파일을 고친 다음 다시 시작해 주세요."
                say.failed(failure)
                continue
            self.stamps.set(name, wanted)

    def command(self, host: str, port: int) -> list[str]:
        return [
            str(self.python), "-m", "uvicorn", "portal.asgi:application", "--host", host, "--port", str(port),
            "--workers", "1", "--no-server-header", "--no-access-log", "--log-level", "warning",
            "--timeout-graceful-shutdown", str(GRACE_S), "--ws-max-size", str(MOST_FRAME),
            "--ws-ping-interval", "20", "--ws-ping-timeout", "20", "--ws-per-message-deflate", "false",
        ]  # fmt: skip


def main(arguments: list[str]) -> int:
    """Inside the portal's image: prepare the volume, then become uvicorn."""
    data = Data(Path(os.environ["NARU_DATA"]))
    data.make()
    environment = dict(os.environ)
    portal = Portal(data, Path(sys.executable), environment)
    portal.prepare()
    say.line(f"관리자 이름은 {ADMIN}, 비밀번호는 {portal.password_file} 안에 있어요.")
    command = portal.command("0.0.0.0", 8000)  # noqa: S104  (the container's own network; compose publishes it)
    os.chdir(ROOT)
    os.execve(command[0], command, portal.environment)  # noqa: S606  (an argv of ours)
