"""Dead letters of a forgotten person: the line's number stays, what it says does not."""

import re
from collections.abc import Iterable

from granary.gateways.base import Connection
from granary.landing.checks import FORGOTTEN, WHOSE_LINE
from granary.landing.contract import Contract
from granary.landing.tables import literal
from granary.privacy.person import Identity, Person

EQUAL_LINE = re.compile(r"is equal to line (\d+)")

Line = tuple[int, int]


def naming(values: Iterable[str]) -> re.Pattern[bytes]:
    """A pattern of bytes that hold one of the values as a word of its own."""
    words = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])".encode())


def blank_letters(
    connection: Connection, person: Person, identity: Identity, contracts: list[Contract]
) -> None:
    """Remove the refused lines that name the person, and lines equal to any that was removed."""
    feeds = ", ".join(literal(contract.feed) for contract in contracts)
    values = [person.value, *(text for texts in identity.texts.values() for text in texts)]
    pattern = naming(values)
    refused = connection.execute(
        "SELECT letters.load_id, letters.source_line, lines.line "
        "FROM ops.dead_letter AS letters INNER JOIN raw.refused_line AS lines "
        "ON lines.load_id = letters.load_id AND lines.source_line = letters.source_line "
        f"WHERE letters.tenant_id = $1 AND letters.feed IN ({feeds})",
        [person.tenant_id],
    ).fetchall()
    named = [(load_id, line) for load_id, line, text in refused if pattern.search(bytes(text))]
    _blank(connection, named)
    letters = connection.execute(
        "SELECT load_id, source_line, error_class, reason, replayed_load_id FROM ops.dead_letter "
        f"WHERE (error_class IN ('duplicate', '{FORGOTTEN}') OR replayed_load_id IS NOT NULL) "
        f"AND tenant_id = $1 AND feed IN ({feeds})",
        [person.tenant_id],
    ).fetchall()
    gone = {(load_id, line) for load_id, line, kind, *_ in letters if kind == FORGOTTEN}
    tried_again = [
        (load_id, line) for load_id, line, _, _, replay in letters if (replay, line) in gone
    ]
    _blank(connection, tried_again)
    gone.update(tried_again)
    equal = {
        (load_id, line): (load_id, int(said[1]))
        for load_id, line, kind, reason, _ in letters
        if kind == "duplicate" and (said := EQUAL_LINE.search(reason))
    }
    # A line may be equal to one that is equal to another.
    repeated = []
    for line in sorted(equal):
        if equal[line] in gone:
            gone.add(line)
            repeated.append(line)
    _blank(connection, repeated)


def _blank(connection: Connection, lines: list[Line]) -> None:
    for load_id, line in lines:
        connection.execute(
            "UPDATE ops.dead_letter SET column_name = NULL, reason = $1, error_class = $2, "
            "raw_text = NULL, status = 'closed' WHERE load_id = $3 AND source_line = $4",
            [f"line {line}{WHOSE_LINE}", FORGOTTEN, load_id, line],
        )
        connection.execute(
            "DELETE FROM raw.refused_line WHERE load_id = $1 AND source_line = $2",
            [load_id, line],
        )
