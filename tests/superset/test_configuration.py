"""What superset_config.py tells Superset, worked out by Superset's own interpreter."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from granary.postgres.endpoint import Endpoint
from granary.settings import Settings
from granary.superset.installation import install, interpreter
from granary.superset.places import CONFIGURATION, Places
from granary.superset.runtime import process_environment, write_runtime

pytestmark = pytest.mark.slow

METADATA = Endpoint("127.0.0.1", 5432, "granary_superset", "password", "granary_superset")
TELL = """
import json, runpy, sys
told = runpy.run_path(sys.argv[1])
print(json.dumps({name: value for name, value in told.items() if name.isupper()}, default=str))
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("configuration"))


@pytest.fixture(scope="module")
def configuration(places: Places) -> dict[str, Any]:
    install()
    write_runtime(places, Settings(_env_file=None, home=places.home, superset_port=18119), METADATA)
    outcome = subprocess.run(
        [interpreter(), "-c", TELL, CONFIGURATION],
        env=process_environment(places),
        cwd=places.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(outcome.stdout.splitlines()[-1])
    return told


def test_the_browser_is_let_nowhere_but_here(configuration: dict[str, Any]) -> None:
    policy = configuration["TALISMAN_CONFIG"]["content_security_policy"]
    sources = [source for value in policy.values() for source in value if len(source) > 1]
    allowed = re.compile(r"'(self|none|unsafe-inline|strict-dynamic)'|blob:|data:")
    assert [source for source in sources if not allowed.fullmatch(source)] == []
    assert "unsafe-inline" not in str(policy["script-src"])
    assert configuration["TALISMAN_ENABLED"] is True


def test_sessions_are_strict_and_logins_limited(configuration: dict[str, Any]) -> None:
    assert configuration["SESSION_COOKIE_SAMESITE"] == "Strict"
    assert configuration["SESSION_COOKIE_HTTPONLY"] is True
    assert configuration["SESSION_COOKIE_NAME"] == "granary_18119"
    assert configuration["AUTH_RATE_LIMITED"] is True
    assert configuration["RATELIMIT_ENABLED"] is True
    assert configuration["WTF_CSRF_ENABLED"] is True
    assert configuration["PUBLIC_ROLE_LIKE"] is None


def test_figures_are_kept_for_an_hour_in_the_private_folder(
    places: Places, configuration: dict[str, Any]
) -> None:
    cache = configuration["DATA_CACHE_CONFIG"]
    assert cache["CACHE_DEFAULT_TIMEOUT"] == 3600
    assert Path(cache["CACHE_DIR"]).is_relative_to(places.folder)
    flags = configuration["FEATURE_FLAGS"]
    assert flags["RLS_IN_SQLLAB"] is True
    assert flags["DASHBOARD_RBAC"] is False
    assert flags["ENABLE_TEMPLATE_PROCESSING"] is False


def test_charts_are_guarded_against_sql_of_those_who_may_write_none(
    configuration: dict[str, Any],
) -> None:
    assert "own_sql.GranarySecurityManager" in configuration["CUSTOM_SECURITY_MANAGER"]
