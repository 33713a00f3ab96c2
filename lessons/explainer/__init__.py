"""What a command's error means, in Korean: cause, the command that shows it, the next step. No Django, no clock."""

from lessons.explainer.entries import Entry, read_entries
from lessons.explainer.feeding import Explainer, Explanation

__all__ = ["Entry", "Explainer", "Explanation", "read_entries"]
