"""Names and addresses that members and providers are put together from."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from faker import Faker

from .world import Objects


@dataclass(frozen=True)
class Pools:
    """Distinct values, in the order in which they were made."""

    first_female: Objects
    first_male: Objects
    last: Objects
    streets: Objects
    cities: Objects
    companies: Objects


@cache
def make_pools(seed: int) -> Pools:
    """Make the pools of a seed; the same seed gives the same pools."""
    fake = Faker("en_US")
    fake.seed_instance(seed)

    def distinct(provider: str, draws: int) -> Objects:
        make = getattr(fake, provider)
        # Without commas no value needs quotes.
        values = (str(make()).replace(",", "") for _ in range(draws))
        return np.array(list(dict.fromkeys(values)), dtype=object)

    return Pools(
        first_female=distinct("first_name_female", 900),
        first_male=distinct("first_name_male", 900),
        last=distinct("last_name", 2000),
        streets=distinct("street_name", 800),
        cities=distinct("city", 300),
        companies=distinct("company", 300),
    )
