"""A bucket of S3, or of any store that speaks as S3 does, as a place of source files."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from granary.errors import GranaryError
from granary.landing.errors import FileChanged, FileUnreadable
from granary.landing.files import EPOCH, Entry, FileStamp, without_zone
from granary.landing.scratch import Scratch

ADDRESS = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,253})(/(?P<prefix>.*))?")
CONNECT_SECONDS = 10
READ_SECONDS = 60
MICROSECONDS = 1_000_000
# One connection and a buffer: what is fetched may be larger than memory.
ONE_STREAM = TransferConfig(use_threads=False)
CHECK_KEYS = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role meant."
REMEDIES = {
    "NoSuchBucket": "Check the bucket's name in GRANARY_LANDING, and AWS_ENDPOINT_URL.",
    "NoSuchKey": "It was removed after it was listed; run again.",
    "AccessDenied": "Give the keys the right to list the bucket and to read its objects.",
    "InvalidAccessKeyId": CHECK_KEYS,
    "SignatureDoesNotMatch": CHECK_KEYS,
    "ExpiredToken": "Log in again: the session's keys have expired.",
    "PermanentRedirect": "The bucket is in another region: set AWS_REGION.",
}
NAMES = {"404": "NoSuchKey", "403": "AccessDenied", "412": "PreconditionFailed"}


@dataclass(frozen=True)
class BucketObject:
    """One object as it was listed.

    Attributes:
        etag: what the store calls the object's present content.
    """

    bucket: "Bucket"
    key: str
    size: int
    written_at: datetime
    etag: str

    @property
    def stamp(self) -> FileStamp:
        """Its size and when it was written.

        Stores count in seconds. The fraction is made of the etag, so that two contents written
        within one second differ.
        """
        digits = int(hashlib.sha256(self.etag.encode()).hexdigest()[:8], 16)
        fraction = timedelta(microseconds=digits % MICROSECONDS)
        return FileStamp(self.size, self.written_at.replace(microsecond=0) + fraction)

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """Bring it to a local path, which has its name and its stamp, for as long as it is read.

        Raises:
            FileUnreadable: it is gone or out of reach, after the library's own retries.
            FileChanged: it is no longer what was listed.
        """
        with Scratch() as scratch:
            path = scratch / self.key.rpartition("/")[2]
            self.bucket.fetch(self, path)
            modified = (self.stamp.modified_at - EPOCH) // timedelta(microseconds=1) * 1000
            os.utime(path, ns=(modified, modified))
            yield path


class Bucket:
    """A bucket, or what lies below a prefix of it."""

    def __init__(self, address: str, variables: Mapping[str, str]) -> None:
        """Prepare to speak with the store; nothing is asked yet.

        Args:
            address: s3://bucket or s3://bucket/prefix.
            variables: the AWS_* variables; what they leave open comes from the AWS CLI's files or
                from the machine's role.

        Raises:
            GranaryError: the address or the variables cannot be used.
        """
        match = ADDRESS.fullmatch(address)
        if not match:
            raise GranaryError(
                f"GRANARY_LANDING: {address} is no bucket.", "Write s3://bucket/prefix."
            )
        self._bucket = match["bucket"]
        prefix = (match["prefix"] or "").strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        with _explained(address):
            self._client = _client(variables)

    def entries(self, folder: str) -> list[Entry]:
        """List a folder by its path below the prefix, by name."""
        prefix = f"{self._prefix}{folder}/" if folder else self._prefix
        pages = self._client.get_paginator("list_objects_v2")
        found: list[Entry] = []
        with _explained(self.shown(folder)):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
                folders = [one["Prefix"] for one in page.get("CommonPrefixes", [])]
                found += [self._entry(key.removesuffix("/"), None) for key in folders]
                # Some tools mark a folder by an object of no bytes.
                objects = [one for one in page.get("Contents", []) if one["Key"] != prefix]
                found += [self._entry(one["Key"], one) for one in objects]
        return sorted(found, key=lambda entry: entry.key)

    def _entry(self, whole_key: str, found: dict[str, Any] | None) -> Entry:
        key = whole_key.removeprefix(self._prefix)
        remote = (
            BucketObject(
                self, whole_key, found["Size"], without_zone(found["LastModified"]), found["ETag"]
            )
            if found
            else None
        )
        return Entry(key, Path(key), self.shown(key), is_folder=remote is None, remote=remote)

    def shown(self, key: str) -> str:
        """Give the address."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def is_empty(self) -> bool:
        """Say whether no object lies below the prefix."""
        with _explained(self.shown("")):
            answer = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1
            )
        return not answer.get("Contents")

    def fetch(self, wanted: BucketObject, path: Path) -> None:
        """Write an object's content to a path.

        Raises:
            FileUnreadable: it is gone or out of reach, or this machine's disk is full.
            FileChanged: it is no longer what was listed.
        """
        address = f"s3://{self._bucket}/{wanted.key}"
        with _explained(address):
            self._client.download_file(self._bucket, wanted.key, str(path), Config=ONE_STREAM)
            etag = self._client.head_object(Bucket=self._bucket, Key=wanted.key)["ETag"]
        if etag != wanted.etag:
            raise FileChanged(
                f"{address}: it was written anew since it was listed. Nothing was landed.",
                "Run again.",
            )


def _client(variables: Mapping[str, str]) -> Any:
    endpoint = variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL")
    session = boto3.Session(
        aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        region_name=variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION"),
        profile_name=variables.get("AWS_PROFILE"),
    )
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard"},
        # Stores other than Amazon's seldom have a host name per bucket.
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    return session.client("s3", endpoint_url=endpoint, config=config)


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn the library's errors into one that says what to do; no message of it holds a key."""
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {}).get("Code", "Unknown")
        code = NAMES.get(said, said)
        if code == "PreconditionFailed":
            raise FileChanged(f"{where}: it was written anew meanwhile.", "Run again.") from None
        raise FileUnreadable(
            f"{where}: the store says {code}.",
            REMEDIES.get(code, "Check the bucket, the keys and AWS_ENDPOINT_URL."),
        ) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise FileUnreadable(f"{where}: there are no keys to ask with.", CHECK_KEYS) from None
    except (BotoCoreError, Boto3Error, ConnectionError, ValueError) as error:
        raise FileUnreadable(
            f"{where}: the store cannot be reached ({type(error).__name__}).",
            "Check AWS_ENDPOINT_URL, AWS_REGION and the network, then run again.",
        ) from None
    except OSError as error:
        raise FileUnreadable(
            f"{where}: cannot be fetched: {error.strerror or type(error).__name__}.",
            "Free space for temporary files, then run again.",
        ) from None
