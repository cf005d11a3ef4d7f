"""What superset_config.py is told, in one private file."""

import hashlib
import json
import os

from granary.postgres.endpoint import Endpoint
from granary.postgres.record import write_private
from granary.settings import Settings
from granary.superset.connection import uri
from granary.superset.credentials import make_private_folder, secrets_of
from granary.superset.installation import lock_hash
from granary.superset.places import CONFIGURATION, OWN_SQL, SUPERSET, Places

# Superset calls nobody, so it needs neither proxies nor anything else of the shell.
INHERITED = ("PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR")


def write_runtime(places: Places, settings: Settings, metadata: Endpoint) -> None:
    """Write the file; nothing is written when nothing changed."""
    content = {
        **secrets_of(places),
        "metadata_uri": uri(metadata, metadata.password),
        "folder": str(places.folder),
        "cache": str(places.cache),
        "port": settings.superset_port,
    }
    text = json.dumps(content, indent=2) + "\n"
    make_private_folder(places.cache)
    if not places.runtime.exists() or places.runtime.read_text() != text:
        write_private(places.runtime, text)


def process_environment(places: Places) -> dict[str, str]:
    """The variables of Superset's processes; they name the file, never a secret."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "GRANARY_SUPERSET_RUNTIME": str(places.runtime),
        "SUPERSET_CONFIG_PATH": str(CONFIGURATION),
        "PYTHONPATH": str(SUPERSET),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def configuration_hash(places: Places) -> str:
    """Changes when a server has to be started anew."""
    digest = hashlib.sha256(lock_hash().encode())
    for path in (CONFIGURATION, OWN_SQL, places.runtime):
        digest.update(path.read_bytes())
    return digest.hexdigest()
