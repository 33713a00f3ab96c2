"""How far a learner is: counts for any number of exercises in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Q

from lessons.contracts import Verdict
from lessons.models import Origin, Submission, User


@dataclass(frozen=True)
class Standing:
    """A learner's graded and finished attempts in one exercise; broken ones cost nothing and are not here."""

    attempts: int = 0
    passes: int = 0

    @property
    def passed(self) -> bool:
        return self.passes > 0

    @property
    def failed_attempts(self) -> int:
        return self.attempts - self.passes


NO_STANDING = Standing()


def standings(learner: User | None, exercise_ids: Collection[int]) -> dict[int, Standing]:
    """Exercise id -> standing, only where there is an attempt."""
    if learner is None or not exercise_ids:
        return {}
    rows = (
        Submission.objects.attempts()
        .filter(learner=learner, exercise__in=exercise_ids, origin=Origin.LEARNER)
        .order_by()
        .values_list("exercise")
        .annotate(attempts=Count("pk"), passes=Count("pk", filter=Q(verdict=Verdict.PASS)))
    )
    return {exercise: Standing(attempts, passes) for exercise, attempts, passes in rows}
