"""Tickets for terminals: single use, short-lived, good for one learner, lab and terminal."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from uuid import UUID

from django.utils import timezone

from lessons.models import LabSession, TerminalTicket, User
from lessons.queries import MOST_TERMINALS

TICKET_SECONDS = 30.0


class TicketRefused(Exception):
    """This ticket opens nothing: unknown, used, too old, of somebody else, or its lab is over."""


def issue_ticket(*, lab: LabSession, number: int, user: User) -> str:
    """A token that opens terminal ``number`` of the lab once within 30 s. Raises TicketRefused."""
    if lab.learner_id != user.pk or not lab.is_live or not 1 <= number <= MOST_TERMINALS:
        raise TicketRefused
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    TerminalTicket.objects.filter(expires_at__lt=now).delete()
    TerminalTicket.objects.create(
        lab=lab,
        user=user,
        number=number,
        digest=_digest(token),
        expires_at=now + datetime.timedelta(seconds=TICKET_SECONDS),
    )
    return token


def redeem_ticket(*, token: str, lab_id: UUID, number: int, user: User) -> LabSession:
    """Use the ticket up; the lab that it opens. Raises TicketRefused, and then it is used up as well."""
    ticket = TerminalTicket.objects.filter(digest=_digest(token)).first()
    if ticket is None:
        raise TicketRefused
    used, _ = TerminalTicket.objects.filter(pk=ticket.pk).delete()
    fits = (ticket.lab_id, ticket.number, ticket.user_id) == (lab_id, number, user.pk)
    if not used or not fits or ticket.expires_at < timezone.now():
        raise TicketRefused
    lab = LabSession.objects.slim().filter(pk=lab_id, learner=user).first()
    if lab is None or not lab.is_live:
        raise TicketRefused
    return lab


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
