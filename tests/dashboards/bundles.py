"""Bundles as their reader sees them."""

from typing import Any

import yaml

from granary.dashboards.bundle import Bundle


def documents(bundle: Bundle, folder: str) -> dict[str, dict[str, Any]]:
    """What a folder of a bundle says, by file."""
    return {
        path: yaml.safe_load(text)
        for path, text in bundle.files.items()
        if path.startswith(f"{folder}/")
    }


def placed(dashboard: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The components of a kind on a dashboard."""
    components = [part for part in dashboard["position"].values() if isinstance(part, dict)]
    return [component for component in components if component["type"] == kind]
