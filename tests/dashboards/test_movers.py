"""Charts of what moved cost count each member's months once."""

from dashboards.asking import charts_of
from granary.dashboards import build_bundle

# Of the others, every part carries the months of all members: nobody has months of one service.
EACH_MONTH_IN_ONE_PART = {"metal level", "state", "age group"}


def test_movers_that_are_not_split_by_part_add_up_a_dimension_of_members() -> None:
    movers = [chart for chart in charts_of(build_bundle("prod")) if chart.table == "cost_movers"]
    assert movers
    for chart in movers:
        if "part" not in chart.columns:
            [chosen] = [one["val"] for one in chart.query["filters"] if one["col"] == "dimension"]
            assert chosen in EACH_MONTH_IN_ONE_PART, chart.name
