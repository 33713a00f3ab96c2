"""Status and verdict in words: the one place where they become Korean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from lessons.contracts import Ended, Kind, Limits, Status, Verdict
from lessons.graders.limits import was_computing
from lessons.graders.particles import particle
from lessons.models import BrokenReason, Submission

_TONES = {Verdict.PASS: "pass", Verdict.FAIL: "fail"}
_OPEN_TONES = {Status.QUEUED: "waiting", Status.RUNNING: "running", Status.BROKEN: "broken"}
_ENDED_AS = {
    Ended.TIME: Verdict.TIME_LIMIT,
    Ended.MEMORY: Verdict.MEMORY_LIMIT,
    Ended.OUTPUT: Verdict.OUTPUT_LIMIT,
    Ended.PROCESSES: Verdict.PROCESS_LIMIT,
}


def kind_label(kind: str) -> str:
    return {Kind.RUN: _("직접 쓰기"), Kind.QUIZ: _("퀴즈"), Kind.LAB: _("실습")}[Kind(kind)]


def tone_of(submission: Submission) -> str:
    """pass | fail | limit | ran | waiting | running | broken: what the look of a result follows."""
    status = Status(submission.status)
    if status in _OPEN_TONES:
        return _OPEN_TONES[status]
    if not submission.verdict:
        return "ran"
    return _TONES.get(Verdict(submission.verdict), "limit")


def headline_of(submission: Submission, limits: Limits, *, passed: int = 0, total: int = 0) -> str:
    """One sentence: where the submission is, or how it went."""
    status = Status(submission.status)
    if status == Status.BROKEN:
        return _("채점 서버에 문제가 생겼어요.")
    if status == Status.QUEUED:
        return _("차례를 기다리고 있어요.")
    if status == Status.RUNNING:
        return _("채점하고 있어요.") if submission.graded else _("실행하고 있어요.")
    if not submission.verdict:
        return _ran_headline(submission, limits)
    verdict = Verdict(submission.verdict)
    if verdict == Verdict.PASS:
        return _("통과했어요!")
    if verdict == Verdict.FAIL:
        if total < 2:
            return _("아직이에요.")
        return _("아직이에요. %(total)d개 가운데 %(passed)d개를 통과했어요.") % {"total": total, "passed": passed}
    return limit_sentence(verdict, limits, busy=_was_busy(submission, limits))


def limit_sentence(verdict: Verdict, limits: Limits, *, busy: bool = False) -> str:
    """Which limit was hit, with its number."""
    if verdict == Verdict.TIME_LIMIT:
        seconds = f"{min(limits.seconds, limits.cpu_seconds) if busy else limits.seconds:g}"
        if busy:
            return _("%(n)s초 동안 계산했지만 끝나지 않았어요. 멈추지 않는 반복이 있는지 살펴보세요.") % {"n": seconds}
        return _("%(n)s초 안에 끝나지 않았어요. 무엇을 기다리고 있는지 살펴보세요.") % {"n": seconds}
    if verdict == Verdict.MEMORY_LIMIT:
        return _("메모리를 %(n)d MB 넘게 쓰려고 했어요.") % {"n": limits.memory_mb}
    if verdict == Verdict.OUTPUT_LIMIT:
        return _("출력이 %(n)d KB를 넘어서 거기서 멈췄어요.") % {"n": limits.output_kb}
    return _("프로세스를 %(n)d개 넘게 만들려고 했어요.") % {"n": limits.processes}


def ended_note(row: Mapping[str, object], limits: Limits) -> str:
    """How one probe's program ended, for below its output."""
    ended = Ended(str(row.get("ended") or Ended.EXIT))
    if ended in _ENDED_AS:
        return limit_sentence(_ENDED_AS[ended], limits, busy=_row_was_busy(row, limits))
    if ended == Ended.KILLED:
        return _("신호를 받고 멈췄어요.")
    code = row.get("exit_code")
    if code in (0, None):
        return ""
    number = str(code)
    return _("종료 코드 %(code)s 끝났어요.") % {"code": number + particle(number, "(으)로")}


def broken_sentence(submission: Submission) -> str:
    known = submission.broken_reason in BrokenReason.values
    reason = str(BrokenReason(submission.broken_reason).label) if known else ""
    promise = _("시도 횟수는 줄지 않았고, 곧 다시 채점할게요.") if submission.graded else _("곧 다시 실행해 볼게요.")
    return f"{reason} {promise}".strip()


def waiting_sentence(submission: Submission, *, place: int) -> str:
    """Its place in the queue; "" once it is running. How long it has waited is the page's clock to say."""
    if submission.status != Status.QUEUED or place < 1:
        return ""
    return _("앞에 %(n)d개가 있어요") % {"n": place - 1} if place > 1 else _("바로 다음 차례예요")


def facts_sentence(*, number: int, wall_ms: int | None, peak_mb: float | None) -> str:
    """3번째 시도 · 0.74초 · 메모리 41 MB, as far as each is known."""
    parts = [_("%(n)d번째 시도") % {"n": number}] if number else []
    if wall_ms is not None:
        parts.append(_("%(n)s초") % {"n": f"{wall_ms / 1000:.2f}"})
    if peak_mb is not None:
        parts.append(_("메모리 %(n)s MB") % {"n": f"{peak_mb:.0f}" if peak_mb >= 10 else f"{peak_mb:.1f}"})
    return " · ".join(parts)


def limits_sentence(limits: Limits) -> str:
    return _("%(seconds)s초 · %(memory)d MB") % {"seconds": f"{limits.seconds:g}", "memory": limits.memory_mb}


def _ran_headline(submission: Submission, limits: Limits) -> str:
    rows: Sequence[Mapping[str, object]] = submission.result.get("output", [])
    note = ended_note(rows[0], limits) if rows else ""
    return note or _("실행이 끝났어요.")


def _was_busy(submission: Submission, limits: Limits) -> bool:
    rows = submission.result.get("output", [])
    return any(_row_was_busy(row, limits) for row in rows if row.get("ended") == Ended.TIME)


def _row_was_busy(row: Mapping[str, object], limits: Limits) -> bool:
    cpu = row.get("cpu_ms")
    return isinstance(cpu, int) and was_computing(cpu, seconds=limits.seconds, cpu_seconds=limits.cpu_seconds)
