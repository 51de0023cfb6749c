"""How every entry point ends: 0 done, 1 some inputs failed, 2 wrong usage or input."""

import errno
import io
import os
import sys
from collections.abc import Callable, Sequence

from jaxsr.errors import InputError


def warn(line: str) -> None:
    """Prints a line on stderr that is no error: the work goes on."""
    print(f"warning: {line}", file=sys.stderr)


def run(main: Callable[[Sequence[str]], int], argv: Sequence[str] | None = None) -> int:
    """Calls `main(argv)` and turns an `InputError` into one line on stderr and status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # As stderr does: the names of files, ± and × may be more than the terminal can show.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = main(sys.argv[1:] if argv is None else argv)
        print(end="", flush=True)  # a reader that has gone shows here, not after the last line
        return status
    except InputError as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `jaxsr models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # that one comes of whatever asks for such a path
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
