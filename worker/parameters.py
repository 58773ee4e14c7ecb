"""The parameters of a run: equal parameters mean equal rows."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from db.failures import RESTORE
from exact.ranges import PtsRange
from ingest.storage.frame_store import FORMAT_VERSION
from model.version.manifest import Manifest
from timeline.appearances.rules import Rules, ShotRules
from worker.errors import WorkerError

DEFAULT_EVERY_SECONDS = Fraction(1, 2)
"""Two samples per second: a shot of 1.5 s, about the shortest in animation, is sampled three
times."""

_SHORTEST_SECONDS = Fraction(3, 4)
"""Between one and two default samples: a single sample makes no appearance, a single miss no
gap."""

_SHOTS = ShotRules(
    # Odds of 19 to 1 for the single look. The adjacent looks do not see the label, which happens to
    # two of three characters who are present: the remaining odds are still about 2 to 1 in favour.
    sure=0.95,
    # A turned head and a hand before a face last a second or two. In more than three seconds a
    # character may have left and returned; shots hardly last longer.
    link_seconds=Fraction(3),
)

_EVERY = re.compile(r"[+-]?([0-9]{0,9}\.?[0-9]{1,9}|[0-9]{1,9}/[0-9]{1,9})")
"""Without exponents: the exact value of 1e999999999 would exhaust all memory."""


@dataclass(frozen=True)
class RunParameters:
    """The parameters of a run, besides its episode and its model version."""

    every_seconds: Fraction
    rules: Rules

    def __post_init__(self) -> None:
        # Below a millisecond every frame of any video is sampled already; above an hour, none.
        if not Fraction(1, 1000) <= self.every_seconds <= 3600:
            raise WorkerError(f"--every: from 0.001 to 3600 seconds, received {self.every_seconds}")

    @classmethod
    def for_model(
        cls, manifest: Manifest, every_seconds: Fraction = DEFAULT_EVERY_SECONDS
    ) -> "RunParameters":
        """Return the parameters of a run with this model version's own thresholds."""
        rules = Rules(
            onset=manifest.onset,
            offset=manifest.offset,
            min_duration_on_seconds=_SHORTEST_SECONDS,
            min_duration_off_seconds=_SHORTEST_SECONDS,
            label_thresholds=manifest.label_thresholds,
            shots=_SHOTS,
        )
        return cls(every_seconds, rules)

    def to_json(self) -> str:
        """Serialise to canonical JSON: equal parameters give equal text."""
        values: dict[str, Any] = {
            "every_seconds": str(self.every_seconds),
            "frame_store": FORMAT_VERSION,
            **_threshold_values(self.rules),
        }
        if (shots := self.rules.shots) is not None:
            values["shots"] = {"link_seconds": str(shots.link_seconds), "sure": shots.sure}
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "RunParameters":
        """Parse the output of `to_json`.

        Raises:
            WorkerError: The database was damaged.
        """
        with _reading("a run's parameters"):
            return cls._of_values(json.loads(text))

    @classmethod
    def _of_values(cls, values: dict[str, Any]) -> "RunParameters":
        rules = replace(_thresholds(values), shots=_shot_rules(values.get("shots")))
        return cls(Fraction(values["every_seconds"]), rules)

    def with_thresholds(self, thresholds: Rules) -> "RunParameters":
        """Return the same with these thresholds and least durations; rules in shots are kept."""
        return replace(self, rules=replace(thresholds, shots=self.rules.shots))

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON."""
        return self.hash_over(None)

    def hash_over(self, part: PtsRange | None) -> str:
        """Return the hash of a run over a part of an episode; None is the whole."""
        return hash_of(self.to_json(), part)


def hash_of(params: str, part: PtsRange | None = None) -> str:
    """SHA-256 of parameters in JSON; another for each part of an episode."""
    of_part = "" if part is None else f" from {part[0]} to {part[1]}"
    return hashlib.sha256(f"{params}{of_part}".encode()).hexdigest()


def thresholds_json(rules: Rules) -> str:
    """Serialise thresholds and least durations to canonical JSON."""
    return json.dumps(_threshold_values(rules), sort_keys=True)


def thresholds_from_json(text: str) -> Rules:
    """Parse the output of `thresholds_json`, without rules for shots.

    Raises:
        WorkerError: The database was damaged.
    """
    with _reading("a model's thresholds"):
        return _thresholds(json.loads(text))


def params_with_thresholds(params: str, thresholds: Rules) -> str:
    """Return a run's stored parameters with these thresholds; the rest is unchanged.

    Raises:
        WorkerError: The database was damaged.
    """
    with _reading("a run's parameters"):
        values = dict(json.loads(params))
        values.pop("label_thresholds", None)
        return json.dumps(values | _threshold_values(thresholds), sort_keys=True)


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise WorkerError(f"the database: {what} cannot be read ({error}); {RESTORE}") from error


def _threshold_values(rules: Rules) -> dict[str, Any]:
    values: dict[str, Any] = {
        "min_duration_off_seconds": str(rules.min_duration_off_seconds),
        "min_duration_on_seconds": str(rules.min_duration_on_seconds),
        "offset": rules.offset,
        "onset": rules.onset,
    }
    # Only where there are some: the runs from before there were any keep their hashes, so that an
    # episode that was tagged so is not tagged again.
    if rules.label_thresholds:
        values["label_thresholds"] = dict(rules.label_thresholds)
    return values


def _thresholds(values: dict[str, Any]) -> Rules:
    return Rules(
        onset=values["onset"],
        offset=values["offset"],
        min_duration_on_seconds=Fraction(values["min_duration_on_seconds"]),
        min_duration_off_seconds=Fraction(values["min_duration_off_seconds"]),
        label_thresholds={
            label: (onset, offset)
            for label, (onset, offset) in values.get("label_thresholds", {}).items()
        },
    )


def _shot_rules(values: dict[str, Any] | None) -> ShotRules | None:
    if values is None:  # from a run made before cuts were detected
        return None
    return ShotRules(values["sure"], Fraction(values["link_seconds"]))


def parse_every_seconds(text: str) -> Fraction:
    """Parse a sampling interval: `0.5` or `1/3`.

    Raises:
        WorkerError: It is not a number of seconds.
    """
    advice = f"--every: {text!r} is not a number of seconds; write 0.5 or 1/3"
    if not _EVERY.fullmatch(text):
        raise WorkerError(advice)
    try:
        return Fraction(text)
    except ZeroDivisionError as error:
        raise WorkerError(advice) from error
