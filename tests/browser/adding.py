"""A sandbox that knows one kind of program: does it add, or show the first number?"""

from __future__ import annotations

import re
import time

from lessons.contracts import Run, RunEvidence
from tests.fakes import FakeSandbox, make_run_evidence

ADDS = re.compile(r"print\(\s*a\s*\+\s*b\s*\)")


class AddingSandbox(FakeSandbox):
    """``seconds`` is how long each submission takes."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.behave = add

    def collect(self, *args, **options):
        time.sleep(self.seconds)
        return super().collect(*args, **options)


def add(run: Run) -> RunEvidence:
    """The sum where the program adds, else the first number, in green for 실행's sake; what it was is on stderr."""
    numbers = [int(word) for word in run.stdin.split()] or [0]
    answer = sum(numbers) if ADDS.search(run.files.get("main.py", "")) else numbers[0]
    return make_run_evidence(stdout=f"{answer}\n", stderr="\x1b[31m보기\x1b[0m\n", limits=run.limits)
