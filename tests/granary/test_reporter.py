import os
import re
import subprocess
import sys

import pytest

from granary.reporter import Reporter

MARKUP = "[red]not red[/red] [/] [bold :100: \\[x] \\"


def test_off_a_terminal_lines_are_plain_and_answers_stay_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter()
    reporter.line("a line")
    reporter.warn("a warning")
    reporter.error("an error")
    with reporter.step("Landing") as step:
        step.say("1/2 members.csv")
        step.result = "2 files"
    output = capsys.readouterr()
    assert output.out == ""
    lines = output.err.splitlines()
    assert lines[:3] == ["a line", "warning a warning", "error an error"]
    assert re.fullmatch(r"Landing      2 files \(\d+\.\d s\)", lines[3])
    # What passes is for terminals only.
    assert len(lines) == 4


def test_off_a_terminal_long_work_tells_its_quarters(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter().step("Seeds") as step:
        for done in range(1, 21):
            step.advance(done, 20, f"unit {done}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:-1] == [
        "Seeds: 25%, unit 5", "Seeds: 50%, unit 10", "Seeds: 75%, unit 15",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["line", "warn", "error"])
def test_what_looks_like_markup_is_shown_literally(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    getattr(Reporter(), kind)(MARKUP)
    assert capsys.readouterr().err.endswith(f"{MARKUP}\n")


def test_a_step_shows_its_result_literally(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter().step("Plan") as step:
        step.result = MARKUP
    assert MARKUP in capsys.readouterr().err


def test_long_lines_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().line("word " * 100)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_step_that_fails_leaves_the_telling_to_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="broken"), Reporter().step("Plan"):
        raise ValueError("broken")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals here")
def test_on_a_terminal_what_passes_is_shown_and_taken_away() -> None:
    script = (
        "import time; from granary.reporter import Reporter\n"
        "with Reporter().step('Landing') as step:\n"
        "    step.say('1/2 members.csv'); time.sleep(0.2)\n"
        "    with step.paused(): print('an answer', flush=True)\n"
        "    step.result = '2 files'\n"
    )
    controller, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=terminal,
        stdout=terminal,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(controller, 4096):
            shown += chunk
    except OSError:
        pass  # Linux says so when the last one leaves the terminal.
    assert process.wait() == 0
    os.close(controller)
    text = shown.decode()
    assert "Landing: 1/2 members.csv" in text
    assert text.index("1/2 members.csv") < text.index("an answer") < text.index("2 files")
