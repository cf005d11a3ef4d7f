"""The folder for what does not fit into memory."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from granary.landing.scratch import Scratch

LEAVE_IT = """
import os, signal
from granary.landing.scratch import Scratch
scratch = Scratch()
print(scratch.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    in_use = Scratch()
    killed = subprocess.run([sys.executable, "-c", LEAVE_IT], capture_output=True, text=True)
    left = Path(killed.stdout.strip())
    (left / "spilled").write_text("rows")
    half_made, link = tmp_path / "granary-landing-new", tmp_path / "granary-landing-link"
    half_made.mkdir()
    link.symlink_to(left)
    assert Path(in_use.name).exists()

    Scratch().cleanup()

    assert not left.exists()
    assert sorted(tmp_path.iterdir()) == sorted([Path(in_use.name), half_made, link])
    in_use.cleanup()
    assert sorted(tmp_path.iterdir()) == sorted([half_made, link])
