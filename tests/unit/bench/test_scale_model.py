"""The model of many machines against what can be worked out by hand, and rules that always hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scale_model import EPISODES, Costs, Site, capacities, table, throughput

COSTS = Costs(
    extract_seconds=2.0,
    classify_seconds=0.5,
    claim_seconds=0.01,
    database_seconds=0.02,
    broker_seconds=0.002,
    rows=100,
)

positive = st.floats(0.001, 100)
counts = st.integers(1, 1000)
costs_of_any_kind = st.builds(Costs, *[positive] * 6)
sites = st.builds(Site, counts, counts, counts, counts, st.floats(100, 1e6))


def test_each_resource_allows_what_the_hand_works_out() -> None:
    site = Site(machines=3, devices=2, cores=4, database_cores=2, database_rows_per_second=10_000)
    # 12 cores by 2 s; 2 devices by half a second; 1 by 10 ms; 10 ms and 100 rows in 10 ms; 2 ms
    assert capacities(site, COSTS) == pytest.approx(
        {"decode": 6, "device": 4, "claims": 100, "database": 50, "broker": 500}
    )
    found = throughput(site, COSTS)
    assert (found.chunks_per_second, found.bottleneck) == (4, "device")
    assert found.shares["decode"] == pytest.approx(4 / 6)
    # 10,000 episodes of 22 chunks at 4 a second: 55,000 s
    assert found.hours_for(EPISODES) == pytest.approx(55_000 / 3600)


def test_twice_the_machines_take_half_the_time_until_another_resource_saturates() -> None:
    hours = [throughput(Site(machines, 1), COSTS).hours_for(100) for machines in (1, 2, 4, 8)]
    assert hours[0] == pytest.approx(2 * hours[1])
    assert hours[2] == pytest.approx(hours[3])  # one device takes 2 chunks a second, as 2 do
    assert throughput(Site(8, 1), COSTS).bottleneck == "device"


def test_in_the_end_claims_that_take_turns_are_the_limit() -> None:
    costs = replace(COSTS, database_seconds=0.001, rows=1)
    found = throughput(Site(10_000, 10_000), costs)
    assert found.bottleneck == "claims"
    assert found.chunks_per_second == pytest.approx(100)


@given(sites, costs_of_any_kind)
def test_nothing_is_busier_than_always_and_something_is_always_busy(
    site: Site, costs: Costs
) -> None:
    found = throughput(site, costs)
    assert found.shares[found.bottleneck] == 1
    assert max(found.shares.values()) == 1
    for name, most in capacities(site, costs).items():
        assert found.shares[name] * most == pytest.approx(found.chunks_per_second)


@given(sites, costs_of_any_kind, st.integers(1, 5))
def test_more_of_everything_is_never_slower_and_never_more_than_as_much_faster(
    site: Site, costs: Costs, times: int
) -> None:
    more = replace(site, machines=site.machines * times, devices=site.devices * times)
    before = throughput(site, costs).chunks_per_second
    after = throughput(more, costs).chunks_per_second
    assert before <= after <= before * times * (1 + 1e-9)


def test_table_names_what_is_saturated() -> None:
    lines = list(table(COSTS, [Site(1, 1), Site(4, 1)]))
    # one machine: 1 chunk a second; 10,000 x 22 s
    assert lines[2] == "| 1 | 1 | 164 | decode | 61.1 h |"
    assert lines[3] == "| 4 | 1 | 327 | device | 30.6 h |"


def test_costs_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        replace(COSTS, broker_seconds=0)
