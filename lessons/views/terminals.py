"""The right to open a terminal, and the way out of a program that does not let go."""

from __future__ import annotations

from uuid import UUID

from django.http import JsonResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from lessons import terminals
from lessons.models import User
from lessons.queries import MOST_TERMINALS
from lessons.sandbox import SandboxError
from lessons.services.terminals import TicketRefused, issue_ticket
from lessons.views.http import Request, methods
from lessons.views.labs import own_lab


@methods("POST")
def open_terminal(request: Request, lab_id: UUID) -> JsonResponse:
    """{"url": where its socket is, good once within 30 s}, else 409 {"message": a sentence}."""
    lab = own_lab(request, lab_id)
    user = request.user
    posted = request.POST.get("number", "1")
    number = int(posted) if posted.isascii() and posted.isdigit() and len(posted) < 3 else 0
    try:
        if not isinstance(user, User):
            raise TicketRefused
        ticket = issue_ticket(lab=lab, number=number, user=user)
    except TicketRefused:
        if lab.is_live:
            return _problem(_("터미널은 %(n)d개까지 열 수 있어요.") % {"n": MOST_TERMINALS})
        return _problem(_("실습이 열려 있지 않아요. 새 실습을 시작해 주세요."))
    path = f"{reverse('terminals', args=[lab.pk])}{number}/"
    return JsonResponse({"url": f"/ws{path}?{urlencode({'ticket': ticket})}"})


@methods("POST")
def free(request: Request, lab_id: UUID, number: int) -> JsonResponse:
    """나 갇혔어요: end what is in the terminal's foreground, and leave the shell."""
    lab = own_lab(request, lab_id)
    try:
        freed = terminals.free(lab.pk, number)
    except SandboxError:
        return _problem(_("지금은 꺼내 드리지 못했어요. 조금 뒤에 다시 눌러 보세요."))
    if freed is None:
        return _problem(_("이 터미널은 열려 있지 않아요. 페이지를 새로 고쳐 보세요."))
    if freed:
        return JsonResponse({"freed": freed, "message": _("하던 프로그램을 끝내고 셸로 돌아왔어요.")})
    return JsonResponse({"freed": 0, "message": _("멈춘 프로그램이 없어요. 터미널은 처음처럼 고쳐 두었어요.")})


def _problem(sentence: str) -> JsonResponse:
    return JsonResponse({"message": sentence}, status=409)
