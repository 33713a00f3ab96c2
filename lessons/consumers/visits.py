"""Who stands behind a socket, and whether they may still. Everything here blocks: for threads."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, parse_cookie
from django.utils.translation import gettext as _

from lessons import queries
from lessons.models import LabSession, User
from lessons.services import labs, terminals


class NotAdmitted(Exception):
    """No session, or a ticket that opens nothing here."""


@dataclass(frozen=True)
class Visit:
    """One socket's right to one terminal."""

    session_key: str
    user_id: int
    lab: LabSession
    number: int


@dataclass(frozen=True)
class Look:
    """How a visit stands. ``problem``: "" while all is well, else session | lab; ``message`` says it, or warns."""

    problem: str
    message: str


def admit(*, cookies: str, ticket: str, lab_id: UUID, number: int) -> Visit:
    """Use the ticket up. Raises NotAdmitted."""
    session_key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME, "")
    user = _user_of(session_key)
    if user is None or not ticket:
        raise NotAdmitted
    try:
        lab = terminals.redeem_ticket(token=ticket, lab_id=lab_id, number=number, user=user)
    except terminals.TicketRefused as error:
        raise NotAdmitted from error
    labs.touch_lab(lab=lab, used=True)
    return Visit(session_key, user.pk, lab, number)


def look(visit: Visit, *, used: bool = False) -> Look:
    """Whether this session still is this user's and the lab still theirs and alive; then it is touched."""
    user = _user_of(visit.session_key)
    if user is None or user.pk != visit.user_id:
        return Look("session", _("로그아웃해서 터미널을 닫았어요. 로그인하면 하던 곳에서 이어져요."))
    lab = queries.lab_for(user, visit.lab.pk)
    if lab is None:
        return Look("session", _("이 실습을 더는 볼 수 없어요. 페이지를 새로 고쳐 보세요."))
    if not lab.is_live:
        return Look("lab", queries.over_sentence(lab))
    labs.touch_lab(lab=lab, used=used)
    return Look("", queries.ending_sentence(lab) if lab.warned_at else "")


def _user_of(session_key: str) -> User | None:
    """Who is logged in by this session now: a logout, a new password or an inactive account end it."""
    if not session_key:
        return None
    request: Any = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = auth.get_user(request)
    return user if isinstance(user, User) and user.is_active else None
