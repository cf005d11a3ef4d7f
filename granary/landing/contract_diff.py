"""How one version of a contract differs from another, in sentences."""

from collections.abc import Iterator, Mapping
from typing import Any


def contract_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say what changed from one definition to another, a clause per column and rule.

    Args:
        before: what the contract demanded, as definition_of gives it.
        after: what it demands now.
    """
    return [
        *_rules({**before, "columns": {}}, {**after, "columns": {}}, ""),
        *_columns(before["columns"], after["columns"]),
    ]


def _columns(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in before:
        if name not in after:
            yield f'column "{name}" is gone'
    for name, rules in after.items():
        if name not in before:
            kind = f"{rules['type']}, optional" if rules.get("optional") else rules["type"]
            yield f'column "{name}" is new ({kind})'
        elif rules.get("retired") and not before[name].get("retired"):
            yield f'column "{name}" is retired'
        else:
            yield from _rules(before[name], rules, f'column "{name}": ')


def _rules(before: Mapping[str, Any], after: Mapping[str, Any], about: str) -> Iterator[str]:
    for rule in [*before, *(rule for rule in after if rule not in before)]:
        old, new = before.get(rule), after.get(rule)
        if old == new:
            continue
        if isinstance(old or new, dict):
            yield from _rules(old or {}, new or {}, f"{about}{rule}: ")
        elif old is None:
            yield f"{about}{rule} is now {_told(new)}"
        elif new is None:
            yield f"{about}{rule} is no longer {_told(old)}"
        else:
            yield f"{about}{rule} was {_told(old)}, is {_told(new)}"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
