"""The files that are made from contracts and registry."""

from granary.landing.contract import load_contracts
from granary.landing.dictionary import data_dictionary, external_models
from granary.metric_pages import metric_page
from granary.settings import CONTRACTS, PROJECT
from semantic.registry import load_registry


def write_pages() -> list[str]:
    """Write data dictionary, metric pages and external_models/raw.yaml; gives their names."""
    contracts, registry = load_contracts(CONTRACTS), load_registry()
    pages = {
        "docs/data_dictionary.md": data_dictionary(contracts),
        "external_models/raw.yaml": external_models(contracts),
        **{
            f"docs/metrics_{name}.md": metric_page(registry, domain)
            for name, domain in registry.domains.items()
        },
    }
    for name, text in pages.items():
        (PROJECT / name).write_text(text)
    return list(pages)
