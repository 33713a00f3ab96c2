"""Rows for tests. Each helper makes what it needs and takes what a test wants to fix.

``make_exercise()`` alone gives a published sum exercise with its course, lesson and first revision.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from lessons.content import exercise_hash
from lessons.models import Course, Draft, Exercise, LabSession, Lesson, Origin, Revision, Submission, User, courses

SUM_SOLUTION = "a, b = map(int, input().split())\nprint(a + b)\n"
SUM_STARTER = "a, b = map(int, input().split())\nprint(a)\n"
SUM_WRONG = "print(7)\n"

SUM_FILES: dict[str, str] = {
    "exercise.yaml": """\
title: 두 수의 합
kind: run
environment: python
editable: [main.py]
vars: {a: {int: [100, 999]}, b: {int: [100, 999]}}
probes:
  - {id: small, run: ["python3", "main.py"], stdin: "3 4\\n"}
  - {id: drawn, run: ["python3", "main.py"], stdin: "{{a}} {{b}}\\n", hidden: true}
checks:
  - id: adds
    title: 더하기
    type: text
    probe: small
    equals: "7\\n"
    message: "{expected}이(가) 나와야 하는데 {found}이(가) 나왔어요."
  - {id: any, title: 어떤 수든 더하기, type: text, probe: drawn, numbers_from: "a + b", weight: 2}
  - {id: clean, title: 정상으로 끝나기, type: query, probe: small, query: exit_code, equals: 0}
hints:
  - {after: 1, text: 두 수를 더한 값을 출력해 보세요.}
  - {when: adds, text: print(a + b)를 떠올려 보세요.}
solution_after: 3
""",
    "prompt.md": "한 줄에 놓인 두 수를 읽어 **합**을 출력하세요.\n",
    "starter/main.py": SUM_STARTER,
    "solution/main.py": SUM_SOLUTION,
    "wrong/constant/main.py": SUM_WRONG,
    "wrong/constant/expect.yaml": "check: any\nverdict: fail\n",
    "wrong/first/main.py": "a, b = map(int, input().split())\nprint(a)\n",
    "wrong/first/expect.yaml": "check: adds\nmessage: 나왔어요\n",
}

QUIZ_FILES: dict[str, str] = {
    "exercise.yaml": """\
title: 컨테이너와 이미지
kind: quiz
questions:
  - id: what
    type: choice
    prompt: 실행 중인 것은 무엇인가요?
    options:
      - {text: 이미지, correct: false}
      - {text: 컨테이너, correct: true}
    why: 이미지를 실행하면 컨테이너가 돼요.
  - {id: word, type: short, prompt: 이미지 이름에서 쌍점 뒤를 뭐라고 하나요?, accept: [태그, tag], why: 태그라고 해요.}
  - {id: steps, type: order, prompt: 순서대로 놓아 보세요., items: [build, push, run], why: 만들고 올리고 실행해요.}
""",
    "prompt.md": "배운 것을 떠올려 보세요.\n",
    "solution/answer.yaml": "what: [컨테이너]\nword: 태그\nsteps: [build, push, run]\n",
    "wrong/image/answer.yaml": "what: [이미지]\nword: 태그\nsteps: [build, push, run]\n",
    "wrong/image/expect.yaml": "check: what\n",
}

LAB_FILES: dict[str, str] = {
    "exercise.yaml": """\
title: 첫 컨테이너
kind: lab
environment: docker
vars: {n: {int: [100, 999]}, today: {int: [1, 9], per: attempt}}
setup:
  - ["touch", "/root/set-{{n}}"]
keep: [/root/work]
baseline: [before]
probes:
  - {id: before, docker: {object: image, name: "nginx:1.28"}}
  - {id: web, docker: {object: container, name: web}}
  - {id: told, events: {filter: {container: web, event: die}}}
  - {id: asked, exec: ["cat", "/root/note"], active: true}
checks:
  - {id: runs, title: web이 실행 중, type: query, probe: web, query: State.Running, equals: true, message: web을 켜요.}
  - {id: died, title: web이 멈춘 적 있음, type: query, probe: told, query: "length(@)", at_least: 1, latch: true}
  - {id: note, title: 쪽지, type: text, probe: asked, contains: 안녕}
hints:
  - {after: 1, text: docker run을 써 보세요.}
""",
    "prompt.md": "컨테이너를 실행해 보세요.\n",
    "starter/notes/read-me.txt": "안녕하세요\n",
    "starter/run.sh": "#!/bin/sh\n",
    "solution/solution.sh": "docker run -d --name web nginx:1.28\ndocker stop web\ndocker start web\n",
    "wrong/nothing/solution.sh": "docker ps\n",
    "wrong/nothing/expect.yaml": "check: runs\nmessage: web\n",
}

_numbers = itertools.count(1)


def make_learner(username: str = "", **fields: Any) -> User:
    """A learner whose password is ``secret``."""
    return User.objects.create_user(username=username or f"learner{next(_numbers)}", password="secret", **fields)


def make_guest(**fields: Any) -> User:
    guest = User(username=f"guest-{next(_numbers)}", is_guest=True, **fields)
    guest.set_unusable_password()
    guest.save()
    return guest


def make_staff(username: str = "instructor") -> User:
    return User.objects.create_superuser(username=username, password="secret")


def make_course(slug: str = "", **fields: Any) -> Course:
    slug = slug or f"course{next(_numbers)}"
    return Course.objects.create(**{"slug": slug, "title": "클라우드 네이티브", "summary": "소개", **fields})


def make_lesson(course: Course | None = None, slug: str = "", **fields: Any) -> Lesson:
    slug = slug or f"lesson{next(_numbers)}"
    defaults: dict[str, Any] = {
        "course": course or make_course(),
        "slug": slug,
        "title": "Docker 첫걸음",
        "summary": "컨테이너를 만나요.",
        "objectives": ["컨테이너가 무엇인지 말할 수 있어요."],
        "body": "## 시작\n\n컨테이너는 프로세스예요.\n",
        "blocks": [{"html": '<h2 id="start">시작</h2>\n<p>컨테이너는 프로세스예요.</p>'}],
        "contents": [{"id": "start", "title": "시작", "exercises": []}],
    }
    return Lesson.objects.create(**{**defaults, **fields})


def make_revision(exercise: Exercise, files: Mapping[str, str] | None = None, **fields: Any) -> Revision:
    """The exercise's next revision, made its current one."""
    files = dict(SUM_FILES if files is None else files)
    revision = Revision.objects.create(
        **{
            "exercise": exercise,
            "number": exercise.revisions.count() + 1,
            "files": files,
            "prompt_html": f"<p>{files.get('prompt.md', '')}</p>",
            "content_hash": exercise_hash(files),
            **fields,
        }
    )
    courses._specs.pop((revision.pk, revision.content_hash), None)  # an earlier test's row of the same number
    exercise.revision = revision
    exercise.save(update_fields=["revision"])
    return revision


def make_exercise(
    lesson: Lesson | None = None, slug: str = "", files: Mapping[str, str] | None = None, **fields: Any
) -> Exercise:
    """A published exercise with its first revision, placed at the end of its lesson's blocks."""
    lesson = lesson or make_lesson()
    slug = slug or f"sum{next(_numbers)}"
    written = (files or SUM_FILES).get("exercise.yaml", "")
    kind = next((kind for kind in ("quiz", "lab") if f"kind: {kind}" in written), "run")
    defaults: dict[str, Any] = {
        "course": lesson.course,
        "lesson": lesson,
        "slug": slug,
        "title": {"quiz": "컨테이너와 이미지", "lab": "첫 컨테이너"}.get(kind, "두 수의 합"),
        "kind": kind,
    }
    exercise = Exercise.objects.create(**{**defaults, **fields})
    make_revision(exercise, files)
    lesson.blocks = [*lesson.blocks, {"exercise": slug}]
    if lesson.contents:
        lesson.contents[-1] = {
            **lesson.contents[-1],
            "exercises": [*lesson.contents[-1].get("exercises", []), slug],
        }
    lesson.save(update_fields=["blocks", "contents"])
    return exercise


def make_quiz(lesson: Lesson | None = None, slug: str = "", **fields: Any) -> Exercise:
    return make_exercise(lesson, slug, QUIZ_FILES, **fields)


def make_lab_exercise(lesson: Lesson | None = None, slug: str = "", **fields: Any) -> Exercise:
    return make_exercise(lesson, slug, LAB_FILES, **fields)


def make_lab(learner: User | None = None, exercise: Exercise | None = None, **fields: Any) -> LabSession:
    """A ready lab, seen and used right now, without a container behind it; give ``state`` and the rest for others."""
    exercise = exercise or make_lab_exercise()
    now = timezone.now()
    defaults: dict[str, Any] = {
        "learner": learner or make_learner(),
        "exercise": exercise,
        "revision": exercise.revision,
        "seed": 7,
        "shape": {"environment": "docker", "engines": [], "memory_mb": 512},
        "state": "ready",
        "requested_at": now,
    }
    if fields.get("state", "ready") in ("ready", "idle"):
        hour = datetime.timedelta(hours=1)
        defaults |= {"placed_at": now, "ready_at": now, "seen_at": now, "used_at": now, "expires_at": now + hour}
    return LabSession.objects.create(**{**defaults, **fields})


def make_submission(learner: User | None = None, exercise: Exercise | None = None, **fields: Any) -> Submission:
    """A row as submit_answer leaves it (QUEUED); give ``status`` and the rest for later states.

    Inserted as it is: no limits, no dispatch.
    """
    exercise = exercise or make_exercise()
    defaults: dict[str, Any] = {
        "learner": learner or make_learner(),
        "exercise": exercise,
        "revision": exercise.revision,
        "files": {"main.py": SUM_SOLUTION},
        "origin": Origin.LEARNER,
        "seed": 7,
    }
    queued_at = fields.pop("queued_at", None)
    submission = Submission.objects.create(**{**defaults, **fields})
    if queued_at is not None:  # auto_now_add ignores a given value
        Submission.objects.filter(pk=submission.pk).update(queued_at=queued_at)
        submission.queued_at = queued_at
    return submission


def make_finished(
    learner: User | None = None, exercise: Exercise | None = None, *, verdict: str = "pass", **fields: Any
) -> Submission:
    """A graded submission with one check's row, passed if the verdict is ``pass``."""
    passed = verdict == "pass"
    result = {
        "checks": [
            {
                "id": "adds",
                "title": "더하기",
                "passed": passed,
                "weight": 1.0,
                "expected": "7",
                "found": "7" if passed else "3",
                "message": "" if passed else "7이 나와야 하는데 3이 나왔어요.",
                "diff": "",
                "show": "",
                "hint": "",
            }
        ],
        "output": [
            {
                "probe": "small",
                "stdout": "7\n" if passed else "3\n",
                "stderr": "",
                "exit_code": 0,
                "ended": "exit",
                "cpu_ms": 20,
                "peak_mb": 9.5,
                "truncated": False,
            }
        ],
        "timings": {"total": 120},
    }
    return make_submission(
        learner,
        exercise,
        **{
            "status": "finished",
            "verdict": verdict,
            "score": 1.0 if passed else 0.0,
            "result": result,
            "attempt": 1,
            "cpu_ms": 20,
            "peak_mb": 9.5,
            **fields,
        },
    )


def make_draft(learner: User, exercise: Exercise, **fields: Any) -> Draft:
    return Draft.objects.create(
        **{"learner": learner, "exercise": exercise, "files": {"main.py": "# 쓰던 중\n"}, **fields}
    )
