"""The one exception for what a user can cause and mend.

Everything that reads a path, a name or a number from outside raises `InputError` with one line:
what is wrong, where, and what to do. The command line prints it and exits with status 2; any
other exception is a defect of jaxsr and keeps its traceback.
"""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """An input that cannot be used; the message is one line for the person who gave it."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known name closest to `name`, or the first 50 of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    more = f" and {len(known) - 50} more" if len(known) > 50 else ""
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known[:50])}{more}"
