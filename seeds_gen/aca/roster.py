"""The members feed: what an extract says about each member."""

import numpy as np
import pyarrow as pa

from . import columns, reference
from .members import FPL_UNKNOWN, GENDERS, NO_BROKER, SEGMENTS, Members
from .plans import DESIGNS, METALS, TOBACCO_AGE, Catalogue
from .providers import as_of
from .world import Bools, Ints, age_on


def members_snapshot(
    members: Members,
    catalogue: Catalogue,
    batch: int,
    plan: Ints,
    condition: Ints,
    high_cost: Bools,
) -> pa.Table:
    """Every member of the extract.

    Args:
        members: the people and their histories.
        catalogue: the plans.
        batch: position of the extract.
        plan: current plan of each member, -1 for none.
        condition: rank of the condition group of each member.
        high_cost: flag of each member.
    """
    kept = np.flatnonzero(members.presence.present[batch])
    history = members.history
    states = history.county.shape[1]
    column = as_of(members.horizon, batch, members.day_of_change[kept], states)
    county = history.county[kept, column]
    fpl = history.fpl[kept, column]
    broker = history.broker[kept, column]
    agency = members.brokers.agency[broker]
    counties = reference.counties(members.state)
    uncovered = plan[kept] < 0
    design = catalogue.design[plan[kept]]
    networks = np.array([d.network for d in DESIGNS], dtype=object)
    day = np.full(len(kept), members.horizon.extract_days[batch])
    ages = age_on(members.birth[kept], day)
    first = columns.picked(members.first_names, members.first_name[kept])
    last = columns.picked(members.last_names, history.last_name[kept, column])
    prefix = columns.picked(counties.zip_prefix, county)
    tail = columns.identifiers("", members.zip_tail[kept], 2)
    return pa.table(
        {
            "member_id": columns.identifiers("M", members.numbers[kept], 8),
            "name": columns.joined([first, last], " "),
            "dob": columns.dates(members.birth[kept]),
            "gender": columns.picked(np.array(GENDERS, object), members.gender[kept]),
            "state": columns.picked(np.array([members.state], object), np.zeros_like(kept)),
            "county_fips": columns.picked(counties.fips, county),
            "zip": columns.joined([prefix, tail], ""),
            "region": columns.picked(counties.region, county),
            "geographic_reporting": columns.picked(counties.reporting, county),
            "fpl_ratio": columns.decimals(fpl, 7, 4, fpl == FPL_UNKNOWN),
            "clinical_segment": columns.picked(
                np.array(SEGMENTS, object), history.segment[kept, column]
            ),
            "broker_id": columns.identifiers("B", broker, 5, broker == NO_BROKER),
            "broker_name": columns.picked(members.brokers.name, broker, broker == NO_BROKER),
            "general_agency_id": columns.identifiers("G", agency, 4, agency == 0),
            "general_agency_name": columns.picked(members.brokers.agency_name, agency, agency == 0),
            "portal_registered": columns.flags(history.portal[kept, column]),
            "wellness_enrolled": columns.flags(history.wellness[kept, column]),
            "care_management_enrolled": columns.flags(history.care[kept, column]),
            "high_cost_member": columns.flags(high_cost[kept]),
            "mutually_exclusive_hcc_condition": columns.picked(
                reference.condition_groups(), condition[kept]
            ),
            "plan_metal": columns.picked(
                np.array(METALS, object), catalogue.metal[design], uncovered
            ),
            "plan_network_access_type": columns.picked(networks, design, uncovered),
            "year": columns.ints(np.full(len(kept), members.horizon.extracts[batch].year)),
            "household_id": columns.identifiers("H", members.numbers[members.house[kept]], 8),
            "tobacco_use": columns.flags(members.tobacco[kept] & (ages >= TOBACCO_AGE)),
        }
    )
