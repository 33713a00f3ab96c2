"""How far the images of labs are, for cards."""

from __future__ import annotations

import logging

from django.utils.translation import gettext as _

from lessons.sandbox import Progress, SandboxError
from lessons.services.sandboxes import current_sandbox

logger = logging.getLogger(__name__)


def progress_of(environment: str) -> Progress:
    """As the sandbox says; "failed" where it cannot be asked, so that a page comes in any case."""
    try:
        return current_sandbox().progress(environment)
    except SandboxError as error:
        logger.warning("No word on environment %s: %s", environment, error)
        return Progress("failed", 0, _("실습 서버에 닿지 못했어요. 잠시 뒤에 다시 해 보세요."))
