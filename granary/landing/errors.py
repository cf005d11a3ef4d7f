"""What can go wrong with one file, or with the store that it lands in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from granary.errors import GranaryError

if TYPE_CHECKING:
    from granary.landing.anomalies import Anomaly


class FileProblem(GranaryError):
    """One file could not land; the others are not affected."""


class FileUnreadable(FileProblem):
    """The file cannot be opened or read at all, so it has no identity and no ledger row."""


class FileChanged(FileProblem):
    """The file was written to while it was read; nothing was landed."""


class FileRefused(FileProblem):
    """The file as a whole does not fit its contract; nothing of it was landed."""


class ContractViolation(FileRefused):
    """The header of the file does not fit the contract."""


class ContractDrifted(FileProblem):
    """The contract differs from the same version in use; no file of its feed is read."""


class FileAnomalous(FileRefused):
    """The file is unlike the feed's past, and the feed's policy stops such files."""

    def __init__(self, message: str, remedy: str, anomalies: "Sequence[Anomaly]") -> None:
        super().__init__(message, remedy)
        self.anomalies = anomalies


class StoreError(GranaryError):
    """The warehouse cannot be written to: down, full, locked or out of reach."""
