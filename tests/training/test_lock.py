"""Two runs in one folder."""

import subprocess
import sys

import pytest

from jaxsr.errors import InputError
from jaxsr.training.lock import locked

pytest.importorskip("fcntl", reason="the lock needs flock")

HOLD = """
import sys
from pathlib import Path
from jaxsr.training.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_it_is_gone(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another process is training"), locked(tmp_path):
            pass
        other.kill()  # however it ends
    with locked(tmp_path):
        pass
