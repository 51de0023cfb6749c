"""The `jaxsr` command as a whole, and how every entry point ends."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

from jaxsr.cli.main import main
from jaxsr.cli.run import run
from jaxsr.errors import InputError


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == importlib.metadata.version("jax-superres")


@pytest.mark.parametrize("arguments", [[], ["modles"], ["models", "--jsn"], ["upscale"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("usage: jaxsr")


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    for command in (
        "prepare",
        "degrade",
        "upscale",
        "convert",
        "models",
        "compare",
        "plane",
        "mos",
    ):
        assert f"    {command} " in printed
    for command in ("interpolate", "niqe-fit"):  # longer: their help may be on the next line
        assert f"    {command}" in printed


def test_an_input_error_is_one_line(capsys):
    def fail(argv):
        raise InputError(f"{argv[0]}: two\n  lines")

    assert run(fail, ["x"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err == "error: x: two lines\n"


def test_a_path_too_long_for_any_file(capsys):
    assert run(main, ["compare", "x" * 300, "y", "-o", "z.html"]) == 2
    assert capsys.readouterr().err == f"error: {'x' * 300}: File name too long\n"


def test_ctrl_c(capsys):
    def interrupt(argv):
        raise KeyboardInterrupt

    assert run(interrupt, []) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_status_and_defects_pass_through():
    assert run(len, ["one input failed"]) == 1
    with pytest.raises(ZeroDivisionError):
        run(lambda argv: 1 // 0, [])


def test_arguments_of_the_process(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["jaxsr", "a", "b"])
    assert run(len) == 2


def test_a_terminal_without_the_letters():
    code = "from jaxsr.cli.run import run; run(lambda argv: print('3.5 ± 1 \\udce4'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout.split() == [b"3.5", rb"\xb1", b"1", rb"\udce4"] and not done.stderr


@pytest.mark.parametrize("lines", [1, 9999])
def test_a_reader_that_goes_away(lines):
    """As in `jaxsr models | head -1`: no traceback, whether it shows while printing or at exit."""
    code = f"from jaxsr.cli.run import run; run(lambda argv: print('x\\n' * {lines}))"
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()
