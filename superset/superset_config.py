"""Superset on one machine: no broker, no cache server, no call to the outside.

What differs between homes comes from the file that GRANARY_SUPERSET_RUNTIME names, with secrets.
"""

import json
import logging
import os
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

from own_sql import GranarySecurityManager

_RUNTIME: dict[str, Any] = json.loads(Path(os.environ["GRANARY_SUPERSET_RUNTIME"]).read_text())
_CACHE = Path(_RUNTIME["cache"])


def _files(name: str, keep: timedelta) -> dict[str, Any]:
    return {
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": str(_CACHE / name),
        "CACHE_DEFAULT_TIMEOUT": int(keep.total_seconds()),
        "CACHE_THRESHOLD": 5000,
        "CACHE_KEY_PREFIX": f"{name}_",
    }


# --- secrets and metadata -----------------------------------------------------------------------
SECRET_KEY = _RUNTIME["secret_key"]
GUEST_TOKEN_JWT_SECRET = _RUNTIME["guest_token_secret"]
GLOBAL_ASYNC_QUERIES_JWT_SECRET = _RUNTIME["async_queries_secret"]
SQLALCHEMY_DATABASE_URI = _RUNTIME["metadata_uri"]
DATA_DIR = _RUNTIME["folder"]

# --- caches -------------------------------------------------------------------------------------
# A run bumps `changed_on` of the datasets that it changed, which is part of the key of a chart's
# figures; the hour only bounds what is kept of figures that nobody asks for again.
CACHE_CONFIG = _files("metadata", timedelta(days=1))
DATA_CACHE_CONFIG = _files("data", timedelta(hours=1))
FILTER_STATE_CACHE_CONFIG = {
    **_files("filters", timedelta(days=90)),
    "REFRESH_TIMEOUT_ON_RETRIEVAL": True,
}
EXPLORE_FORM_DATA_CACHE_CONFIG = {
    **_files("explore", timedelta(days=7)),
    "REFRESH_TIMEOUT_ON_RETRIEVAL": True,
}
RESULTS_BACKEND = None
CELERY_CONFIG = None

# --- who may come in ----------------------------------------------------------------------------
CUSTOM_SECURITY_MANAGER = GranarySecurityManager
AUTH_USER_REGISTRATION = False
AUTH_ROLE_PUBLIC = "Public"
PUBLIC_ROLE_LIKE = None
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "30 per minute"
RATELIMIT_ENABLED = True
# Every chart of a dashboard asks on its own.
RATELIMIT_APPLICATION = "200 per second"
RATELIMIT_STORAGE_URI = "memory://"
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_NAME = f"granary_{_RUNTIME['port']}"
PERMANENT_SESSION_LIFETIME = timedelta(days=1)

# --- what it may do -----------------------------------------------------------------------------
FEATURE_FLAGS = {
    "ALERT_REPORTS": False,
    "DASHBOARD_RBAC": False,
    "DRILL_BY": True,
    "EMBEDDED_SUPERSET": False,
    "ENABLE_TEMPLATE_PROCESSING": False,
    "ESCAPE_MARKDOWN_HTML": True,
    # Analysts are not bound by rules; whoever else may ever write SQL is.
    "RLS_IN_SQLLAB": True,
    "TAGGING_SYSTEM": False,
    "THUMBNAILS": False,
}
PREVENT_UNSAFE_DB_CONNECTIONS = True
DATASET_IMPORT_ALLOWED_DATA_URLS: list[str] = []
ALLOWED_EXTENSIONS: set[str] = set()
ENABLE_CORS = False
FAB_API_SWAGGER_UI = False
SQLLAB_TIMEOUT = 30
ROW_LIMIT = 10_000
SQL_MAX_ROW = 50_000
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'self'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    # Plain http on the machine itself; a proxy in front of it speaks https.
    "force_https": False,
    "session_cookie_secure": False,
    "session_cookie_samesite": "Strict",
}
TALISMAN_DEV_CONFIG = TALISMAN_CONFIG

# --- quiet --------------------------------------------------------------------------------------
APP_NAME = "Granary"
LOG_LEVEL = logging.WARNING
SILENCE_FAB = True
ALEMBIC_SKIP_LOG_CONFIG = True
logging.getLogger("alembic").setLevel(logging.ERROR)
logging.getLogger("py.warnings").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", category=DeprecationWarning)
warnings.filterwarnings("ignore", message="Using the in-memory storage")
