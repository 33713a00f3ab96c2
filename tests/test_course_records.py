"""Checks of the course that read the record of the cluster or several Pods: what counts there, and what does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lessons import graders
from lessons.content import CourseFiles, read_course
from lessons.contracts import Evidence, Grade

COURSE = Path(__file__).resolve().parent.parent / "courses" / "cloud-native"
DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.fixture(scope="module")
def course() -> CourseFiles:
    return read_course(COURSE)


def passes(course: CourseFiles, slug: str, identifier: str, **answers: Any) -> bool:
    whole = next(one.spec for lesson in course.lessons for one in lesson.exercises if one.slug == slug)
    probes = tuple(probe for probe in whole.probes if probe.id in answers)
    spec = replace(whole, probes=probes, checks=tuple(one for one in whole.checks if one.id == identifier), baseline=())
    grade = graders.judge(spec, graders.plan(spec, {}, 1), Evidence({}, answers=answers), elapsed=60)
    assert isinstance(grade, Grade)
    return grade.checks[0].passed


def line(action: str, **about: str) -> dict[str, Any]:
    return {"Type": "kubernetes", "Action": action, "Actor": {"ID": "u", "Attributes": about}}


def pod(digest: str, **more: Any) -> dict[str, Any]:
    statuses = [{"imageID": f"registry.naru:5000/hello@{digest}"}] if digest else []
    return {"metadata": {"name": "hello", **more}, "status": {"containerStatuses": statuses}}


@pytest.mark.parametrize(
    ("about", "done"),
    [
        ({"code": "200"}, True),
        ({}, True),
        ({"code": "404"}, False),
        ({"code": "409"}, False),
        ({"code": "200", "dry_run": "true"}, False),
    ],
)
def test_only_what_was_really_done_counts(course: CourseFiles, about: dict[str, str], done: bool) -> None:
    deleted = [line("wrote", verb="delete", kind="Pod", name="shop-1", **about)]
    assert passes(course, "self-healing", "pod-deleted", deleted=deleted) is done
    scaled = [line("wrote", verb="patch", kind="Deployment", name="shop", subresource="scale", **about)]
    assert passes(course, "auto-scaling", "hands-off", by_hand=scaled) is not done


def test_growing_counts_where_the_autoscaler_did_it(course: CourseFiles) -> None:
    about = {"reason": "SuccessfulRescale", "kind": "HorizontalPodAutoscaler", "name": "shop"}
    up = line("happened", message="New size: 5; reason: cpu resource utilization above target", **about)
    down = line("happened", message="New size: 2; reason: All metrics below target", **about)
    assert passes(course, "auto-scaling", "grown-by-hpa", rescaled=[up, down])
    assert not passes(course, "auto-scaling", "grown-by-hpa", rescaled=[down])
    assert not passes(course, "auto-scaling", "grown-by-hpa", rescaled=[])


@pytest.mark.parametrize(
    ("pods", "same"),
    [
        ([pod(DIGEST), pod(DIGEST)], True),
        ([pod(DIGEST), pod(OTHER)], False),
        ([pod(OTHER), pod(DIGEST)], False),
        ([pod(DIGEST), pod("")], False),
        ([pod(DIGEST), pod(OTHER, deletionTimestamp="2026-01-01T00:00:00Z")], True),
        ([], False),
    ],
)
def test_every_pod_runs_what_was_pushed(course: CourseFiles, pods: list[dict[str, Any]], same: bool) -> None:
    assert passes(course, "flow", "same-image", pods=pods, pushed={"digest": DIGEST, "manifest": {}}) is same
    assert not passes(course, "flow", "same-image", pods=pods, pushed=None)
