"""Proofs: a folder graded like a browser's submission, and an exercise held against its own answers.

A proof is a submission of origin PROOF. The command that made it grades it itself, under the
same cap as the portal's runs, so it works with and without a serving portal.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from lessons import queue
from lessons.contracts import ExerciseSpec, Kind, Status, WrongAnswer
from lessons.models import BrokenReason, Exercise, LabSession, Origin, Submission, User
from lessons.sandbox import EnvironmentState, SandboxError
from lessons.services import lab_proofs, labs
from lessons.services.grading import grade_submission
from lessons.services.sandboxes import current_sandbox
from lessons.services.submissions import retry_submission, submit_answer
from lessons.services.typing import TypingFailed

PROVER = "naru-prover"
LOOK_SECONDS = 0.05  # between looks for a free place under the cap
MOST_RETRIES = 2  # of a broken proof, unless its environment is still being built
RETRY_SECONDS = 1.0
KEPT_DAYS = 7


@dataclass(frozen=True)
class ProofResult:
    """One answer's proof. ``case`` is starter, solution or wrong/<name>; ``problem`` is Korean, "" if it holds."""

    exercise: str  # course/slug
    case: str
    holds: bool
    status: str
    verdict: str
    problem: str
    submission_id: UUID | None

    @property
    def broken(self) -> bool:
        return self.status != Status.FINISHED


@dataclass(frozen=True)
class ProofReport:
    """All proofs of a call, in the order of exercises and cases."""

    results: tuple[ProofResult, ...]

    @property
    def holds(self) -> bool:
        return all(result.holds for result in self.results)

    @property
    def broken(self) -> bool:
        """Whether any proof found no grader: then nothing is said about the exercise."""
        return any(result.broken for result in self.results)


@dataclass(frozen=True)
class _Case:
    exercise: Exercise
    spec: ExerciseSpec
    name: str
    files: Mapping[str, str]
    wrong: WrongAnswer | None = None


def try_answer(*, exercise: Exercise, files: Mapping[str, str]) -> Submission:
    """Grade an answer by the path of a learner's submission and return the row, finished or broken.

    ``files`` is what ``answers.clean_answer`` returned. Waits for a place under the cap, and for
    an environment that is still being built. Interrupted, it takes its row along. A lab exercise gets a fresh lab, into
    whose terminal ``solution.sh`` is typed. Raises TypingFailed where that does not end, LabRefused and SandboxError
    where there is no lab.
    """
    if exercise.kind != Kind.LAB:
        return _graded_answer(exercise, files)
    prover, worker = _prover(), queue.worker_name("proof-")
    with (
        lab_proofs.proof_lab(learner=prover, exercise=exercise, worker=worker) as lab,
        lab_proofs.played(lab, lab.revision.spec, files.get(lab_proofs.SCRIPT, "")),
    ):
        return _graded_answer(exercise, files, lab)


def _graded_answer(exercise: Exercise, files: Mapping[str, str], lab: LabSession | None = None) -> Submission:
    row = submit_answer(learner=_prover(), exercise=exercise, files=files, origin=Origin.PROOF, lab=lab)
    try:
        _grade_proof(row)
    except BaseException:
        Submission.objects.filter(pk=row.pk).delete()
        raise
    return row


def check_exercises(
    *, exercises: Sequence[Exercise], progress: Callable[[int, int], None] | None = None
) -> ProofReport:
    """Prove exercises: the starter must fail, the solution pass, every wrong answer fail as it says.

    ``progress(done, total)`` is called from this thread after each proof. Raises ContentError where a
    revision holds no exercise.
    """
    Submission.objects.filter(
        origin=Origin.PROOF, queued_at__lt=timezone.now() - datetime.timedelta(days=KEPT_DAYS)
    ).delete()
    cases = [case for exercise in exercises for case in _cases(exercise)]
    results: dict[int, ProofResult] = {}
    if progress:
        progress(0, len(cases))
    with ThreadPoolExecutor(max_workers=max(1, min(settings.RUNS_IN_FLIGHT, len(cases)))) as pool:
        try:
            futures = {pool.submit(_prove_in_thread, case): number for number, case in enumerate(cases)}
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                if progress:
                    progress(len(results), len(cases))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return ProofReport(tuple(results[number] for number in range(len(cases))))


def _grade_proof(row: Submission) -> None:
    """Claim and grade the row until it is finished, or broken for good; refreshes it."""
    worker = queue.worker_name("proof-")
    retries = 0
    pause = threading.Event()  # never set: a wait that a signal ends
    while True:
        claimed = queue.claim(worker=worker, cap=settings.RUNS_IN_FLIGHT, only=[row.pk])
        if claimed is None:
            queue.requeue_expired()  # where no portal sweeps: a dead one's leases must not keep the cap full
            pause.wait(LOOK_SECONDS)
            continue
        with _renewed(worker, row.pk):
            grade_submission(claimed)
        row.refresh_from_db()
        if row.status == Status.FINISHED:
            return
        if row.status != Status.BROKEN:  # the lease ran out meanwhile: claim it again
            continue
        retries += 0 if _waits_for_environment(row) else 1
        if row.broken_reason in (BrokenReason.CONTENT, BrokenReason.LAB) or retries > MOST_RETRIES:
            return
        pause.wait(RETRY_SECONDS)
        retry_submission(submission=row)


def _waits_for_environment(row: Submission) -> bool:
    """Whether the proof broke only because an image is still being built."""
    if row.broken_reason != BrokenReason.ENVIRONMENT:
        return False
    spec = row.revision.spec
    states = current_sandbox().environments()
    wanted = {spec.environment, *(probe.environment for probe in spec.probes)} - {""}
    return any(states.get(name) == EnvironmentState.BUILDING for name in wanted)


def _prove_in_thread(case: _Case) -> ProofResult:
    try:
        return _prove(case)
    finally:
        connection.close()


def _prove(case: _Case) -> ProofResult:
    try:
        row = try_answer(exercise=case.exercise, files=case.files)
    except TypingFailed as error:
        return _unproved(case, Status.FINISHED, typing_problem(error))
    except labs.EnvironmentNotReady as error:
        return _unproved(case, Status.BROKEN, error.progress.text)
    except (SandboxError, labs.LabRefused) as error:
        return _unproved(case, Status.BROKEN, str(error))
    broken = row.status != Status.FINISHED
    problem = str(row.get_broken_reason_display()) if broken else _what_is_wrong(case, row)
    return ProofResult(
        exercise=_name_of(case),
        case=case.name,
        holds=not problem,
        status=row.status,
        verdict=row.verdict,
        problem=problem,
        submission_id=row.pk,
    )


def _unproved(case: _Case, status: Status, problem: str) -> ProofResult:
    return ProofResult(_name_of(case), case.name, False, status, "", problem, None)


def _name_of(case: _Case) -> str:
    return f"{case.exercise.course.slug}/{case.exercise.slug}"


def typing_problem(error: TypingFailed) -> str:
    """Why a script could not be played, in Korean, with the terminal's last words."""
    said = error.said.strip().splitlines()[-3:]
    return _("solution.sh의 %(line)d번째 줄이 끝나지 않았어요. 터미널에 마지막으로 나온 말: %(said)s") % {
        "line": error.line,
        "said": " / ".join(line.strip()[-160:] for line in said) or "-",
    }


def _what_is_wrong(case: _Case, row: Submission) -> str:
    """Why the proof does not hold, in Korean; "" if it does."""
    if case.name == "solution":
        if row.passed:
            return ""
        failed = ", ".join(check["id"] for check in row.result["checks"] if not check["passed"])
        return _("모범 답안이 통과하지 못했어요(%(verdict)s). 걸린 확인 항목: %(failed)s") % {
            "verdict": row.verdict,
            "failed": failed or "-",
        }
    if row.passed:
        return _("통과하면 안 되는 답인데 통과했어요. 이 답을 잡아낼 확인 항목을 더해 주세요.")
    return _wrong_problem(case.wrong, row) if case.wrong else ""


def _wrong_problem(wrong: WrongAnswer, row: Submission) -> str:
    if wrong.verdict is not None and wrong.verdict != row.verdict:
        return _("바란 결과: %(wanted)s, 실제 결과: %(found)s") % {"wanted": wrong.verdict, "found": row.verdict}
    if not wrong.check:  # a limit may end the run before any check can say more
        return ""
    check = next((check for check in row.result["checks"] if check["id"] == wrong.check), None)
    if check is None or check["passed"]:
        failed = ", ".join(check["id"] for check in row.result["checks"] if not check["passed"])
        return _("확인 항목 %(check)s에서 걸려야 해요. 실제로 걸린 항목: %(failed)s") % {
            "check": wrong.check,
            "failed": failed or "-",
        }
    if wrong.message not in check["message"]:
        return _("확인 항목 %(check)s의 알림에 '%(wanted)s' 구절이 들어 있어야 해요. 실제 알림: %(found)s") % {
            "check": wrong.check,
            "wanted": wrong.message,
            "found": check["message"],
        }
    return ""


def _cases(exercise: Exercise) -> Iterator[_Case]:
    spec = exercise.spec
    starter = {name: spec.starter.get(name, "") for name in spec.editable} if spec.kind == Kind.RUN else {}
    yield _Case(exercise, spec, "starter", starter)
    if spec.solution:
        yield _Case(exercise, spec, "solution", {**starter, **spec.solution})
    for wrong in spec.wrong:
        yield _Case(exercise, spec, f"wrong/{wrong.name}", {**starter, **wrong.files}, wrong)


def _prover() -> User:
    """The user whom proofs belong to; nobody can log in as it."""
    prover, made = User.objects.get_or_create(username=PROVER, defaults={"is_active": False, "first_name": _("검증")})
    if made:
        prover.set_unusable_password()
        prover.save(update_fields=["password"])
    return prover


@contextmanager
def _renewed(worker: str, submission_id: UUID) -> Iterator[None]:
    """Keep the lease alive from a thread of its own while the body runs."""
    done = threading.Event()

    def renew() -> None:
        try:
            while not done.wait(queue.RENEW_SECONDS):
                queue.renew(worker=worker, ids=[submission_id])
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="proof-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
