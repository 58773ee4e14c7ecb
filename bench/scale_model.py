"""Estimate the throughput of many machines with a simple model of measured costs per chunk.

    python -m bench.scale_model --extract-seconds S --classify-seconds S --claim-ms MS
        --database-ms MS --broker-ms MS --rows N [--sites 1x1 16x2 ...]

In a steady state every chunk passes through every resource once, so each resource limits the chunks
per second by its capacity, and the scarcest one is the bottleneck:

    decode      machines x cores / core-seconds to extract a chunk
    device      devices / seconds of a device to classify a chunk
    claims      1 / seconds of a claim to extract, since these take turns
    database    1 / (core-seconds of PostgreSQL per chunk / its cores
                     + rows per chunk / rows it writes a second)
    broker      1 / seconds of Redis per chunk, which has one thread

The model ignores the network, shared storage, episodes of other lengths, and that two cores of one
chip slow each other down. The figures are therefore upper bounds.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

CHUNKS_PER_EPISODE = 22
"""Minutes of an episode, at the default of a minute per chunk."""

EPISODES = 10_000

SITES = ((1, 1), (2, 1), (2, 2), (4, 4), (8, 8), (16, 16), (32, 32), (64, 64), (128, 128))
"""(Machines that extract, devices) of the printed table."""


@dataclass(frozen=True)
class Costs:
    """The costs of one chunk for each resource."""

    extract_seconds: float
    """Core-seconds of extraction."""
    classify_seconds: float
    """Device-seconds of classification."""
    claim_seconds: float
    """Seconds in which no other chunk can be claimed for extraction."""
    database_seconds: float
    """Core-seconds of the database server, without the rows of tags."""
    broker_seconds: float
    """Seconds of the broker's one thread."""
    rows: float
    """Rows of tags."""

    def __post_init__(self) -> None:
        if min(vars(self).values()) <= 0:
            raise ValueError(f"every cost must be above zero: {self}")


@dataclass(frozen=True)
class Site:
    """The capacity of each resource."""

    machines: int
    """Machines that extract."""
    devices: int
    """Devices that classify: GPUs, or CPU machines."""
    cores: int = 2
    """Cores of each machine that extracts."""
    database_cores: int = 2
    database_rows_per_second: float = 20_000


@dataclass(frozen=True)
class Throughput:
    """The throughput of a site."""

    chunks_per_second: float
    bottleneck: str
    shares: dict[str, float]
    """The utilisation of each resource; the bottleneck's is 1."""

    def hours_for(self, episodes: int) -> float:
        """Return the hours for a number of episodes."""
        return episodes * CHUNKS_PER_EPISODE / self.chunks_per_second / 3600


def capacities(site: Site, costs: Costs) -> dict[str, float]:
    """Return the chunks per second that each resource allows if the others are unlimited."""
    database_seconds = (
        costs.database_seconds / site.database_cores + costs.rows / site.database_rows_per_second
    )
    return {
        "decode": site.machines * site.cores / costs.extract_seconds,
        "device": site.devices / costs.classify_seconds,
        "claims": 1 / costs.claim_seconds,
        "database": 1 / database_seconds,
        "broker": 1 / costs.broker_seconds,
    }


def throughput(site: Site, costs: Costs) -> Throughput:
    """Return the throughput at a site's bottleneck, and the utilisation of the others."""
    allowed = capacities(site, costs)
    bottleneck = min(allowed, key=lambda name: allowed[name])
    rate = allowed[bottleneck]
    return Throughput(rate, bottleneck, {name: rate / most for name, most in allowed.items()})


def table(costs: Costs, sites: Iterable[Site]) -> Iterator[str]:
    """Yield a line of Markdown for each site."""
    yield f"| machines | devices | episodes/h | saturated | {EPISODES:,} episodes take |"
    yield "|---:|---:|---:|---|---:|"
    for site in sites:
        found = throughput(site, costs)
        hours = found.hours_for(EPISODES)
        yield (
            f"| {site.machines} | {site.devices} | {EPISODES / hours:,.0f} | {found.bottleneck}"
            f" | {hours:.1f} h |"
        )


def main() -> None:
    arguments = _arguments()
    costs = Costs(
        extract_seconds=arguments.extract_seconds,
        classify_seconds=arguments.classify_seconds,
        claim_seconds=arguments.claim_ms / 1000,
        database_seconds=arguments.database_ms / 1000,
        broker_seconds=arguments.broker_ms / 1000,
        rows=arguments.rows,
    )
    sites = [
        Site(
            machines, devices, arguments.cores, arguments.database_cores, arguments.rows_per_second
        )
        for machines, devices in arguments.sites
    ]
    for line in table(costs, sites):
        print(line)
    one = replace(sites[0], machines=1, devices=1)
    for name, most in sorted(capacities(one, costs).items(), key=lambda item: item[1]):
        print(f"one {name}: {most:,.1f} chunks/s at most")


def _site(text: str) -> tuple[int, int]:
    machines, devices = text.split("x")
    return int(machines), int(devices)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--extract-seconds", type=float, required=True, help="core-seconds to extract a chunk")
    add("--classify-seconds", type=float, required=True, help="device-seconds to classify a chunk")
    add("--claim-ms", type=float, required=True, help="a claim to extract, from begin to commit")
    add("--database-ms", type=float, required=True, help="core-milliseconds of PostgreSQL a chunk")
    add("--broker-ms", type=float, required=True, help="milliseconds of Redis a chunk")
    add("--rows", type=float, default=240, help="rows of tags a chunk")
    add(
        "--rows-per-second", type=float, default=20_000, help="rows that PostgreSQL writes a second"
    )
    add("--cores", type=int, default=2, help="cores of each machine that extracts")
    add("--database-cores", type=int, default=2)
    add("--sites", type=_site, nargs="+", default=SITES, help="MACHINESxDEVICES")
    return parser.parse_args()


if __name__ == "__main__":
    main()
