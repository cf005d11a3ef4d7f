"""What the contracts say about raw columns, as a page to read and as a file for SQLMesh."""

from collections.abc import Iterable

import yaml

from granary.landing.contract import Column, Contract, Policy
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
            "yes" if column.required and not column.retired else "",
            "yes" if column.phi else "",
            "; ".join(rules_of(column)),
            column.description,
        )
        for column in contract.columns.values()
    ]
    parts = [
        f"## {contract.table}",
        contract.description,
        f"Kind: {contract.kind}. Key within a tenant's file: {', '.join(contract.key)}.",
        f"Version {contract.version}. Policy: {policy_of(contract)}.",
        "\n".join(
            f"- Version {change.version} ({change.accepted_on}): {change.reason} "
            f"({'; '.join(change.what)})"
            for change in contract.changes
        ),
        _markdown(("Column", "Type", "Required", "PHI", "Rules", "Meaning"), rows),
    ]
    return "\n\n".join(part for part in parts if part)


def policy_of(contract: Contract) -> str:
    """Say what is done with a file that is not as usual; what is not said is a warning."""
    policy = contract.policy
    parts = [f"{policy.added_columns} added columns"]
    stopping = [
        name.replace("_", " ")
        for name in ("volume", "rates", "duplicates", "differing_lines", "repeated_file")
        if getattr(policy, name) == "stop"
    ]
    if stopping:
        parts.append(f"stop for {', '.join(stopping)}")
    if policy.differing_lines == "usual":
        parts.append("several states of a key are usual")
    if policy.type_changed_share != Policy().type_changed_share:
        parts.append(f"type changed from {policy.type_changed_share:.0%} of the values on")
    if policy.fresh_within is not None:
        parts.append(f"late after {policy.fresh_within} days ({policy.late})")
    return "; ".join(parts)


def rules_of(column: Column) -> list[str]:
    """Say what a column's values must be, a clause per rule."""
    rules = []
    if column.retired:
        rules.append("retired: NULL in later files")
    elif column.optional:
        rules.append("optional: NULL where a file lacks it")
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
    return rules


def _markdown(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
