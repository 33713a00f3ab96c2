"""Settings. Every value that an operator may change comes from a NARU_* variable (README lists them)."""

from __future__ import annotations

import os
from pathlib import Path

from portal import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.path("NARU_DATA", BASE_DIR / "var")

SECRET_KEY = env.secret("NARU_SECRET_KEY", DATA_DIR / "secret-key")
DEBUG = False
HOST = env.text("NARU_HOST", "127.0.0.1")
ALLOWED_HOSTS = env.words("NARU_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
# Behind a proxy on the same machine the address is loopback's too, but the names or TLS tell that others come in.
LOOPBACK_ONLY = (
    HOST in {"127.0.0.1", "::1", "localhost"}
    and set(ALLOWED_HOSTS) <= {"127.0.0.1", "localhost", "[::1]"}
    and not env.flag("NARU_TLS")
)
CSRF_TRUSTED_ORIGINS = env.words("NARU_TRUSTED_ORIGINS")
BEHIND_TLS = env.flag("NARU_TLS")
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "lessons.apps.LessonsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "lessons.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lessons.middleware.stay_in_one_thread",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lessons.views.http.page_context",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "naru.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "lessons.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어")]
TIME_ZONE = env.text("NARU_TIME_ZONE", "Asia/Seoul")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
CSRF_FAILURE_VIEW = "lessons.views.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # an answer is at most 256 KB; forms escape to at most four times that

# Naru's own
SANDBOX = env.text("NARU_SANDBOX", "lessons.sandbox.Sandbox")
ENGINE_SOCKET = env.path("NARU_ENGINE_SOCKET", DATA_DIR / "engine" / "docker.sock")
CATALOGUE = BASE_DIR / "labs" / "catalogue.yaml"
RUNS_IN_FLIGHT = env.number("NARU_RUNS_IN_FLIGHT", 2 * (os.cpu_count() or 1), least=1, most=256)
POOL_SIZE = env.number("NARU_POOL_SIZE", 2, least=0, most=200)  # parked containers per image and limits
ALLOW_WEAK_RUNTIME = env.flag("NARU_ALLOW_WEAK_RUNTIME")  # runc without gVisor beyond loopback
GUESTS = env.flag("NARU_GUESTS", LOOPBACK_ONLY) and LOOPBACK_ONLY
DISPATCHER = env.flag("NARU_DISPATCHER", True)  # embedded mode: this process also grades
OPEN_SUBMISSIONS_PER_LEARNER = env.number("NARU_OPEN_SUBMISSIONS", 5, least=1, most=1000)
SUBMISSIONS_PER_MINUTE = env.number("NARU_SUBMISSIONS_PER_MINUTE", 30, least=1, most=10_000)
# Labs: memory and minutes
LAB_MEMORY_MB = env.number("NARU_LAB_MEMORY_MB", env.memory_mb() * 2 // 5, least=256, most=10_000_000)
LABS_PER_LEARNER = env.number("NARU_LABS_PER_LEARNER", 1, least=1, most=20)
LABS_PLACING = env.number("NARU_LABS_PLACING", max(1, (os.cpu_count() or 2) // 2), least=1, most=32)  # at once
LAB_POOL_SIZE = env.number("NARU_LAB_POOL_SIZE", 1, least=0, most=50)
LAB_IDLE_MINUTES = env.number("NARU_LAB_IDLE_MINUTES", 20, least=1, most=10_000)
LAB_HARD_MINUTES = env.number("NARU_LAB_HARD_MINUTES", 60, least=1, most=10_000)
LAB_EXTEND_MINUTES = env.number("NARU_LAB_EXTEND_MINUTES", 30, least=1, most=10_000)
LAB_EXTENSIONS = 2  # how often a learner may extend one
LAB_GRACE_MINUTES = env.number("NARU_LAB_GRACE_MINUTES", 5, least=1, most=10_000)
LAB_WARN_MINUTES = env.number("NARU_LAB_WARN_MINUTES", 5, least=1, most=1_000)
ANSWER_WAIT_MS = 900  # a POST is held so long for its verdict

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("NARU_LOG_LEVEL", "INFO")},
}
