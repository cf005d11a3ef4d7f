"""Files that lie in buckets, asked of a real server over HTTP."""

import contextlib
import gzip
import socket
import threading
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from landing_support import Warehouse, write_orders
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from granary.errors import GranaryError
from granary.landing import Contract, LandingReport, Store, Tenants, land_all
from granary.landing.bucket import Bucket, BucketObject
from granary.landing.errors import FileChanged, FileUnreadable
from granary.landing.files import discover
from granary.landing.places import Folder, open_places
from granary.settings import Settings

Contracts = dict[str, Contract]
Land = Callable[..., LandingReport]
SECRET = "a-secret-that-must-not-show"
KEY = "inbox/shop/north/orders_20250131T000000Z.csv"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 server of our own."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def variables(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """How it is reached, whatever the machine's own settings are."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


@pytest.fixture
def s3(endpoint: str, variables: dict[str, str]) -> Any:
    """The sender's side: an empty bucket named files."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="sender",
        aws_secret_access_key="sender",
    )
    client.create_bucket(Bucket="files")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="files"):
        for found in page.get("Contents", []):
            client.delete_object(Bucket="files", Key=found["Key"])
    return client


@pytest.fixture
def land(store: Store, contracts: Contracts, tenants: Tenants) -> Land:
    """Lands what is new in places."""
    return lambda *places: land_all(store, places, contracts, tenants)


def put(s3: Any, folder: Path, key: str, *lines: str) -> None:
    """Write a file of orders into the bucket."""
    content = write_orders(folder / "sent.csv", *lines).read_bytes()
    s3.put_object(
        Bucket="files", Key=key, Body=gzip.compress(content) if key.endswith(".gz") else content
    )


def test_objects_land_like_files_and_are_not_fetched_again(
    warehouse: Warehouse,
    contracts: Contracts,
    tenants: Tenants,
    s3: Any,
    variables: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(s3, tmp_path, KEY, "A1,Ann,2025-01-02,1", "A2,Bob,2025-01-02,wrong")
    zipped = "inbox/shop/south/orders_20250131T000000Z.csv.gz"
    put(s3, tmp_path, zipped, "B1,Cid,2025-01-02,2")
    s3.put_object(Bucket="files", Key="inbox/shop/", Body=b"")
    s3.put_object(Bucket="files", Key="inbox/shop/west/orders_20250131T000000Z.csv", Body=b"x")
    s3.put_object(Bucket="files", Key="inbox/shop/north/orders_20250131T000000Z.csv.part")
    place = Bucket("s3://files/inbox", variables)
    assert not place.is_empty()
    assert Bucket("s3://files/elsewhere/", variables).is_empty()

    with warehouse.open() as store:
        report = land_all(store, [place], contracts, tenants)

    assert [(b.tenant_id, b.rows_loaded, b.rows_rejected) for b in report.landed] == [
        ("north", 1, 1),
        ("south", 1, 0),
    ]
    [problem] = report.problems
    assert problem.startswith("s3://files/inbox/shop/west: unknown tenant (known: north, south).")
    assert warehouse.rows("SELECT source FROM ops.load_batch ORDER BY 1") == [
        (f"s3://files/{KEY}",),
        (f"s3://files/{zipped}",),
    ]

    fetched: list[str] = []
    fetch = Bucket.fetch

    def note(bucket: Bucket, wanted: BucketObject, path: Path) -> None:
        fetched.append(wanted.key)
        fetch(bucket, wanted, path)

    monkeypatch.setattr(Bucket, "fetch", note)
    with warehouse.open() as store:
        again = land_all(store, [place], contracts, tenants)
    assert (len(again.skipped), fetched) == (2, [])

    # A correction of the same length, perhaps within the same second, is another content.
    put(s3, tmp_path, KEY, "A1,Ann,2025-01-02,3", "A2,Bob,2025-01-02,wrong")
    with warehouse.open() as store:
        corrected = land_all(store, [place], contracts, tenants)
    assert ([batch.rows_loaded for batch in corrected.landed], fetched) == ([1], [KEY])


def test_a_file_that_lies_in_a_folder_and_in_a_bucket_is_one_batch(
    land: Land,
    landing: Path,
    s3: Any,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    put(s3, tmp_path, KEY, "A1,Ann,2025-01-02,1")
    write_orders(landing / "shop/north/orders_20250131T000000Z.csv", "A1,Ann,2025-01-02,1")
    places = [Folder(landing), Bucket("s3://files/inbox", variables)]

    report = land(*places)

    assert (len(report.landed), len(report.skipped), report.problems) == (1, 1, [])


def test_a_bucket_of_more_than_a_page_is_seen_whole(
    contracts: Contracts, tenants: Tenants, s3: Any, variables: dict[str, str]
) -> None:
    keys = [
        f"shop/north/orders_{1930 + i // 12:04d}{i % 12 + 1:02d}01T000000Z.csv" for i in range(1010)
    ]
    s3.create_bucket(Bucket="many")
    for key in keys:
        # A thousand requests would take ten seconds.
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object("many", key, b"")

    found = discover([Bucket("s3://many", variables)], contracts, tenants)

    assert found.problems == []
    assert [file.source for file in found.files] == [f"s3://many/{key}" for key in keys]


def test_an_object_written_anew_while_it_is_fetched_lands_later(
    land: Land,
    contracts: Contracts,
    tenants: Tenants,
    s3: Any,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    put(s3, tmp_path, KEY, "A1,Ann,2025-01-02,1")
    place = Bucket("s3://files/inbox", variables)
    [file] = discover([place], contracts, tenants).files
    put(s3, tmp_path, KEY, "A1,Ann,2025-01-02,2")

    with pytest.raises(FileChanged, match=f"s3://files/{KEY}: it was written anew"), file.fetched():
        pass

    s3.delete_object(Bucket="files", Key=KEY)
    with pytest.raises(FileUnreadable, match=r"NoSuchKey.*removed after"), file.fetched():
        pass
    put(s3, tmp_path, KEY, "A1,Ann,2025-01-02,3")
    report = land(place)
    assert [batch.rows_loaded for batch in report.landed] == [1]


def test_a_bucket_out_of_reach_stops_no_other_place(
    land: Land,
    landing: Path,
    s3: Any,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_orders(landing / "shop/north/orders_20250131T000000Z.csv", "A1,Ann,2025-01-02,1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
    keyless = {name: text for name, text in variables.items() if "KEY" not in name}
    places = [
        Bucket("s3://no-such-bucket", variables),
        Bucket("s3://files", {**variables, "AWS_ENDPOINT_URL": nobody}),
        Bucket("s3://files", keyless),
        Folder(landing),
    ]

    report = land(*places)

    assert report.problems == [
        "s3://no-such-bucket/: the store says NoSuchBucket. "
        "Check the bucket's name in GRANARY_LANDING, and AWS_ENDPOINT_URL.",
        "s3://files/: the store cannot be reached (EndpointConnectionError). "
        "Check AWS_ENDPOINT_URL, AWS_REGION and the network, then run again.",
        "s3://files/: there are no keys to ask with. "
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role meant.",
    ]
    assert [batch.rows_loaded for batch in report.landed] == [1]


def test_keys_that_are_refused_never_show(
    s3: Any, endpoint: str, variables: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    place = Bucket("s3://files", variables)
    try:
        ask_for_keys(endpoint, b"0")
        with pytest.raises(FileUnreadable) as refusal:
            place.entries("")
    finally:
        ask_for_keys(endpoint, b"inf")
    assert str(refusal.value).startswith(
        "s3://files/: the store says InvalidAccessKeyId. Check AWS"
    )
    told = "".join([*traceback.format_exception(refusal.value), *capfd.readouterr()])
    assert SECRET not in told


def ask_for_keys(endpoint: str, after: bytes) -> None:
    """Let the server check keys from so many requests on."""
    address, headers = f"{endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(address, after, headers)).close()


def test_a_dropped_connection_is_tried_again(
    land: Land,
    s3: Any,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    lines = [f"A{i},Ann,2025-01-02,1" for i in range(20_000)]
    put(s3, tmp_path, KEY, *lines)
    with BadLine(variables["AWS_ENDPOINT_URL"], cuts=2) as line:
        place = Bucket("s3://files/inbox", {**variables, "AWS_ENDPOINT_URL": line.address})
        report = land(place)
    assert line.cuts == 0
    assert report.problems == []
    assert [batch.rows_loaded for batch in report.landed] == [20_000]


def test_a_connection_that_always_drops_lands_nothing_and_says_so(
    warehouse: Warehouse,
    contracts: Contracts,
    tenants: Tenants,
    s3: Any,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    put(s3, tmp_path, KEY, *(f"A{i},Ann,2025-01-02,1" for i in range(20_000)))
    put(s3, tmp_path, KEY.replace("north", "south"), "B1,Ann,2025-01-02,1")
    with BadLine(variables["AWS_ENDPOINT_URL"], cuts=1000) as line, warehouse.open() as store:
        place = Bucket("s3://files/inbox", {**variables, "AWS_ENDPOINT_URL": line.address})
        report = land_all(store, [place], contracts, tenants)
    assert [problem.partition(" (")[0] for problem in report.problems] == [
        f"s3://files/{KEY}: the store cannot be reached"
    ]
    assert [batch.tenant_id for batch in report.landed] == ["south"]
    assert warehouse.rows("SELECT DISTINCT tenant_id FROM raw.shop_orders") == [("south",)]


class BadLine:
    """A connection to a server that breaks in the middle of long answers.

    Attributes:
        cuts: how often it will still break.
    """

    LONGEST = 100_000

    def __init__(self, server: str, cuts: int) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._ear.getsockname()[1]}"
        self.cuts = cuts

    def __enter__(self) -> "BadLine":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ear.close()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._ear.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            threading.Thread(target=self._carry, args=(caller, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, caller), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, caller: socket.socket) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                carried += len(data)
                if carried > self.LONGEST and self.cuts:
                    self.cuts -= 1
                    break
                caller.sendall(data)
        for end in (caller, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.mark.parametrize("address", ["s3://", "s3:///inbox", "s3://a b/c", "s3://-x"])
def test_an_address_that_is_no_bucket_is_refused_by_name(
    address: str, variables: dict[str, str]
) -> None:
    with pytest.raises(GranaryError, match="is no bucket"):
        Bucket(address, variables)


def test_settings_name_folders_and_buckets_in_order(
    tmp_path: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("AWS_SECRET_ACCESS_KEY=from-file\nAWS_REGION=eu-west-1\n")
    monkeypatch.setitem(Settings.model_config, "env_file", dotenv)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("GRANARY_LANDING", f"{tmp_path} and more ; s3://files/in;/srv/other")

    settings = Settings()

    assert [place.shown("aca/x") for place in open_places(settings)] == [
        f"{tmp_path} and more/aca/x",
        "s3://files/in/aca/x",
        "/srv/other/aca/x",
    ]
    assert settings.landing_path == tmp_path.parent / f"{tmp_path.name} and more"
    assert settings.aws_variables["AWS_REGION"] == "us-east-1"
    assert settings.aws_variables["AWS_SECRET_ACCESS_KEY"] == "from-file"


def test_nothing_is_generated_into_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANARY_LANDING", "s3://files/in;/srv/other")
    with pytest.raises(GranaryError, match="s3://files/in is a bucket"):
        _ = Settings().landing_path
