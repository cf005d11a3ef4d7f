"""What the contracts say about raw columns, as a page to read and as a file for SQLMesh."""

from collections.abc import Iterable

import yaml

from granary.landing.contract import Column, Contract
from granary.landing.tables import LINEAGE_COLUMNS, OPS_TABLES, Table, raw_table


def data_dictionary(contracts: dict[str, Contract]) -> str:
    """Describe every raw column in Markdown, one section per feed."""
    parts = ["# Data dictionary: raw tables", _lineage_section()]
    parts += [_feed_section(contract) for contract in contracts.values()]
    return "\n\n".join(parts) + "\n"


def external_models(contracts: dict[str, Contract]) -> str:
    """Write the raw and ops tables as SQLMesh's external models, in YAML."""
    tables = [*map(raw_table, contracts.values()), *OPS_TABLES]
    return yaml.safe_dump(
        [_external_model(table) for table in tables],
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


def _external_model(table: Table) -> dict[str, object]:
    return {
        "name": table.name,
        "description": table.description,
        "columns": {column.name: column.sql_type for column in table.columns},
    }


def _lineage_section() -> str:
    rows = [
        (f"`{column.name}`", column.sql_type, "yes" if column.required else "", column.description)
        for column in LINEAGE_COLUMNS
    ]
    return "Every raw table holds the columns of its file and these:\n\n" + _markdown(
        ("Column", "Type", "Required", "Meaning"), rows
    )


def _feed_section(contract: Contract) -> str:
    rows = [
        (
            f"`{column.name}`",
            column.sql_type,
            "yes" if column.required else "",
            "yes" if column.phi else "",
            _rules(column),
            column.description,
        )
        for column in contract.columns.values()
    ]
    return (
        f"## {contract.table}\n\n{contract.description}\n\n"
        f"Kind: {contract.kind}. Key within a tenant's file: {', '.join(contract.key)}.\n\n"
        + _markdown(("Column", "Type", "Required", "PHI", "Rules", "Meaning"), rows)
    )


def _rules(column: Column) -> str:
    rules = []
    if column.header:
        rules.append(f"header `{column.header}`")
    if column.unit:
        rules.append(f"in {column.unit}")
    if column.codes:
        rules.append(f"one of {', '.join(column.codes)}")
    if column.pattern:
        rules.append(f"matches `{column.pattern}`")
    if column.min is not None:
        rules.append(f"at least {column.min}")
    if column.max is not None:
        rules.append(f"at most {column.max}")
    if column.check == "npi":
        rules.append("NPI check digit")
    if column.not_after_extract:
        rules.append("not after the extract")
    return "; ".join(rules)


def _markdown(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
