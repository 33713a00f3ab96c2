"""Words of fixed meaning: kinds, states, verdicts, endings."""

from __future__ import annotations

from enum import StrEnum

CLUSTER, REGISTRY = "cluster", "registry"  # words of ``keep`` beside paths: a cluster's objects, a registry's images
OF_CLUSTER = "kubernetes"  # Type of an event of a cluster; all others are Docker's own


class Kind(StrEnum):
    """What the learner works in."""

    RUN = "run"
    LAB = "lab"
    QUIZ = "quiz"


class Status(StrEnum):
    """Where a submission is; the verdict says how the learner did."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    BROKEN = "broken"


class Verdict(StrEnum):
    """How the learner did; only a finished submission has one."""

    PASS = "pass"
    FAIL = "fail"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROCESS_LIMIT = "process_limit"


class Ended(StrEnum):
    """How a run came to its end."""

    EXIT = "exit"  # by itself, with an exit code
    KILLED = "killed"  # by a signal that the learner's side sent
    TIME = "time"  # wall or CPU seconds ran out
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"


class Place(StrEnum):
    """Where a question is answered."""

    LAB = "lab"  # the learner's own lab
    FRESH = "fresh"  # a lab of its own, thrown away after the answer
    RECORD = "record"  # what the portal itself recorded of the learner's lab
