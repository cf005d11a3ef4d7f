"""What tests need of the machine: programs of Debian's packages."""

import os
from pathlib import Path

import pytest


def require(program: Path, package: str) -> None:
    """Skip the test where a program is missing; in CI it has to be there."""
    if program.exists():
        return
    lacking = f"there is no {program} (Debian package {package})"
    if os.environ.get("CI") == "true":
        pytest.fail(lacking)
    pytest.skip(lacking)
