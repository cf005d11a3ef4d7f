"""Settings: process environment first, then the checkout's .env, then defaults that work."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    landing: Path = Path("data/landing")
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

    @cached_property
    def landing_path(self) -> Path:
        """Absolute folder that source files are dropped into."""
        return PROJECT / self.landing.expanduser()

    @cached_property
    def metrics_path(self) -> Path:
        """Absolute folder that figures for Prometheus are written to."""
        return PROJECT / (self.metrics or self.home_path / "metrics").expanduser()

    @property
    def embedded(self) -> bool:
        """Whether the PostgreSQL server is the one that Granary starts itself."""
        return self.gateway == "postgres" and self.pghost is None
