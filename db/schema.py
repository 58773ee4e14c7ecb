"""The tables, with columns that mean the same on SQLite and on PostgreSQL.

Times are stored twice on purpose: `pts` (an integer in the episode's time base) is the exact key,
`seconds` is derived from it for people and for their SQL.
"""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect

from db.states import ChunkState, Lane, RunState, Statistic
from exact.verdicts import Verdict

# Only INTEGER PRIMARY KEY is autoincremented on SQLite; PostgreSQL should not overflow at 2**31.
RowId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: SQLite drops time zones, PostgreSQL returns the server's own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC before storing."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Named constraints, so that a later migration can address them on both databases.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _word(words: type[StrEnum]) -> Enum:
    """Return the type of a column that holds a member of an enumeration."""
    return Enum(
        words,
        values_callable=lambda kind: [word.value for word in kind],
        native_enum=False,
        create_constraint=False,  # the constraint has a name of its own
        validate_strings=True,
        length=16,
    )


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


episode = Table(
    "episode",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False, index=True),
    # From the path (A/S05E12) or set by a user; null where unknown.
    Column("series", Text),
    Column("season", Integer, index=True),
    Column("number", Integer),
    Column("title", Text),
    Column("uri", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # Stamp of the file by the file system, by which a replacement is noticed.
    Column("file_stamp", Text, nullable=False, server_default=""),
    # Used by older versions; with 0, one that is running during an upgrade checks the content.
    Column("modified_ns", BigInteger, nullable=False, default=0),
    Column("container", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("pixel_format", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    # Further properties for decoding: rotation, pixel aspect ratio, and the lag from decoding to
    # display where packets do not state it (AVI).
    Column("rotation", Integer, nullable=False),
    Column("sample_aspect_num", Integer, nullable=False),
    Column("sample_aspect_den", Integer, nullable=False),
    Column("lag_pts", BigInteger),
    Column("frame_rate_num", BigInteger, nullable=False),
    Column("frame_rate_den", BigInteger, nullable=False),
    Column("rate_varies", Boolean, nullable=False),
    Column("time_base_num", BigInteger, nullable=False),
    Column("time_base_den", BigInteger, nullable=False),
    Column("start_pts", BigInteger, nullable=False),
    Column("end_pts", BigInteger, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("area_x", Integer, nullable=False),
    Column("area_y", Integer, nullable=False),
    Column("area_width", Integer, nullable=False),
    Column("area_height", Integer, nullable=False),
    # JSON list of pts: where a chunk may be split without opening the file again.
    Column("key_pts", Text, nullable=False),
    # JSON list of [start_pts, end_pts): ranges missing from the file, found without decoding.
    Column("missing", Text, nullable=False),
    Column("added_at", UtcDateTime(), nullable=False),
)

# What an episode was called before its file was moved or renamed: people go on saying it.
former_name = Table(
    "former_name",
    metadata,
    Column("episode_id", RowId, ForeignKey("episode.id"), primary_key=True, autoincrement=False),
    Column("uri", Text, primary_key=True),
    Column("name", Text, nullable=False, index=True),
)

model_version = Table(
    "model_version",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("labels", Text, nullable=False),
    # JSON object: display names of labels that differ from the label.
    Column("names", Text, nullable=False, server_default="{}"),
    Column("preprocessing", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    # Used by older versions that are still running during an upgrade; `promotion` replaces it.
    Column("promoted_at", UtcDateTime()),
)

# Thresholds set by users in place of a model version's original ones, for all its runs.
model_thresholds = Table(
    "model_thresholds",
    metadata,
    Column(
        "model_version_id",
        RowId,
        ForeignKey("model_version.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # JSON: the parameters of runs that decide when appearances start and end.
    Column("rules", Text, nullable=False),
    Column("set_at", UtcDateTime(), nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("episode_id", RowId, ForeignKey("episode.id"), nullable=False),
    Column("model_version_id", RowId, ForeignKey("model_version.id"), nullable=False),
    Column("params", Text, nullable=False),
    Column("params_hash", String(64), nullable=False),
    # Increases with each request for one of the episode's runs: among a model's runs, the
    # parameters in use are those of the highest.
    Column("asked", BigInteger, nullable=False, server_default="0"),
    Column("state", _word(RunState), nullable=False),
    # It ended in part and was queued again: its results stay until it ends again.
    Column("keeps_partial", Boolean, nullable=False, server_default=false()),
    # Interactive runs go before bulk ones, at every step.
    Column("lane", _word(Lane), nullable=False, server_default=Lane.BULK),
    Column("chunks_total", Integer, nullable=False),
    Column("chunks_done", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("decode_errors", Integer, nullable=False),
    Column("missing", Text, nullable=False),
    # The part that it examines, half-open; null for the whole episode.
    Column("part_start_pts", BigInteger),
    Column("part_end_pts", BigInteger),
    Column("error", Text),
    Column("queued_at", UtcDateTime(), nullable=False),
    Column("started_at", UtcDateTime()),
    Column("ended_at", UtcDateTime()),
    UniqueConstraint("episode_id", "model_version_id", "params_hash"),
    _one_of("state", RunState),
    _one_of("lane", Lane),
)

chunk = Table(
    "chunk",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("run_id", RowId, ForeignKey("run.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("start_pts", BigInteger, nullable=False),
    Column("end_pts", BigInteger, nullable=False),
    Column("state", _word(ChunkState), nullable=False),
    Column("attempts", Integer, nullable=False),
    # Attempts that ended because a worker vanished, which proves nothing against the chunk.
    Column("losses", Integer, nullable=False),
    Column("token", Integer, nullable=False),
    Column("lease_until", UtcDateTime()),
    Column("worker", Text),
    Column("error", Text),
    # JSON list of every examined frame, so that absence and "not sampled" differ.
    Column("sampled_pts", Text),
    Column("frames_decoded", Integer, nullable=False),
    Column("decode_errors", Integer, nullable=False),
    Column("missing", Text, nullable=False),
    # JSON: pts of the first frames of shots, and signatures of the frames at both ends, which
    # decide whether there is a cut between two chunks. Null where cuts were not sought.
    Column("cuts", Text),
    # Its frames were already in the frame store: nothing was decoded for this run.
    Column("is_reused", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("run_id", "number"),
    CheckConstraint("start_pts < end_pts", name="range"),
    _one_of("state", ChunkState),
    Index(None, "state", "run_id"),
)

# Statistics of work on a run, added by each process every few seconds.
run_effort = Table(
    "run_effort",
    metadata,
    Column("run_id", RowId, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("name", _word(Statistic), primary_key=True),
    Column("amount", Float, nullable=False),
    _one_of("name", Statistic),
)

# Ends of runs that somebody is still to be told of.
notice = Table(
    "notice",
    metadata,
    Column(
        "run_id",
        RowId,
        ForeignKey("run.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime(), nullable=False),
)

tag = Table(
    "tag",
    metadata,
    Column("run_id", RowId, ForeignKey("run.id"), primary_key=True),
    Column("pts", BigInteger, primary_key=True, autoincrement=False),
    Column("label", String(64), primary_key=True),
    Column("region", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    # Centre and extent as shares of the active picture; all null where the network gives no place.
    Column("place_x", Float),
    Column("place_y", Float),
    Column("place_width", Float),
    Column("place_height", Float),
)


def _appearances(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("run_id", RowId, ForeignKey("run.id"), primary_key=True),
        Column("label", String(64), primary_key=True),
        Column("start_pts", BigInteger, primary_key=True, autoincrement=False),
        Column("end_pts", BigInteger, nullable=False),
        Column("episode_id", RowId, ForeignKey("episode.id"), nullable=False),
        Column("start_seconds", Float, nullable=False),
        Column("end_seconds", Float, nullable=False),
        Column("frames", Integer, nullable=False),
        Column("mean_confidence", Float, nullable=False),
        Column("max_confidence", Float, nullable=False),
        # A correction decided it, or one of its borders.
        Column("is_corrected", Boolean, nullable=False, server_default=false()),
        CheckConstraint("start_pts < end_pts", name="range"),
        Index(None, "label", "run_id"),
    )


# What a run's appearances add up to, written with them: questions about a whole library read these
# few rows instead of all appearances.
def _totals_of_labels(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("run_id", RowId, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        Column("label", String(64), primary_key=True),
        Column("appearances", Integer, nullable=False),
        Column("seconds", Float, nullable=False),
        Column("first_pts", BigInteger, nullable=False),
        Index(None, "label", "run_id"),
    )


def _totals_of_pairs(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("run_id", RowId, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        # In alphabetical order, so that a pair has one row.
        Column("label", String(64), primary_key=True),
        Column("other", String(64), primary_key=True),
        Column("times", Integer, nullable=False),
        Column("seconds", Float, nullable=False),
        # All that is asked of a pair, so that no row is looked up.
        Index(None, "label", "other", "run_id", "times", "seconds"),
        Index(None, "other"),
    )


# The appearances that queries see, with corrections applied.
appearance = _appearances("appearance")
run_label = _totals_of_labels("run_label")
run_pair = _totals_of_pairs("run_pair")

# Corrected runs, and their raw results.
corrected_run = Table(
    "corrected_run",
    metadata,
    Column(
        "run_id",
        RowId,
        ForeignKey("run.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # Number of corrections that count in it.
    Column("corrections", Integer, nullable=False),
)

raw_appearance = _appearances("raw_appearance")
raw_run_label = _totals_of_labels("raw_run_label")
raw_run_pair = _totals_of_pairs("raw_run_pair")

# Corrections of contents, independent of runs; rows are added and never changed.
correction = Table(
    "correction",
    metadata,
    Column("id", RowId, primary_key=True),
    # The same in every database to which it is copied.
    Column("key", String(32), nullable=False, unique=True),
    # SHA-256 of the episode, which need not be here.
    Column("sha256", String(64), nullable=False, index=True),
    Column("verdict", _word(Verdict), nullable=False),
    Column("label", String(64), nullable=False, index=True),
    Column("start_pts", BigInteger, nullable=False),
    Column("end_pts", BigInteger, nullable=False),
    # The correct label, if it is another one.
    Column("other", String(64), index=True),
    # The part of the range in which it is on screen, if not all of it.
    Column("part_start_pts", BigInteger),
    Column("part_end_pts", BigInteger),
    # Key of the correction that is undone or contradicted.
    Column("supersedes", String(32)),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # The judged model, and its confidence; null where there was none.
    Column("model", Text),
    Column("confidence", Float),
    Column("made_at", UtcDateTime(), nullable=False),
    CheckConstraint("start_pts < end_pts", name="range"),
    _one_of("verdict", Verdict),
)

# Episodes whose repeats were sought, also those without any.
repeat_search = Table(
    "repeat_search",
    metadata,
    Column(
        "episode_id",
        RowId,
        ForeignKey("episode.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # Number of other episodes with which it was compared.
    Column("compared", Integer, nullable=False),
    Column("searched_at", UtcDateTime(), nullable=False),
)

# Ranges of episodes that recur in other episodes of their series: openings, credits.
# Those of one episode neither overlap nor touch.
repeat = Table(
    "repeat",
    metadata,
    Column(
        "episode_id",
        RowId,
        ForeignKey("repeat_search.episode_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("start_pts", BigInteger, primary_key=True, autoincrement=False),
    Column("end_pts", BigInteger, nullable=False),
    CheckConstraint("start_pts < end_pts", name="range"),
)

# The episodes in which a repeat was found, too.
repeat_elsewhere = Table(
    "repeat_elsewhere",
    metadata,
    Column("episode_id", RowId, primary_key=True, autoincrement=False),
    Column("start_pts", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "other_id",
        RowId,
        ForeignKey("episode.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    ForeignKeyConstraint(
        ["episode_id", "start_pts"],
        ["repeat.episode_id", "repeat.start_pts"],
        ondelete="CASCADE",
    ),
    Index(None, "other_id"),
)

current_run = Table(
    "current_run",
    metadata,
    Column("episode_id", RowId, ForeignKey("episode.id"), primary_key=True, autoincrement=False),
    Column("run_id", RowId, ForeignKey("run.id"), nullable=False, unique=True),
)

duty = Table(
    "duty",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("worker", Text, nullable=False),
    Column("lease_until", UtcDateTime(), nullable=False),
)

promotion = Table(
    "promotion",
    metadata,
    Column("id", RowId, primary_key=True),
    # Null after the model version was pruned; its name stays readable.
    Column("model_version_id", RowId, ForeignKey("model_version.id")),
    Column("model", Text, nullable=False),
    # Shipped with Castline, not promoted by a user; in use until a user promotes another.
    Column("bundled", Boolean, nullable=False, server_default=false()),
    Column("promoted_at", UtcDateTime(), nullable=False),
    # The requirement that it had to meet; null where nothing was measured.
    Column("requirement", Text),
    Column("forced", Boolean, nullable=False),
    # JSON list: a line for each metric that fell short.
    Column("regressions", Text, nullable=False),
    Column("withdrawn_at", UtcDateTime()),
)

# Written by workers of older versions during an upgrade; nothing reads it.
replaced_run = Table(
    "replaced_run",
    metadata,
    Column(
        "promotion_id", RowId, ForeignKey("promotion.id"), primary_key=True, autoincrement=False
    ),
    Column("episode_id", RowId, ForeignKey("episode.id"), primary_key=True, autoincrement=False),
    Column("run_id", RowId, ForeignKey("run.id"), nullable=False),
)
