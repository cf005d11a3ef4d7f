"""All of Superset's assets for one environment, from the specs, the models and the registry."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from granary.dashboards.charts import COLOURS, Source, form, title
from granary.dashboards.checks import check_specs
from granary.dashboards.datasets import VERSION, dataset
from granary.dashboards.filters import native_filter
from granary.dashboards.identity import PROD, asset_uuid, slug_in, title_in
from granary.dashboards.layout import position
from granary.dashboards.measures import Measures, read_measures
from granary.dashboards.queries import query_context
from granary.dashboards.shapes import Shape, read_shapes
from granary.dashboards.specs import Chart, Spec, read_specs
from granary.dashboards.wording import Wording, read_wording
from granary.settings import PROJECT
from semantic.registry import Registry, load_registry

# Not when it was built, or no two builds would be the same.
TIMESTAMP = "2026-01-01T00:00:00+00:00"
ELSEWHERE = "#f2b84b"
# Lines of text are as high as their words, on wide windows and on narrow ones.
TEXT_HEIGHT = (
    ".dashboard-markdown .resizable-container,"
    " .dashboard-markdown .dashboard-component-chart-holder { height: auto !important; }\n"
)


@dataclass(frozen=True)
class Bundle:
    """Assets to import.

    Attributes:
        environment: `prod` or an environment of SQLMesh.
        files: YAML by path inside the bundle, sorted by path; the database is not among them,
            because the connection is the machine's.
        fingerprint: sha256 over paths and texts.
    """

    environment: str
    files: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True)
class Sources:
    """What a bundle is built from."""

    specs: Sequence[Spec]
    shapes: Mapping[str, Shape]
    measures: Measures
    wording: Wording


def build_bundle(environment: str) -> Bundle:
    """Build the assets of an environment; the same text at every build.

    Raises:
        GranaryError: a spec names what is not there, or would show a wrong number; names file,
            line, reason and the nearest name.
    """
    registry = load_registry()
    sources = read_sources(PROJECT / "superset", PROJECT / "models" / "semantic", registry)
    return assemble(environment, sources)


def read_sources(folder: Path, models: Path, registry: Registry) -> Sources:
    """Read and check what people write.

    Args:
        folder: holds specs/, measures.yaml, labels.yaml and colours.yaml.
        models: the models of the semantic schema.
        registry: the metrics.

    Raises:
        GranaryError: a file is not in form, or does not fit the others.
    """
    shapes = read_shapes(models)
    measures = read_measures(folder / "measures.yaml", registry, shapes)
    wording = read_wording(folder / "labels.yaml", folder / "colours.yaml", registry)
    specs = read_specs(folder / "specs")
    check_specs(specs, shapes, measures)
    return Sources(specs, shapes, measures, wording)


def assemble(environment: str, sources: Sources) -> Bundle:
    """The bundle of an environment."""
    documents = {
        "metadata.yaml": {"version": VERSION, "type": "assets", "timestamp": TIMESTAMP},
        **_datasets(environment, sources),
    }
    for spec in sources.specs:
        documents |= _charts(environment, spec, sources)
        documents[f"dashboards/{spec.slug}.yaml"] = _dashboard(environment, spec, sources)
    files = {path: _text(documents[path]) for path in sorted(documents)}
    return Bundle(environment, files, _fingerprint(files))


def _datasets(environment: str, sources: Sources) -> dict[str, Any]:
    return {
        f"datasets/Granary/{table}.yaml": dataset(
            environment, shape, sources.measures[table], sources.wording
        )
        for table, shape in sources.shapes.items()
    }


def _charts(environment: str, spec: Spec, sources: Sources) -> dict[str, Any]:
    documents = {}
    for _, chart in spec.charts():
        source = Source(sources.shapes[chart.table], sources.measures[chart.table])
        params = form(chart, source)
        documents[f"charts/{spec.slug}__{chart.name}.yaml"] = {
            "slice_name": title_in(environment, title(chart, source)),
            "description": chart.says,
            "certified_by": None,
            "certification_details": None,
            "viz_type": params["viz_type"],
            "params": params,
            "query_context": query_context(params),
            "cache_timeout": None,
            "is_managed_externally": True,
            "uuid": str(_chart_uuid(environment, spec, chart)),
            "version": VERSION,
            "dataset_uuid": str(asset_uuid(environment, "dataset", chart.table)),
        }
    return documents


def _chart_uuid(environment: str, spec: Spec, chart: Chart) -> Any:
    return asset_uuid(environment, "chart", f"{spec.slug}/{chart.name}")


def _dashboard(environment: str, spec: Spec, sources: Sources) -> dict[str, Any]:
    charts = [chart for _, chart in spec.charts()]
    placed = {}
    for number, chart in enumerate(charts, start=1):
        source = Source(sources.shapes[chart.table], sources.measures[chart.table])
        said = title_in(environment, title(chart, source))
        placed[chart.name] = (number, _chart_uuid(environment, spec, chart), said)
    named = title_in(environment, spec.dashboard.dashboard)
    filters = [
        native_filter(environment, name, charts, sources.shapes, sources.wording)
        for name in spec.dashboard.filters
    ]
    return {
        "dashboard_title": named,
        "description": spec.dashboard.says,
        "css": _css(environment),
        "slug": slug_in(environment, spec.slug),
        "certified_by": None,
        "certification_details": None,
        "published": True,
        "is_managed_externally": True,
        "uuid": str(asset_uuid(environment, "dashboard", spec.slug)),
        "position": position(environment, spec, named, placed),
        "metadata": {
            "native_filter_configuration": filters,
            "cross_filters_enabled": True,
            "chart_configuration": {},
            "global_chart_configuration": {"scope": {"rootPath": ["ROOT_ID"], "excluded": []}},
            "color_scheme": COLOURS,
            "label_colors": _label_colours(charts, sources.wording),
            "shared_label_colors": [],
            "color_scheme_domain": [],
            "refresh_frequency": 0,
            "expanded_slices": {},
            "timed_refresh_immune_slices": [],
            "filter_bar_orientation": "VERTICAL",
        },
        "version": VERSION,
    }


def _label_colours(charts: Iterable[Chart], wording: Wording) -> dict[str, str]:
    """The colours of the values that the charts split by."""
    split = dict.fromkeys(name for chart in charts for name in (*chart.split, chart.axis) if name)
    return {
        value: colour for name in split for value, colour in wording.colours.get(name, {}).items()
    }


def _css(environment: str) -> str:
    elsewhere = f".header-with-actions {{ background: {ELSEWHERE} !important; }}\n"
    return TEXT_HEIGHT if environment == PROD else TEXT_HEIGHT + elsewhere


def _text(document: Any) -> str:
    text: str = yaml.dump(
        document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100
    )
    return text


def _fingerprint(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path, text in files.items():
        digest.update(f"{len(path)} {path} {len(text)} {text}".encode())
    return digest.hexdigest()
