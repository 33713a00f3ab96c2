"""Tickets: single use, short-lived, of one learner, lab and terminal."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.utils import timezone

from lessons.models import TerminalTicket
from lessons.services.terminals import TicketRefused, issue_ticket, redeem_ticket
from tests.factories import make_lab, make_learner

pytestmark = pytest.mark.django_db


def test_ticket_opens_its_terminal_once():
    lab = make_lab()
    token = issue_ticket(lab=lab, number=2, user=lab.learner)
    assert redeem_ticket(token=token, lab_id=lab.pk, number=2, user=lab.learner) == lab
    with pytest.raises(TicketRefused):
        redeem_ticket(token=token, lab_id=lab.pk, number=2, user=lab.learner)


def test_ticket_itself_is_stored_nowhere():
    lab = make_lab()
    token = issue_ticket(lab=lab, number=1, user=lab.learner)
    assert token not in str(list(TerminalTicket.objects.values()))


@pytest.mark.parametrize("other", ["lab", "number", "user", "token"])
def test_ticket_opens_nothing_else_and_is_used_up_by_trying(other):
    lab = make_lab()
    right = {"token": issue_ticket(lab=lab, number=1, user=lab.learner), "lab_id": lab.pk, "number": 1}
    right["user"] = lab.learner
    wrong = {"lab": {"lab_id": uuid.uuid4()}, "number": {"number": 2}, "user": {"user": make_learner()}}
    wrong["token"] = {"token": "\ud800"}
    with pytest.raises(TicketRefused):
        redeem_ticket(**{**right, **wrong[other]})
    assert TerminalTicket.objects.exists() is (other == "token")


def test_ticket_is_good_for_half_a_minute():
    lab = make_lab()
    token = issue_ticket(lab=lab, number=1, user=lab.learner)
    TerminalTicket.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    with pytest.raises(TicketRefused):
        redeem_ticket(token=token, lab_id=lab.pk, number=1, user=lab.learner)
    issue_ticket(lab=lab, number=1, user=lab.learner)
    assert TerminalTicket.objects.count() == 1


def test_ticket_opens_no_lab_that_ended_meanwhile():
    lab = make_lab()
    token = issue_ticket(lab=lab, number=1, user=lab.learner)
    type(lab).objects.update(state="ended")
    with pytest.raises(TicketRefused):
        redeem_ticket(token=token, lab_id=lab.pk, number=1, user=lab.learner)


@pytest.mark.parametrize(
    ("state", "number", "own"), [("ended", 1, True), ("ready", 0, True), ("ready", 5, True), ("ready", 1, False)]
)
def test_ticket_is_issued_to_the_owner_for_a_terminal_that_may_be(state, number, own):
    lab = make_lab(state=state)
    with pytest.raises(TicketRefused):
        issue_ticket(lab=lab, number=number, user=lab.learner if own else make_learner())
