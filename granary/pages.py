"""The files that are made from contracts and registry."""

from pathlib import Path

from granary.landing.contract import load_contracts
from granary.landing.dictionary import data_dictionary, external_models
from granary.metric_pages import metric_page
from granary.settings import CONTRACTS, PROJECT
from semantic.registry import load_registry


def write_pages() -> list[str]:
    """Write data dictionary, metric pages and external_models/raw.yaml.

    Returns:
        The names of those that were not as they should be.
    """
    contracts, registry = load_contracts(CONTRACTS), load_registry()
    pages = {
        "docs/data_dictionary.md": data_dictionary(contracts),
        "external_models/raw.yaml": external_models(contracts),
        **{
            f"docs/metrics_{name}.md": metric_page(registry, domain)
            for name, domain in registry.domains.items()
        },
    }
    changed = [name for name, text in pages.items() if _text(PROJECT / name) != text]
    for name in changed:
        (PROJECT / name).write_text(pages[name])
    return changed


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
