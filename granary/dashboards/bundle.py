"""What is handed from the builder of dashboards to Superset."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Bundle:
    """The assets of one environment.

    Attributes:
        environment: "prod" or a SQLMesh environment.
        files: path inside an assets bundle -> YAML text, sorted by path.
        fingerprint: sha256 over paths and texts.
    """

    environment: str
    files: Mapping[str, str]
    fingerprint: str
