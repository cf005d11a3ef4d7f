"""Where everything of Superset lies."""

from dataclasses import dataclass
from pathlib import Path

from granary.settings import PROJECT

SUPERSET = PROJECT / "superset"
LOCK_FILE = SUPERSET / "uv.lock"
CONFIGURATION = SUPERSET / "superset_config.py"
OWN_SQL = SUPERSET / "own_sql.py"
PROVISIONING = SUPERSET / "provisioning"
SECURITY = SUPERSET / "security.yaml"
ENVIRONMENT = SUPERSET / ".venv"


@dataclass(frozen=True)
class Places:
    """The files of one home's Superset."""

    home: Path

    @property
    def folder(self) -> Path:
        """Everything that only its owner may read."""
        return self.home / "superset"

    @property
    def secrets(self) -> Path:
        """Keys that were made once."""
        return self.folder / "secrets.json"

    @property
    def passwords(self) -> Path:
        """First passwords of the users that Granary makes, by user."""
        return self.folder / "passwords.json"

    @property
    def runtime(self) -> Path:
        """What superset_config.py reads."""
        return self.folder / "runtime.json"

    @property
    def server(self) -> Path:
        """Which process serves."""
        return self.folder / "server.json"

    @property
    def cache(self) -> Path:
        """Figures and filter states."""
        return self.folder / "cache"

    @property
    def lock(self) -> Path:
        """Held by the process that starts, stops or changes Superset."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        """What Superset says."""
        return self.home / "logs" / "superset.log"
