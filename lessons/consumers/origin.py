"""Whether a socket was opened by a page of this very site. Browsers send cookies along to any site's sockets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

_PORTS = {"http": "80", "https": "443"}
_PLAIN = re.compile(r"[a-z]+://[a-z0-9.\-]+(?::\d{1,5})?|[a-z]+://\[[0-9a-f:.]+\](?::\d{1,5})?")


def is_same_site(scope: Mapping[str, Any]) -> bool:
    """Exactly one Origin, with scheme, host and port of the one allowed Host; or one that the operator trusts."""
    hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
    if len(hosts) != 1 or len(origins) != 1:
        return False
    host, origin = hosts[0].lower(), origins[0].lower()
    domain, _port = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS) or not _PLAIN.fullmatch(origin):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    scheme = "https" if _is_secure(scope) else "http"
    try:
        asked = urlsplit(origin)
        own = urlsplit(f"{scheme}://{host}")
        return (asked.scheme, asked.hostname, asked.port or _PORTS.get(asked.scheme)) == (
            scheme,
            own.hostname,
            own.port or _PORTS[scheme],
        )
    except ValueError:
        return False


def _is_secure(scope: Mapping[str, Any]) -> bool:
    if scope.get("scheme") in ("wss", "https"):
        return True
    return bool(settings.BEHIND_TLS) and _values(scope, b"x-forwarded-proto") == ["https"]


def _values(scope: Mapping[str, Any], name: bytes) -> list[str]:
    headers: Iterable[tuple[bytes, bytes]] = scope.get("headers", ())
    return [value.decode("latin-1").strip() for key, value in headers if key.lower() == name]


def cookies_of(scope: Mapping[str, Any]) -> str:
    return "; ".join(_values(scope, b"cookie"))
