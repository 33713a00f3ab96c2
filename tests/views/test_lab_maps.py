"""A lab at a glance, and the way back to where a check passed last."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lessons.models import KeptStep, LabSession
from lessons.sandbox import DeadlineError
from lessons.services import sandboxes
from tests.factories import make_lab, make_lab_exercise
from tests.fakes import FakeSandbox
from tests.services.labs import make_cluster_exercise
from tests.topology import documents

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def sandbox(monkeypatch) -> FakeSandbox:
    found = FakeSandbox()
    monkeypatch.setattr(sandboxes, "_sandbox", found)
    return found


@pytest.fixture
def lab(owner) -> LabSession:
    return make_lab(owner, make_cluster_exercise(), topology=documents.troubled())


def text_of(response) -> str:
    return response.content.decode()


def map_of(browser, lab, **headers):
    return browser.get(reverse("lab-topology", args=[lab.pk]), **(headers or HTMX))


def make_step(lab: LabSession, **fields) -> KeptStep:
    usual = {"check_id": "runs", "title": "`web`이 실행 중", "seed": lab.seed, "data": b"then", "at": timezone.now()}
    return KeptStep.objects.create(learner=lab.learner, exercise=lab.exercise, **{**usual, **fields})


def test_a_cluster_is_drawn_and_told_in_tables(browser, lab):
    text = text_of(map_of(browser, lab))
    assert text.count("<svg ") == 2
    assert text.count('aria-hidden="true" focusable="false"') == 2
    assert re.findall(r"<caption>([^<]+)", text) == [
        "Service와 엔드포인트",
        "Pod를 만들고 개수를 지키는 오브젝트",
        "ReplicaSet",
        "Pod",
        "노드",
        "오토스케일러(HorizontalPodAutoscaler)",
    ]
    assert '<th scope="row">shop</th>' in text
    assert "고장 난 곳이 5군데 있어요." in text
    assert "<code>kubectl get pods --show-labels</code>" in text
    assert 'data-announcement="고장 난 곳이 5군데 있어요. Service lost: ' in text


def test_what_is_drawn_carries_no_style_and_no_script(browser, lab):
    lab.topology = documents.cluster(pods=[documents.pod('<script>alert(1)</script>"', labels={"a": "<b>"})])
    lab.save(update_fields=["topology"])
    text = text_of(map_of(browser, lab))
    assert "&lt;script&gt;" in text
    for tag in ("<script", "<style", " style=", "<b>&", "onload"):
        assert tag not in text


def test_a_lab_that_was_not_looked_at_or_is_over_has_nothing_to_show(browser, owner, lab):
    LabSession.objects.update(topology=None)
    assert "아직 아무것도 없어요" in text_of(map_of(browser, lab))
    LabSession.objects.update(topology=documents.cluster(), state="ended")
    assert "<svg" not in text_of(map_of(browser, lab))


def test_the_map_is_its_owners_alone_and_has_no_page_of_its_own(browsers, lab):
    url = reverse("lab-topology", args=[lab.pk])
    for name in ("stranger", "instructor", "nobody"):
        assert browsers[name].get(url, **HTMX).status_code == 404
        assert browsers[name].post(reverse("lab-step", args=[lab.pk]), **HTMX).status_code == 404
    assert browsers["owner"].get(url).url == reverse("lab", args=[lab.pk])
    assert browsers["owner"].post(url).status_code == 405
    assert map_of(browsers["owner"], lab)["Cache-Control"] == "no-store"


def test_a_step_is_offered_with_its_title_and_time(browser, lab):
    checks = reverse("lab-checks", args=[lab.pk])
    assert "마지막으로 통과한 때로" not in text_of(browser.get(checks, **HTMX))
    step = make_step(lab)
    shown = timezone.localtime(step.at).strftime("%H:%M")
    text = text_of(browser.get(checks, **HTMX))
    assert "마지막으로 통과한 때로" in text
    assert f">{shown}</time> <code>web</code>이 실행 중" in text
    assert f'hx-confirm="{shown}, “web이 실행 중” 항목을 통과한 때로 돌아갈까요?' in text
    KeptStep.objects.update(seed=lab.seed + 1)
    assert "data-lab-step" not in text_of(browser.get(checks, **HTMX))


def test_only_labs_with_a_cluster_have_steps(browser, owner):
    plain = make_lab(owner, make_lab_exercise())
    make_step(plain)
    assert "data-lab-step" not in text_of(browser.get(reverse("lab-checks", args=[plain.pk]), **HTMX))


def test_going_back_loads_what_was_kept_and_says_so(browser, lab, sandbox):
    shape = lab.lab_shape
    container = sandbox.open_lab(shape, owner="x", lifetime=600)
    LabSession.objects.update(container=container.id)
    make_step(lab)
    reply = browser.post(reverse("lab-step", args=[lab.pk]), **HTMX)
    assert (reply.status_code, container.loaded) == (200, [b"then"])
    assert "“web이 실행 중” 항목을 통과한 때로 돌아갔어요." in text_of(reply)
    assert 'role="status"' in text_of(reply)


def test_a_refusal_says_why(browser, lab):
    reply = browser.post(reverse("lab-step", args=[lab.pk]), **HTMX)
    assert (reply.status_code, "돌아갈 곳이 없어요" in text_of(reply)) == (422, True)
    assert 'role="alert"' in text_of(reply)
    plain = browser.post(reverse("lab-step", args=[lab.pk]))
    assert plain.url == reverse("lab", args=[lab.pk])


def test_going_back_that_fails_is_told(browser, lab, sandbox, monkeypatch):
    container = sandbox.open_lab(lab.lab_shape, owner="x", lifetime=600)
    LabSession.objects.update(container=container.id)
    make_step(lab)

    def load(data, *, seconds):
        raise DeadlineError("late")

    monkeypatch.setattr(container, "load", load)
    reply = browser.post(reverse("lab-step", args=[lab.pk]), **HTMX)
    assert (reply.status_code, "너무 오래 걸려서" in text_of(reply)) == (422, True)


def test_going_back_needs_a_token(owner, lab):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    url = reverse("lab-step", args=[lab.pk])
    assert (strict.get(url).status_code, strict.post(url).status_code) == (405, 403)
