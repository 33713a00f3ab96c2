"""What may be wrong with this installation, and what helps."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from lessons.models import Course
from lessons.sandbox import Finding, SandboxError
from lessons.services.sandboxes import current_sandbox

logger = logging.getLogger(__name__)

LEAST_FREE_MB = 500
SECRETS = ("secret-key", "admin-password")


def find_problems() -> list[Finding]:
    """Every finding of this process's surroundings and of the engine, good ones too; raises nothing."""
    return [finding for look in LOOKS for finding in _safely(look)]


def log_findings_soon() -> threading.Thread:
    """Look from a thread of its own, since trying out the engine takes seconds; log what is not good."""
    thread = threading.Thread(target=_log_findings, name="doctor", daemon=True)
    thread.start()
    return thread


def _log_findings() -> None:
    try:
        for finding in find_problems():
            if finding.level == "bad":
                logger.error("%s %s %s", finding.what, finding.effect, finding.fix)
            elif finding.level == "note":
                logger.warning("%s %s %s", finding.what, finding.effect, finding.fix)
            else:
                logger.info("%s", finding.what)
    finally:
        connection.close()


def _safely(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """One look; whatever it stumbles over is a finding too."""
    try:
        return list(look())
    except Exception as error:
        logger.exception("A look of doctor failed")
        what = _("확인하다가 문제가 생겼어요: %(error)s") % {"error": f"{type(error).__name__}: {error}"[:300]}
        return [Finding("bad", what, _("이 부분의 상태를 알 수 없어요."), _("로그를 살펴보세요."))]


def _database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding(
            "bad",
            _("데이터베이스를 열 수 없어요: %(error)s") % {"error": str(error)[:300]},
            _("페이지가 나오지 않아요."),
            _("데이터 폴더와 NARU_DATA를 확인하고 bin/start를 다시 실행하세요."),
        )
        return
    if pending:
        yield Finding(
            "bad",
            _("데이터베이스에 반영하지 않은 변경이 %(count)d개 있어요.") % {"count": len(pending)},
            _("새 기능이 오류를 낼 수 있어요."),
            _("manage.py migrate를 실행하세요."),
        )
        return
    yield Finding("good", _("데이터베이스: %(vendor)s, 최신 상태예요.") % {"vendor": connection.vendor}, "", "")
    courses = Course.objects.published().count()
    if courses:
        yield Finding("good", _("과정 %(count)d개를 들여왔어요.") % {"count": courses}, "", "")
    else:
        yield Finding(
            "bad",
            _("들여온 과정이 없어요."),
            _("학습자에게 보일 단원이 없어요."),
            _("manage.py importcourse courses/cloud-native를 실행하세요."),
        )


def _data_directory() -> Iterator[Finding]:
    data = settings.DATA_DIR
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "bad",
            _("데이터 폴더 %(path)s에 쓸 수 없어요.") % {"path": data},
            _("아무것도 저장되지 않아요."),
            _("폴더의 주인과 권한을 확인하세요."),
        )
        return
    for name in SECRETS:
        file = data / name
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Finding(
                "bad",
                _("다른 사용자도 읽을 수 있는 비밀 파일이에요: %(path)s") % {"path": file},
                _("비밀값이 새어 나갈 수 있어요."),
                _("다음 명령을 실행하세요: chmod 600 %(path)s") % {"path": file},
            )
    free_mb = shutil.disk_usage(data).free // 2**20
    if free_mb < LEAST_FREE_MB:
        yield Finding(
            "bad",
            _("데이터 폴더에 남은 공간이 %(free)d MB뿐이에요.") % {"free": free_mb},
            _("곧 제출을 저장하지 못할 수 있어요."),
            _("디스크를 비워 %(least)d MB 넘게 남기세요.") % {"least": LEAST_FREE_MB},
        )
    else:
        yield Finding(
            "good", _("데이터 폴더: %(path)s, 남은 공간 %(free)d MB") % {"path": data, "free": free_mb}, "", ""
        )


def _static_files() -> Iterator[Finding]:
    bundle = settings.BASE_DIR / "static" / "dist"
    if not any(bundle.rglob("*.css")) or not any(bundle.rglob("*.js")):
        yield Finding(
            "bad",
            _("화면 파일 묶음(static/dist)이 없어요."),
            _("페이지가 꾸밈없이 나오고 편집기가 뜨지 않아요."),
            _("bin/start를 실행하면 만들어져요."),
        )
    else:
        yield Finding("good", _("화면 파일 묶음이 있어요."), "", "")


def _engine() -> Iterator[Finding]:
    try:
        yield from current_sandbox().health()
    except SandboxError as error:
        yield Finding(
            "bad",
            _("채점 엔진에 닿지 못했어요: %(error)s") % {"error": str(error)[:300]},
            _("제출은 저장되지만 엔진이 돌아올 때까지 채점되지 않아요."),
            _("bin/start를 다시 실행하세요."),
        )


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (_database, _data_directory, _static_files, _engine)
