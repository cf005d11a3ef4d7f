"""Settings: process environment first, then the checkout's .env, then defaults that work."""

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from granary.errors import GranaryError

PLACE_SEPARATOR = ";"
BUCKET_SCHEME = "s3://"
PROJECT = Path(__file__).resolve().parent.parent
CONTRACTS = PROJECT / "contracts"


class Settings(BaseSettings):
    """Everything that can be set from outside; see .env.example.

    Relative paths are taken from the checkout, so every command means the same from any folder.
    """

    model_config = SettingsConfigDict(
        env_prefix="GRANARY_", env_file=PROJECT / ".env", extra="ignore", env_ignore_empty=True
    )

    gateway: Literal["postgres", "duckdb"] = "postgres"
    home: Path = Path(".local")
    landing: Annotated[str, BeforeValidator(str)] = "data/landing"
    metrics: Path | None = None
    alert_urls: SecretStr = SecretStr("")
    alert_level: Literal["error", "warning"] = "warning"
    alert_dead_letters: int = Field(default=100, ge=0)
    superset_port: int = Field(default=8088, ge=1, le=65535)
    superset_host: str = "127.0.0.1"
    pghost: str | None = None
    pgport: int = Field(default=5432, ge=1, le=65535)
    pguser: str = "postgres"
    pgpassword: str = ""
    pgdatabase: str = "granary"

    @cached_property
    def home_path(self) -> Path:
        """Absolute folder of everything that Granary itself writes."""
        return PROJECT / self.home.expanduser()

    @field_validator("landing")
    @classmethod
    def _landing_names_a_place(cls, landing: str) -> str:
        if not any(place.strip() for place in landing.split(PLACE_SEPARATOR)):
            raise ValueError(f"name a folder or {BUCKET_SCHEME}bucket/prefix")
        return landing

    @cached_property
    def landing_places(self) -> list[Path | str]:
        """Where source files lie: absolute folders, and buckets as s3://bucket/prefix."""
        places = [place.strip() for place in self.landing.split(PLACE_SEPARATOR)]
        return [
            place if place.startswith(BUCKET_SCHEME) else PROJECT / Path(place).expanduser()
            for place in places
            if place
        ]

    @property
    def landing_path(self) -> Path:
        """Absolute folder that generated files are written to: the first place.

        Raises:
            GranaryError: the first place is a bucket.
        """
        first = self.landing_places[0]
        if isinstance(first, str):
            raise GranaryError(
                f"{first} is a bucket, and files are generated into a folder.",
                "Name a folder first in GRANARY_LANDING.",
            )
        return first

    @property
    def aws_variables(self) -> dict[str, str]:
        """The AWS_* variables that say how buckets are reached: from .env, then the process's."""
        file = self.model_config.get("env_file")
        written = dotenv_values(str(file)) if file else {}
        return {
            name: value
            for name, value in {**written, **os.environ}.items()
            if name.startswith("AWS_") and value
        }

    @cached_property
    def metrics_path(self) -> Path:
        """Absolute folder that figures for Prometheus are written to."""
        return PROJECT / (self.metrics or self.home_path / "metrics").expanduser()

    @property
    def embedded(self) -> bool:
        """Whether the PostgreSQL server is the one that Granary starts itself."""
        return self.gateway == "postgres" and self.pghost is None
