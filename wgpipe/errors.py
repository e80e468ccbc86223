"""The one exception that users see, and the sentence that it carries."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake in what the user gave: printed as one sentence, exit code 2, no traceback."""


def suggestion(value: str, accepted: Iterable[str]) -> str:
    """`; did you mean 'w1'? Accepted: w1, w2.` for a value that is not among the accepted ones."""
    options = sorted(accepted)
    close = get_close_matches(value, options, n=1, cutoff=0.5)
    guess = f"; did you mean '{close[0]}'?" if close else "."
    listed = ", ".join(options) if options else "nothing"
    return f"{guess} Accepted: {listed}."
