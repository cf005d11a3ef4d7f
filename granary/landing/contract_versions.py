"""Every version of a contract that landing used, and whether it still says the same."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from granary.landing.contract import Contract
from granary.landing.contract_diff import contract_differences
from granary.landing.errors import ContractDrifted
from granary.landing.store import Store

Definition = dict[str, Any]
FIRST_REASON = "first version"


@dataclass(frozen=True)
class RecordedContract:
    """A version of a contract as landing used it; a row of ops.contract."""

    version: int
    digest: str
    definition: Definition


def definition_of(contract: Contract) -> Definition:
    """Give what a contract demands of files, as plain values: no descriptions, no history."""
    columns = {
        name: column.model_dump(
            mode="json", exclude_defaults=True, exclude={"name", "description", "unit"}
        )
        for name, column in contract.columns.items()
    }
    rest = contract.model_dump(
        mode="json",
        exclude_defaults=True,
        exclude={
            *("domain", "entity", "feed", "version", "changes", "description", "policy"),
            "columns",
        },
    )
    policy = contract.policy.model_dump(
        mode="json", exclude_defaults=True, exclude={"fresh_within", "late"}
    )
    return {**rest, **({"policy": policy} if policy else {}), "columns": columns}


def record_versions(
    store: Store, contracts: Iterable[Contract], moment: datetime
) -> dict[str, ContractDrifted]:
    """Record the versions that landing is about to use.

    A version under which nothing landed yet may still change; one that was used may not.

    Args:
        moment: now, UTC without zone.

    Returns:
        By feed, what to tell of a contract that differs from the same version in use.
    """
    drifted = {}
    for contract in contracts:
        recorded = recorded_version(store, contract.feed, contract.version)
        definition = _written(definition_of(contract))
        if recorded and recorded.digest == _digest(definition):
            continue
        if recorded and (batches := _batches(store, contract)):
            drifted[contract.feed] = _drift(contract, recorded, batches)
        else:
            _record(store, contract, definition, moment)
    return drifted


def recorded_version(store: Store, feed: str, version: int) -> RecordedContract | None:
    """Look up a version of a feed's contract; None when landing never used it."""
    found = store.rows(
        "SELECT version, digest, definition FROM ops.contract WHERE feed = $1 AND version = $2",
        [feed, version],
    )
    recorded = [RecordedContract(row[0], row[1], json.loads(row[2])) for row in found]
    return recorded[0] if recorded else None


def _drift(contract: Contract, recorded: RecordedContract, batches: int) -> ContractDrifted:
    differences = contract_differences(recorded.definition, definition_of(contract))
    landed = "1 batch landed" if batches == 1 else f"{batches:,} batches landed"
    return ContractDrifted(
        f"{contract.path} differs from version {contract.version}, under which {landed}: "
        f"{'; '.join(differences)}. No file of {contract.feed} was read.",
        f"Take the edit back, or run: granary contract accept {contract.feed} --reason '…'",
    )


def _batches(store: Store, contract: Contract) -> int:
    [(batches,)] = store.rows(
        "SELECT COUNT(*) FROM ops.load_batch "
        "WHERE feed = $1 AND contract_version = $2 AND status = 'loaded'",
        [contract.feed, contract.version],
    )
    return int(batches)


def _record(store: Store, contract: Contract, definition: str, moment: datetime) -> None:
    store.rows(
        "INSERT INTO ops.contract (feed, version, digest, definition, reason, first_used_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed, version) DO UPDATE SET "
        "digest = excluded.digest, definition = excluded.definition, reason = excluded.reason, "
        "first_used_at = excluded.first_used_at",
        [
            contract.feed,
            contract.version,
            _digest(definition),
            definition,
            contract.changes[-1].reason if contract.changes else FIRST_REASON,
            moment,
        ],
    )


def _written(definition: Definition) -> str:
    return json.dumps(definition, sort_keys=True, ensure_ascii=False)


def _digest(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()
