"""Files of corrections: JSON for another library, or as a part of a backup."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from castline.errors import RequestError
from castline.tables import plain
from db.records import CorrectionRecord
from exact.verdicts import Verdict
from model.labels import is_label
from timeline.errors import TimelineError
from timeline.files import read_text
from worker.steps.correcting import correction_of

FORMAT = 1
"""Increases whenever older versions cannot read the files of newer ones."""

_SHA256, _KEY = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")

_LARGEST_PTS = 2**62
"""Columns hold twice as much, so that sums of two times fit, too."""


def write_corrections(
    path: Path, records: Sequence[CorrectionRecord], names: Mapping[str, str | None]
) -> None:
    """Write corrections, with the names of their episodes for people to read."""
    rows = [{"episode": names.get(one.sha256), **plain(vars(one))} for one in records]
    text = json.dumps({"format": FORMAT, "corrections": rows}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_corrections(path: Path) -> list[CorrectionRecord]:
    """Parse the output of `write_corrections`, in its order.

    Raises:
        TimelineError: The file cannot be read.
        RequestError: It is not a file of corrections, or one of them is invalid.
    """
    try:
        values = json.loads(read_text(path))
        version, rows = values["format"], list(values["corrections"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise RequestError(
            f"{path}: is no file of corrections; write one with castline corrections export"
        ) from error
    if version != FORMAT:
        raise RequestError(
            f"{path}: is of format {version}, this Castline reads {FORMAT}; update it"
        )
    return [_record(row, f"{path}: correction {number}") for number, row in enumerate(rows, 1)]


def _record(row: Any, where: str) -> CorrectionRecord:
    try:
        record = _read(row)
        correction_of(record)  # checks the constraints of a correction
    except (ValueError, LookupError, TypeError, TimelineError) as error:
        raise RequestError(f"{where}: cannot be used ({error}); export it again") from error
    return record


def _read(row: Any) -> CorrectionRecord:
    part = row["part"]
    return CorrectionRecord(
        key=_matching(row["key"], _KEY),
        sha256=_matching(row["sha256"], _SHA256),
        verdict=Verdict(row["verdict"]),
        label=_label(row["label"]),
        start_pts=_pts(row["start_pts"]),
        end_pts=_pts(row["end_pts"]),
        other=None if row["other"] is None else _label(row["other"]),
        part=None if part is None else (_pts(part[0]), _pts(part[1])),
        supersedes=None if row["supersedes"] is None else _matching(row["supersedes"], _KEY),
        author=_text(row["author"]),
        reason=_text(row["reason"]),
        model=None if row["model"] is None else _text(row["model"]),
        confidence=_confidence(row["confidence"]),
        made_at=_moment(row["made_at"]),
    )


def _matching(value: Any, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"{value!r} is not {form.pattern}")
    return value


def _label(value: Any) -> str:
    if not is_label(value):
        raise ValueError(f"{value!r} is no label")
    return str(value)


def _pts(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST_PTS:
        raise ValueError(f"{value!r} is no pts")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is no text")
    return value


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} is no confidence")
    return float(value)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment
