"""Settings that guard learners follow the address and TLS; wrong values stop the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal import env

ROOT = Path(__file__).resolve().parent.parent
TOLD = """
import json
from portal import settings
names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY",
         "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE", "GUESTS", "LOOPBACK_ONLY")
print(json.dumps([getattr(settings, name) for name in names]))
"""


def settings_with(data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NARU_", "DJANGO_"))}
    environment = {**kept, "NARU_DATA": str(data), "NARU_SECRET_KEY": "of-this-test-only", **variables}
    return subprocess.run(
        [sys.executable, "-c", TOLD], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("variables", "secure", "guests", "loopback"),
    [
        ({}, False, True, True),
        ({"NARU_TLS": "1"}, True, False, False),
        ({"NARU_ALLOWED_HOSTS": "naru.example.org,localhost"}, False, False, False),
        ({"NARU_GUESTS": "0"}, False, False, True),
        ({"NARU_HOST": "192.0.2.1"}, False, False, False),
        ({"NARU_HOST": "192.0.2.1", "NARU_GUESTS": "1"}, False, False, False),
    ],
)
def test_cookies_follow_tls_and_guests_the_address(tmp_path, variables, secure, guests, loopback):
    told = settings_with(tmp_path, **variables)
    assert json.loads(told.stdout) == [secure, secure, True, True, "Lax", "Lax", guests, loopback], told.stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"NARU_TLS": "perhaps"}, "NARU_TLS='perhaps'"),
        ({"NARU_POOL_SIZE": "many"}, "NARU_POOL_SIZE='many'"),
        ({"NARU_RUNS_IN_FLIGHT": "0"}, "NARU_RUNS_IN_FLIGHT=0"),
        ({"NARU_LAB_MEMORY_MB": "100"}, "NARU_LAB_MEMORY_MB=100"),
        ({"NARU_SECRET_KEY": ""}, "NARU_SECRET_KEY"),
    ],
)
def test_value_that_cannot_be_used_stops_the_start_in_one_line(tmp_path, variables, says):
    told = settings_with(tmp_path, **variables)
    assert told.returncode != 0
    assert told.stderr.count("\n") == 1
    assert says in told.stderr


def test_labs_may_use_two_fifths_of_the_machine_unless_told(monkeypatch):
    monkeypatch.setattr(env.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2_000_000}[name])
    assert env.memory_mb() == 7812

    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(env.os, "sysconf", unknown)
    assert env.memory_mb() == 2048
