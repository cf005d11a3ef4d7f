"""What a file's header, and the values below it, say against the contract."""

import difflib
import hashlib
import re
from collections.abc import Collection, Mapping

from granary.landing.contract import Column, Contract
from granary.landing.errors import ContractViolation

ADDED_PREFIX = "x_"
MOST_ADDED = 100
LONGEST_NAME = 63
DIGEST_DIGITS = 8
SHOWN_CHARACTERS = 80
FEWEST_MISFITS = 10
SEPARATORS = ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"))


def fit(names: list[str], contract: Contract, where: str) -> Contract:
    """Give the contract as it applies to one file.

    Args:
        names: the file's header, trimmed.
        where: the file, for messages.

    Returns:
        The contract without its retired columns, and without the optional ones that the file
        lacks. Columns of the file that it does not know are there as text, `x_<name>`, and
        protected, because nobody has said that they are not.

    Raises:
        ContractViolation: a column is missing, repeated or without a name, or there are others and
            the policy refuses them; names every difference.
    """
    faults = breaking_differences(names, contract)
    if faults:
        raise ContractViolation(
            f"{where}: {'; '.join(faults)}. Nothing was landed.",
            "Save it with commas." if _wrong_separator(names, contract) else remedy(contract),
        )
    added = {column.name: column for column in added_columns(names, contract)}
    present = {
        name: column
        for name, column in contract.expected.items()
        if not column.optional or column.source_name in names
    }
    return contract.model_copy(update={"columns": {**present, **added}})


def remedy(contract: Contract) -> str:
    """Say what to do about a file that does not fit."""
    return (
        f"Correct the file, or, if {contract.feed} has changed for good: granary contract accept "
        "FILE --reason '…'"
    )


def _wrong_separator(names: list[str], contract: Contract) -> str | None:
    if len(names) > 1 or len(contract.by_header) == 1:
        return None
    return next((word for mark, word in SEPARATORS if mark in "".join(names)), None)


def breaking_differences(names: list[str], contract: Contract) -> list[str]:
    """Say, a clause per column, why a header does not fit; an empty list when it does."""
    separator = _wrong_separator(names, contract)
    if separator:
        return [f"line 1 is separated by {separator}, not by commas"]
    missing = missing_headers(names, contract)
    added = added_headers(names, contract)
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    faults = [_missing(name, added) for name in missing]
    if missing or contract.policy.added_columns == "refuse":
        meant = {guess for name in missing for guess in _close(name, added)}
        faults += [
            f'column "{_shown(name)}" is not in the contract' for name in added if name not in meant
        ]
    elif len(added) > MOST_ADDED:
        faults.append(f"{len(added)} columns are not in the contract, more than {MOST_ADDED}")
    faults += [f'column "{_shown(name)}" stands more than once' for name in repeated if name]
    faults += [f"column {place} has no name" for place, name in enumerate(names, 1) if not name]
    return faults


def missing_headers(names: list[str], contract: Contract) -> list[str]:
    """List the columns that the header lacks and may not lack, as files name them."""
    return [
        name
        for name, column in contract.by_header.items()
        if name not in names and not column.optional
    ]


def added_headers(names: list[str], contract: Contract) -> list[str]:
    """List the columns of the header that the contract does not know."""
    return [name for name in dict.fromkeys(names) if name and name not in contract.by_header]


def added_columns(names: list[str], contract: Contract) -> list[Column]:
    """Describe the columns that the contract does not know, as they are kept.

    A header always gets the same name: of headers that come to one name, each is told by a digest.
    """
    headers = added_headers(names, contract)
    plain = [identifier(header, prefix=ADDED_PREFIX) for header in headers]
    taken = {*contract.columns, *(name for name in plain if plain.count(name) > 1)}
    return [
        Column(
            name=identifier(header, taken, ADDED_PREFIX),
            header=header,
            type="text",
            phi=True,
            description=f'Not in the contract: column "{_shown(header)}" of the file.',
        )
        for header in headers
    ]


def type_changes(counts: Mapping[str, tuple[int, int]], contract: Contract) -> list[str]:
    """Say which columns have changed their type, by the policy of the contract.

    Args:
        counts: by name of the column, its filled values and how many of them are not of its type.

    Returns:
        A clause per column: too many of its values are of another type for them to be mistakes.
    """
    return [
        f'column "{column.source_name}": {misfits:,} of {filled:,} values are not {column.noun}'
        for name, (filled, misfits) in counts.items()
        if (column := contract.columns[name])
        and misfits >= max(FEWEST_MISFITS, filled * contract.policy.type_changed_share)
    ]


def identifier(header: str, taken: Collection[str] = (), prefix: str = "") -> str:
    """Make a column name of a header; by a digest of the header when the plain one is taken."""
    name = re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_") or "column"
    name = prefix + (name if prefix or name[0].isalpha() else f"c_{name}")
    if len(name) <= LONGEST_NAME and name not in taken:
        return name
    digest = hashlib.sha256(header.encode()).hexdigest()[:DIGEST_DIGITS]
    return f"{name[: LONGEST_NAME - DIGEST_DIGITS - 1]}_{digest}"


def _missing(name: str, added: list[str]) -> str:
    close = _close(name, added)
    found = f' (found "{_shown(close[0])}")' if close else ""
    return f'column "{name}" is missing{found}'


def _close(name: str, added: list[str]) -> list[str]:
    by_small = {word.lower(): word for word in added}
    close = difflib.get_close_matches(name.lower(), by_small, n=1)
    return [by_small[word] for word in close]


def _shown(header: str) -> str:
    return header[:SHOWN_CHARACTERS]
