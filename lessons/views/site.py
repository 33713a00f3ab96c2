"""Small things of the site itself: health, theme."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpResponse, JsonResponse

from lessons.views.http import THEMES, Request, go_to, methods, next_url

YEAR_SECONDS = 365 * 24 * 3600


@methods("GET")
def health(request: Request) -> HttpResponse:
    """200 while this process answers and reaches its database; nothing about anyone."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})


@methods("POST")
def set_theme(request: Request) -> HttpResponse:
    """Remember light, dark or auto; an unknown word means auto."""
    theme = request.POST.get("theme", "")
    response = go_to(request, next_url(request))
    response.set_cookie(
        "theme",
        theme if theme in THEMES else "auto",
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response
