"""Whether a file's header fits its contract."""

import difflib

from granary.landing.contract import Contract
from granary.landing.errors import ContractViolation


def fit(names: list[str], contract: Contract, where: str) -> Contract:
    """Hold the names of a file's header against the contract.

    Args:
        where: how messages call the file.

    Returns:
        The contract as it applies to this file.

    Raises:
        ContractViolation: a column is missing, unknown or repeated.
    """
    difference = _difference(names, contract)
    if difference:
        raise ContractViolation(
            f"{where}: {difference}. Nothing was landed.",
            f"Correct the file, or the contract of {contract.feed}.",
        )
    return contract


def _difference(names: list[str], contract: Contract) -> str:
    """Say how a header differs from the contract, "" when it does not."""
    expected = list(contract.by_header)
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 < len(expected) and mark in names[0]:
            return f"line 1 is separated by {word}, not by commas"
    missing = [name for name in expected if name not in names]
    extra = [name for name in dict.fromkeys(names) if name not in contract.by_header]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    said = [_missing(name, extra) for name in missing]
    meant = {guess for name in missing for guess in _close(name, extra)}
    said += [f'column "{name[:80]}" is not in the contract' for name in extra if name not in meant]
    said += [f'column "{name[:80]}" stands more than once' for name in repeated]
    return "; ".join(said)


def _missing(name: str, extra: list[str]) -> str:
    close = _close(name, extra)
    found = f' (found "{close[0][:80]}")' if close else ""
    return f'column "{name}" is missing{found}'


def _close(name: str, extra: list[str]) -> list[str]:
    by_small = {word.lower(): word for word in extra}
    close = difflib.get_close_matches(name.lower(), by_small, n=1)
    return [by_small[word] for word in close]
