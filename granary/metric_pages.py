"""The registry as pages to read: one per domain, made by `granary docs`."""

from granary.metric_definitions import formula
from semantic.registry import Domain, Registry


def metric_page(registry: Registry, domain: Domain) -> str:
    """Describe every metric and dimension of a domain in Markdown."""
    groups = dict.fromkeys(metric.group for metric in domain.metrics.values())
    parts = [
        f"# Metrics: {domain.name}",
        domain.description,
        f"Made from `semantic/{domain.name}.yaml` by `make docs`. On the command line: "
        "`granary metrics describe NAME`.",
        *(_group(registry, domain, group) for group in groups),
        _dimensions(domain),
    ]
    return "\n\n".join(parts) + "\n"


def _group(registry: Registry, domain: Domain, group: str) -> str:
    sections = [
        _metric(registry, name) for name, metric in domain.metrics.items() if metric.group == group
    ]
    return f"## {group.replace('_', ' ').capitalize()}\n\n" + "\n\n".join(sections)


def _metric(registry: Registry, name: str) -> str:
    metric = registry.metrics[name]
    facts = [
        f"unit: {metric.unit}",
        f"combines by: {registry.additivity(name)}",
        f"finest grain: {registry.grain(name)}",
        *([f"better when {metric.direction}"] if metric.direction != "neutral" else []),
        *([f"also called: {', '.join(metric.synonyms)}"] if metric.synonyms else []),
    ]
    return (
        f"### {metric.label} (`{name}`)\n{metric.question} {metric.description}\n\n"
        f"    {formula(registry, name)}\n\n{'; '.join(facts)}."
    )


def _dimensions(domain: Domain) -> str:
    reached = {
        name: found.dimension
        for by_name in domain.dimensions.values()
        for name, found in by_name.items()
    }
    rows = [
        f"| `{name}` | {dimension.label} | {dimension.type} | {dimension.description} |"
        for name, dimension in sorted(reached.items())
    ]
    return "\n".join(
        ["## Dimensions", "", "| Name | Label | Type | Meaning |", "|---|---|---|---|", *rows]
    )
