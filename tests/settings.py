"""Settings of the tests: the portal's own, with a data directory and secret of their own."""

import atexit
import os
import shutil
import tempfile

if "NARU_DATA" not in os.environ:  # pytest by itself; bin/test makes and removes its own
    os.environ["NARU_DATA"] = tempfile.mkdtemp(prefix="naru-test-")
    atexit.register(shutil.rmtree, os.environ["NARU_DATA"], ignore_errors=True)
os.environ.setdefault("NARU_SECRET_KEY", "only-for-tests-0123456789-0123456789-0123456789")
os.environ.setdefault("NARU_DISPATCHER", "0")

from portal.settings import *  # noqa: F403  (the variables above must be set first)

SANDBOX = os.environ.get("NARU_TEST_SANDBOX", "tests.fakes.FakeSandbox")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,  # noqa: F405  (from portal.settings)
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# A file, not memory: threads then lock each other out exactly as they do when the portal serves.
DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}  # noqa: F405  (from portal.settings)
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405  (WhiteNoise warns of a missing folder)
