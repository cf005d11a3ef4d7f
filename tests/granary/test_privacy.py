"""Forgetting a person on both engines: raw, dead letters, tables of models, and later files."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from granary.errors import GranaryError
from granary.gateways.base import Gateway
from granary.landing import (
    Contract,
    LandingFile,
    LoadBatch,
    land_file,
    load_contracts,
    load_tenants,
)
from granary.landing.errors import StoreError
from granary.landing.letters import Wanted, waiting_lines
from granary.landing.replay import replay
from granary.privacy.files import StillNamed, clean_logs, find_in_home, find_in_landing
from granary.privacy.forget import (
    check_reason,
    find_request,
    finish,
    identify,
    remove_landed,
    set_apart,
    sweep,
)
from granary.privacy.letters import naming
from granary.privacy.person import Feeds, Person, feeds_of
from granary.privacy.secret import FILE_NAME, Secret, make_secret, read_secret
from granary.settings import CONTRACTS, Settings

JANUARY, FEBRUARY = datetime(2025, 1, 31), datetime(2025, 2, 28)
CLAIMS = (
    "claim_id,line_number,member_id,provider_id,plan_id,claim_type,service_date,received_date,"
    "adjudicated_date,claim_status,in_network,diagnosis_code,procedure_code,units,"
    "denial_reason_code,claim_amount,allowed_amount,paid_amount,deductible,copay,coinsurance,"
    "discharge_date,discharge_status,admission_type"
)
CLAIM = (
    "{claim},1,{member},P1,12345FL0010001-01,professional,2025-01-02,2025-01-03,2025-01-04,paid,"
    "true,E11.9,PX-OV3,1,,100.00,80.00,80.00,0.00,0.00,0.00,,,"
)
APPEALS = "appeal_id,claim_id,line_number,filed_date,decided_date,outcome"


class World:
    """Two tenants that know people of the same ids."""

    def __init__(self, gateway: Gateway, settings: Settings, folder: Path) -> None:
        self.gateway = gateway
        self.contracts = load_contracts(CONTRACTS)
        self.feeds: Feeds = feeds_of(
            "issuer_1", self.contracts, load_tenants(CONTRACTS / "tenants.yaml")
        )
        self.person = Person("aca", "issuer_1", "member_id", "M1")
        self.secret = make_secret(settings.home_path)
        self._folder = folder
        with gateway.store() as store:
            store.prepare(self.contracts.values())
            for contract in self.contracts.values():
                store.rows(f"DELETE FROM {contract.table}")
            store.rows("DELETE FROM raw.refused_line")

    def land(self, feed: str, tenant: str, at: datetime, *lines: str) -> LoadBatch:
        contract: Contract = self.contracts[feed]
        path = self._folder / "sent.csv"
        path.write_text("\n".join(lines) + "\n")
        with self.gateway.store() as store:
            batch = land_file(store, LandingFile.from_options(path, contract, tenant, at), contract)
        assert batch is not None
        return batch

    def forget(self) -> None:
        identity, counts = identify(self.gateway, self.person, self.feeds)
        with self.gateway.operations() as connection:
            found = find_request(connection, self.person, self.secret)
            request = remove_landed(
                connection, identity, self.feeds, self.secret, found, "by letter", counts
            )
        with self.gateway.models() as connection:
            set_apart(connection, identity, request, {"sqlmesh__core.core__log__1"})
            self.swept = [table.model for table in sweep(connection, identity)]
        self.gateway.purge(["raw.aca_claims", "ops.dead_letter"])
        with self.gateway.operations() as connection:
            finish(connection, request)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.gateway.query(query).rows


@pytest.fixture
def world(gateway: Gateway, settings: Settings, tmp_path: Path) -> Iterator[World]:
    world = World(gateway, settings, tmp_path)
    for tenant in ("issuer_1", "issuer_2"):
        world.land(
            "aca_claims",
            tenant,
            JANUARY,
            CLAIMS,
            CLAIM.format(claim="C1", member="M1"),
            CLAIM.format(claim="C1", member="M1"),
            CLAIM.format(claim="C2", member="M1").replace("2025-01-02", "never"),
            CLAIM.format(claim="C3", member="M1") + ",one,too,many",
            CLAIM.format(claim="C4", member="M10"),
            CLAIM.format(claim="C5", member="M1"),
        )
        appeal = "A{0},C{1},1,2025-01-20,,open"
        appeals = [appeal.format(1, 1), appeal.format(4, 4), appeal.format(5, 5)]
        world.land("aca_appeals", tenant, JANUARY, APPEALS, *appeals)
    # What was M1's turned out to be another person's.
    world.land("aca_claims", "issuer_1", FEBRUARY, CLAIMS, CLAIM.format(claim="C5", member="M7"))
    yield world
    # Other tests land lines of the same people on the same server.
    with gateway.store() as store:
        store.rows("DELETE FROM ops.forgotten_value")
        store.rows("DELETE FROM ops.forgotten")


def test_a_person_leaves_raw_and_dead_letters_and_nobody_else_does(world: World) -> None:
    world.forget()

    claims = "SELECT tenant_id, claim_id, member_id FROM raw.aca_claims ORDER BY 1, 2, 3"
    others = [("issuer_2", "C1", "M1"), ("issuer_2", "C4", "M10"), ("issuer_2", "C5", "M1")]
    assert world.rows(claims) == [("issuer_1", "C4", "M10"), ("issuer_1", "C5", "M7"), *others]
    appeals = "SELECT tenant_id, appeal_id FROM raw.aca_appeals ORDER BY 1, 2"
    assert world.rows(appeals) == [
        ("issuer_1", "A4"),
        ("issuer_1", "A5"),
        ("issuer_2", "A1"),
        ("issuer_2", "A4"),
        ("issuer_2", "A5"),
    ]
    ledger = (
        "SELECT rows_read, rows_loaded, rows_rejected, rows_duplicate FROM ops.load_batch "
        "WHERE feed = 'aca_claims' ORDER BY tenant_id, extracted_at"
    )
    assert world.rows(ledger) == [(6, 1, 4, 1), (1, 1, 0, 0), (6, 3, 2, 1)]
    letters = (
        "SELECT error_class, status, COUNT(*), MAX(raw_text) FROM ops.dead_letter "
        "WHERE tenant_id = 'issuer_1' GROUP BY error_class, status"
    )
    # Five lines of claims and one appeal.
    assert world.rows(letters) == [("forgotten", "closed", 6, None)]
    waiting = "SELECT COUNT(*) FROM raw.refused_line"
    assert world.rows(waiting) == [(2,)]
    assert world.rows("SELECT status, reason FROM ops.forgotten") == [("done", "by letter")]
    assert world.rows("SELECT COUNT(*) FROM ops.retraction WHERE load_id < 0") == [(0,)]


def test_a_line_that_was_mended_and_tried_again_leaves_with_its_letter(world: World) -> None:
    with world.gateway.store() as store:
        [letter] = [
            replace(letter, record=letter.record.replace(b"never", b"2025-01-02"))
            for letter in waiting_lines(store, Wanted(tenant_id="issuer_1"))
            if b"never" in letter.record
        ]
        assert replay(store, world.contracts, [letter]).replayed == 1
    said = (
        "SELECT error_class, status, column_name, raw_text FROM ops.dead_letter "
        f"WHERE load_id = {letter.load_id} AND source_line = {letter.source_line}"
    )
    [(_, status, column, text)] = world.rows(said)
    assert (status, column) == ("replayed", "service_date")
    assert "C2,1,***" in str(text)

    world.forget()

    assert world.rows(said) == [("forgotten", "closed", None, None)]
    assert world.rows("SELECT 1 FROM raw.aca_claims WHERE claim_id = 'C2'") == []
    replayed = (
        "SELECT rows_read, rows_loaded, rows_rejected FROM ops.load_batch "
        f"WHERE replay_of = {letter.load_id}"
    )
    assert world.rows(replayed) == [(1, 0, 1)]


def test_later_lines_of_the_person_are_refused_and_not_kept(world: World) -> None:
    world.forget()
    lines = [CLAIM.format(claim="C9", member=member) for member in ("M1", " M1 ", "M10")]
    # Whatever else is wrong with it.
    lines.append(CLAIM.format(claim="C8", member="M1").replace("2025-01-02", "never"))

    batch = world.land("aca_claims", "issuer_1", datetime(2025, 3, 31), CLAIMS, *lines)
    appeal = "A1,C1,1,2025-01-20,2025-03-01,upheld"
    appeals = world.land("aca_appeals", "issuer_1", datetime(2025, 3, 31), APPEALS, appeal)
    elsewhere = world.land("aca_claims", "issuer_2", datetime(2025, 3, 31), CLAIMS, *lines[:1])

    assert (batch.rows_loaded, batch.rows_rejected) == (1, 3)
    assert (appeals.rows_loaded, appeals.rows_rejected) == (0, 1)
    assert elsewhere.rows_loaded == 1
    said = (
        "SELECT source_line, error_class, reason, raw_text, status FROM ops.dead_letter "
        f"WHERE load_id = {batch.load_id} ORDER BY source_line"
    )
    assert world.rows(said) == [
        (line, "forgotten", f"line {line} belongs to a person who was forgotten", None, "closed")
        for line in (2, 3, 5)
    ]
    kept = f"SELECT COUNT(*) FROM raw.refused_line WHERE load_id = {batch.load_id}"
    assert world.rows(kept) == [(0,)]


def test_without_the_secret_nobody_comes_back(world: World, settings: Settings) -> None:
    world.forget()
    key = settings.home_path / FILE_NAME
    secret = key.read_text()
    line = CLAIM.format(claim="C9", member="M1")
    try:
        for content in (None, "00" * 32):
            key.unlink() if content is None else key.write_text(content)
            with pytest.raises(StoreError, match=r"Restore forgotten\.key"):
                world.land("aca_claims", "issuer_1", FEBRUARY, CLAIMS, line)
        assert world.land("aca_claims", "issuer_2", FEBRUARY, CLAIMS, line).rows_loaded == 1
    finally:
        key.write_text(secret)


def test_tables_of_models_are_swept_by_id_and_by_key(world: World) -> None:
    key, other = world.person.key, Person("aca", "issuer_2", "member_id", "M1").key
    with world.gateway.models() as connection:
        for statement in (
            "DROP SCHEMA IF EXISTS sqlmesh__core CASCADE",
            "CREATE SCHEMA sqlmesh__core",
            "CREATE TABLE sqlmesh__core.core__log__1 (tenant_id TEXT, claim_id TEXT, "
            "claim_line_key BIGINT, member_id TEXT, load_id BIGINT, load_date DATE)",
            "INSERT INTO sqlmesh__core.core__log__1 VALUES "
            "('issuer_1', 'C1', 11, 'M1', 5, '2025-01-31'), "
            "('issuer_2', 'C1', 21, 'M1', 6, '2025-01-31'), "
            "('issuer_1', 'C1', 11, NULL, 7, '2025-02-28')",
            "CREATE TABLE sqlmesh__core.core__touches__2 (claim_line_key BIGINT)",
            "INSERT INTO sqlmesh__core.core__touches__2 VALUES (11), (21)",
            "CREATE TABLE sqlmesh__core.core__fact__3 (member_key BIGINT, amount INTEGER)",
            f"INSERT INTO sqlmesh__core.core__fact__3 VALUES ({key}, 1), ({other}, 2)",
            "CREATE TABLE sqlmesh__core.core__sums__4 (amount INTEGER)",
            "INSERT INTO sqlmesh__core.core__sums__4 VALUES (3)",
        ):
            connection.execute(statement)
    try:
        world.forget()
        assert world.swept == ["core.fact", "core.log", "core.touches"]
        left = "SELECT {} FROM sqlmesh__core.core__{}"
        assert world.rows(left.format("load_id", "log__1")) == [(6,)]
        assert world.rows(left.format("claim_line_key", "touches__2")) == [(21,)]
        assert world.rows(left.format("amount", "fact__3")) == [(2,)]
        assert world.rows(left.format("amount", "sums__4")) == [(3,)]
    finally:
        with world.gateway.models() as connection:
            connection.execute("DROP SCHEMA sqlmesh__core CASCADE")


def test_the_digest_is_hmac_and_the_same_in_sql(tmp_path: Path) -> None:
    secret = make_secret(tmp_path)
    assert read_secret(tmp_path) == secret == make_secret(tmp_path)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    value = "Zoë's 1"
    message = f"aca|issuer_1|member_id|{value}".encode()
    expected = hmac.new(secret.key, message, hashlib.sha256).hexdigest()
    assert secret.digest("aca", "issuer_1", "member_id", value) == expected
    sql = secret.digest_sql("aca", "issuer_1", "member_id", "$1")
    assert duckdb.execute(f"SELECT {sql}", [value]).fetchone() == (expected,)
    assert Secret(b"x" * 32).digest("aca", "issuer_1", "member_id", value) != expected


def test_our_logs_lose_the_lines_and_other_files_are_named(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "granary.jsonl"
    log.parent.mkdir()
    log.write_text("M1 failed\nM10 failed\n{'id': 'M1'}\nXM1 and M1-2\n")
    export = tmp_path / "export.csv"
    export.write_text("M1,1\nM2,2\n")
    pattern = naming(["M1", "Ann (Lee)"])

    assert clean_logs(tmp_path, pattern) == 2
    assert log.read_text() == "M10 failed\nXM1 and M1-2\n"
    assert list(find_in_home(tmp_path, pattern)) == [StillNamed(str(export), 1)]
    assert pattern.search(b"x Ann (Lee), y")


def test_senders_files_are_searched_as_they_are_packed(tmp_path: Path) -> None:
    import gzip

    import pyarrow as pa

    text = b"member_id\nM1\nM10\nM1"
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text))
    with pa.output_stream(str(tmp_path / "c.csv.zst"), compression="zstd") as stream:
        stream.write(text)
    (tmp_path / "d.csv.gz").write_bytes(b"no gzip")
    files = [
        LandingFile(path, path.name, "aca", "issuer_1", "members", JANUARY)
        for path in sorted(tmp_path.iterdir())
    ]
    *found, problem = find_in_landing(files, naming(["M1"]))
    assert [found.lines for found in found if isinstance(found, StillNamed)] == [2, 2, 2]
    assert re.search(r"d\.csv\.gz: cannot be searched", str(problem))


def test_a_reason_does_not_say_who_it_is() -> None:
    person = Person("aca", "issuer_1", "member_id", "M1")
    check_reason("letter of 3 May", person)
    with pytest.raises(GranaryError, match="names the person"):
        check_reason("M1 wrote", person)
