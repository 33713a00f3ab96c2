"""What Django and the database take for one submission, POST to reply, with a sandbox that answers at once.

Run by verdict.py in a process of its own, with NARU_DATA set to an empty directory. Prints one line: the median in ms
of 60 submissions through the whole application (middleware, form, queue, dispatcher, grading, template), without HTTP.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 60


def main() -> int:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "NARU_SECRET_KEY": "of-this-measurement-only",
        "NARU_SANDBOX": "tests.fakes.FakeSandbox",
        "NARU_SUBMISSIONS_PER_MINUTE": "10000",
        "NARU_LOG_LEVEL": "WARNING",
    }
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from lessons.models import User
    from lessons.services import dispatch, grading

    call_command("migrate", verbosity=0)
    call_command("importcourse", str(ROOT / "bench" / "course" / "bench"), stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0)
    browser = Client()
    browser.force_login(User.objects.create(username="bench"))
    dispatch.start(grade=grading.grade_submission)
    times = []
    for _ in range(ROUNDS + 10):
        fields = {"token": uuid.uuid4().hex, "action": "grade", "file:main.py": "print(7)"}
        began = time.perf_counter()
        reply = browser.post(
            "/bench/exercises/sum/submissions/", fields, headers={"HX-Request": "true"}, HTTP_HOST="localhost"
        )
        times.append((time.perf_counter() - began) * 1000)
        if b'data-verdict="pass"' not in reply.content:
            raise SystemExit(f"no verdict in the reply: {reply.status_code}")
    dispatch.stop()
    print(statistics.median(times[10:]))  # the first ones warm caches
    return 0


if __name__ == "__main__":
    sys.exit(main())
