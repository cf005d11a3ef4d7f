"""Texts that are looked up are those that formatting gives."""

import numpy as np
import pyarrow as pa
import pyarrow.csv

from seeds_gen.aca import columns
from seeds_gen.aca.text import AMOUNTS, COUNTS, in_text


def written(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pa.csv.write_csv(table, buffer, pa.csv.WriteOptions(quoting_style="none"))
    return bytes(buffer.getvalue().to_pybytes())


def test_looked_up_texts_are_those_that_formatting_gives() -> None:
    cents = np.array([0, 5, 99, 100, AMOUNTS - 1, AMOUNTS, -7, 12_345_678_901])
    counts = np.array([0, 1, 9, 10, COUNTS - 1, COUNTS, -1, 1 << 40])
    days = np.array([0, -1, -30_000, 19_723, 19_782, 20_000, 40_000, 11_016])
    blank = np.arange(8) % 3 == 1
    table = pa.table(
        {
            "amount": columns.money(cents),
            "small": columns.money(np.abs(cents) % 100),
            "ratio": columns.decimals(cents, 14, 4, blank),
            "count": columns.ints(counts, blank),
            "few": columns.ints(counts % 10, blank),
            "flag": columns.flags(blank),
            "day": columns.dates(days),
            "some_day": columns.dates(days, blank),
            "text": columns.texts(np.array(list("abcdefgh"), dtype=object)),
        }
    )
    for part in (table, table.slice(3, 4), table.slice(0, 0), pa.concat_tables([table, table])):
        assert written(in_text(part)) == written(part)
