"""Labs as pages show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from lessons.contracts import CLUSTER, REGISTRY, ExerciseSpec, LabShape
from lessons.graders.variables import draw, fill_text
from lessons.models import LARGE_FIELDS, Exercise, LabReason, LabSession, LabState, Origin, User
from lessons.queries.lab_maps import step_view
from lessons.queries.lab_shapes import LabCard, LabView, TerminalTab, TickRow
from lessons.queries.specs import spec_of
from lessons.queries.text import inline_html
from lessons.sandbox import Progress

MOST_TERMINALS = 4  # of a lab, numbered from 1
POLL_WAITING_MS = 1500  # in the queue
POLL_PREPARING_MS = 400  # from the pool it takes less than a second
POLL_BUILDING_MS = 2000
SOON_SECONDS = 300

_TONES = {
    LabState.REQUESTED: "waiting",
    LabState.PLACED: "preparing",
    LabState.READY: "live",
    LabState.IDLE: "paused",
    LabState.ENDED: "over",
    LabState.FAILED: "broken",
}


def open_labs(learner: User | None) -> list[LabSession]:
    """The learner's labs that wait or run, with exercise, lesson and course; the newest first. One query."""
    if learner is None:
        return []
    return list(_rows().open().filter(learner=learner, origin=Origin.LEARNER))


def lab_for(user: User, lab_id: UUID) -> LabSession | None:
    """The lab if it is this user's own: nobody else, staff included, has a place in somebody's terminals."""
    return _rows().filter(pk=lab_id, learner=user).first()


def _rows() -> Any:
    rows = LabSession.objects.select_related("exercise__course", "exercise__lesson", "revision")
    return rows.defer(
        *LARGE_FIELDS,
        "revision__files",
        "revision__prompt_html",
        "exercise__lesson__body",
        "exercise__lesson__blocks",
        "exercise__lesson__contents",
    )


def host_of(shape: LabShape, number: int) -> str:
    """The host that terminal ``number`` (from 1) is on; "" where the lab is the only one."""
    return shape.engines[(number - 1) % len(shape.engines)] if shape.engines else ""


def terminal_tabs(shape: LabShape) -> tuple[TerminalTab, ...]:
    """Every terminal that may be opened, first one of each host."""
    tabs = []
    for number in range(1, MOST_TERMINALS + 1):
        host = host_of(shape, number)
        again = (number - 1) // len(shape.engines) + 1 if shape.engines else 1
        label = _("터미널 %(n)d") % {"n": number} if not host else host if again == 1 else f"{host} {again}"
        tabs.append(TerminalTab(number, label))
    return tuple(tabs)


def lab_view(lab: LabSession, *, place: int = 0) -> LabView:
    """Everything a page shows of a lab. ``place`` is services.labs.place_of(lab)."""
    exercise = lab.exercise
    address = [exercise.course.slug, exercise.slug]
    tone = _TONES[LabState(lab.state)]
    ticks = _ticks(lab)
    done = sum(tick.tone == "ok" for tick in ticks)
    left = _seconds_left(lab)
    shape = lab.lab_shape
    return LabView(
        id=str(lab.pk),
        dom_id=f"lab-{lab.pk}",
        exercise_title=exercise.title,
        exercise_url=exercise.get_absolute_url(),
        exercise_dom_id=f"exercise-{exercise.slug}",
        tone=tone,
        headline=_headline(lab, tone),
        subline=_subline(lab, tone, place, left),
        is_live=lab.is_live,
        is_over=not lab.is_open,
        place=place,
        poll_ms={"waiting": POLL_WAITING_MS, "preparing": POLL_PREPARING_MS}.get(tone, 0),
        seconds_left=left,
        ending=ending_sentence(lab) if left is not None else "",
        extensions_left=lab.extensions_left,
        extend_minutes=settings.LAB_EXTEND_MINUTES,
        terminals=terminal_tabs(shape),
        open_at_first=min(max(1, len(shape.engines)), MOST_TERMINALS),
        checks=ticks,
        done=done,
        total=len(ticks),
        announcement=_("확인 항목 %(total)d개 가운데 %(done)d개를 했어요.") % {"total": len(ticks), "done": done},
        url=reverse("lab", args=[lab.pk]),
        head_url=reverse("lab-head", args=[lab.pk]),
        checks_url=reverse("lab-checks", args=[lab.pk]),
        map_url=reverse("lab-topology", args=[lab.pk]),
        step=step_view(lab),
        extend_url=reverse("lab-extend", args=[lab.pk]),
        end_url=reverse("lab-end", args=[lab.pk]),
        reset_url=reverse("lab-reset", args=[lab.pk]),
        terminals_url=reverse("terminals", args=[lab.pk]),
        start_url=reverse("exercise-lab", args=address),
    )


def lab_card(
    exercise: Exercise,
    spec: ExerciseSpec,
    *,
    learner: User | None,
    labs: Sequence[LabSession],
    progress_of: Callable[[str], Progress],
    problem: str = "",
) -> LabCard:
    """The way into the exercise's lab for this learner, whose open labs are ``labs``."""
    here = next((lab for lab in labs if lab.exercise_id == exercise.pk), None)
    full = here is None and len(labs) >= settings.LABS_PER_LEARNER
    url = exercise.get_absolute_url()
    state, text, percent = "start", _start_text(spec.environment), 0
    if learner is None and not settings.GUESTS:
        state, text = "login", _("실습은 로그인하고 할 수 있어요.")
    elif here is not None:
        state, text = "open", _("실습 환경이 열려 있어요. 터미널에서 해 보고, 다 되면 채점을 눌러 주세요.")
    elif full:
        state, text = "elsewhere", _elsewhere_text(labs[0])
    else:
        progress = progress_of(spec.environment)
        if progress.state != "ready":
            state, percent = ("building" if progress.state == "building" else "down"), progress.percent
            text = progress.text
    return LabCard(
        dom_id=f"exercise-{exercise.slug}",
        state=state,
        text=text,
        facts=_facts(spec),
        percent=percent,
        poll_ms=POLL_BUILDING_MS if state == "building" else 0,
        lab=lab_view(here) if here is not None else None,
        other_title=labs[0].exercise.title if full else "",
        other_url=labs[0].exercise.get_absolute_url() if full else "",
        url=reverse("exercise-lab", args=[exercise.course.slug, exercise.slug]),
        login_url=f"{reverse('login')}?next={url}",
        problem=problem,
    )


def ending_sentence(lab: LabSession) -> str:
    """Why and when a lab that runs will end by itself, and what to do about it; "" while it does not run."""
    left = _seconds_left(lab)
    if left is None:
        return ""
    values = {"n": max(1, round(left / 60))}
    if _ends_by_idling(lab):
        return _("%(n)d분 더 쓰지 않으면 실습을 마쳐요. 터미널에 글자를 쓰면 다시 늘어나요.") % values
    if lab.extensions_left:
        return _("%(n)d분 뒤에 실습을 마쳐요. 더 하려면 늘리기를 눌러 주세요.") % values
    return _("%(n)d분 뒤에 실습을 마쳐요. 늘릴 수 있는 만큼 늘렸으니, 그 전에 채점해 두세요.") % values


def over_sentence(lab: LabSession) -> str:
    """Why a lab is over, and what comes next; for its page and its terminals."""
    reason = LabReason(lab.reason).label if lab.reason else _("실습이 끝났어요.")
    if lab.state == LabState.FAILED:
        return _("%(reason)s 시도 횟수는 줄지 않았고, 채점한 결과도 그대로예요.") % {"reason": reason}
    return str(reason)


def _start_text(environment: str) -> str:
    if environment.startswith("kubernetes"):
        return _("단추를 누르면 나만 쓰는 Linux와 Kubernetes 클러스터가 열려요. 마음껏 만들고 지워도 괜찮아요.")
    return _("단추를 누르면 나만 쓰는 Linux와 Docker 엔진이 열려요. 마음껏 만들고 지워도 괜찮아요.")


def _elsewhere_text(other: LabSession) -> str:
    values = {"title": other.exercise.title}
    return _("다른 문제(%(title)s)의 실습이 열려 있어요. 실습은 한 번에 하나만 열 수 있어요.") % values


def _facts(spec: ExerciseSpec) -> tuple[str, ...]:
    facts = [
        _("메모리 %(mb)d MB, 한 번에 %(minutes)d분까지예요. 시간은 늘릴 수 있어요.")
        % {"mb": spec.limits.memory_mb, "minutes": settings.LAB_HARD_MINUTES},
        _("바깥 인터넷에는 닿지 않아요. 필요한 이미지는 안에 들어 있어요."),
    ]
    if spec.keep:
        said = {CLUSTER: _("클러스터에 만든 것"), REGISTRY: _("레지스트리의 이미지")}
        kept = ", ".join(said.get(one, one) for one in spec.keep)
        facts.append(_("다시 시작해도 남는 것: %(kept)s") % {"kept": kept})
    return tuple(facts)


def _headline(lab: LabSession, tone: str) -> str:
    return {
        "waiting": _("차례를 기다리고 있어요."),
        "preparing": _("실습 환경을 준비하고 있어요."),
        "live": _("실습 중이에요."),
        "paused": _("잠시 멈춰 두었어요."),
        "over": _("실습이 끝났어요."),
        "broken": _("실습 환경을 쓸 수 없게 되었어요."),
    }[tone]


def _subline(lab: LabSession, tone: str, place: int, left: int | None) -> str:
    """The next thing to know or to do; "" where there is none."""
    if tone == "waiting":
        if place > 1:
            return _("앞에 %(n)d명이 있어요. 자리가 나면 바로 열려요.") % {"n": place - 1}
        return _("다음 차례예요. 자리가 나면 바로 열려요.")
    if tone == "preparing":
        if lab.lab_shape.environment.startswith("kubernetes"):
            return _("클러스터를 켜고 문제의 처음 상태를 차리고 있어요. 몇 초면 돼요.")
        return _("Docker 엔진을 켜고 문제의 처음 상태를 차리고 있어요. 몇 초면 돼요.")
    if tone == "paused":
        return _("오랫동안 쓰지 않아서 쉬고 있어요. 터미널에 글자를 쓰면 하던 곳에서 이어져요.")
    if tone == "live":
        return ending_sentence(lab) if left is not None and left <= SOON_SECONDS else ""
    return over_sentence(lab)


def _ends_by_idling(lab: LabSession) -> bool:
    """Whether nobody has used it for so long that this, and not its time, will end it soon."""
    idle, hard = lab.idle_ends_at, lab.expires_at
    if idle is None or (hard is not None and hard <= idle):
        return False
    return idle - timezone.now() <= timedelta(minutes=settings.LAB_WARN_MINUTES)


def _seconds_left(lab: LabSession) -> int | None:
    """Until its time is up; until it ends unused only where that is near, since each key puts that off."""
    ends_at: datetime | None = lab.idle_ends_at if _ends_by_idling(lab) else lab.expires_at
    if not lab.is_live or ends_at is None:
        return None
    return max(0, int((ends_at - timezone.now()).total_seconds()))


def _ticks(lab: LabSession) -> tuple[TickRow, ...]:
    """Every check, in the author's order, as the last look left it."""
    spec = spec_of(lab.revision)
    seen: dict[str, Any] = {str(result.get("id")): result for result in lab.results}
    values = draw((one for one in spec.vars if not one.per_attempt), lab.seed)
    rows = []
    for check in spec.checks:
        result = lab.latched.get(check.id) or seen.get(check.id)
        title = str(result["title"]) if result and result.get("title") else fill_text(check.title, values)
        tone = "ok" if result and result.get("passed") else "open"
        if result is None and lab.results_at is not None:
            tone = "later"
        words = {"ok": _("했어요"), "open": _("아직이에요"), "later": _("채점할 때 확인해요")}
        rows.append(TickRow(check.id, inline_html(title), tone, words[tone]))
    return tuple(rows)
