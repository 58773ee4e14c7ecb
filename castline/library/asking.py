"""What can be asked of a library, and taken from it elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from castline.asking import export, own_sql, questions, scoring
from castline.asking.cast import names_of
from castline.asking.times import Time
from castline.asking.values import (
    Appearances,
    Episode,
    Grouping,
    Matches,
    ScreenTime,
    SharedTimes,
)
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table
from model.labels import Names


class AskingMethods(Opened):
    """Questions, scores, exports.

    An episode answers to its name, a part of it, its path or its SHA-256; a label to itself, in
    other writing, or to a part of it that fits no other. Wherever a question takes `run` (a number)
    or `model` (NAME or NAME@VERSION), it is asked of that run, or of that model's latest runs,
    instead of the current ones. With
    `raw` it is told what the model found, without what people said of it.
    """

    @as_castline_errors()
    def episodes(self) -> Table[Episode]:
        """Returns the episodes that are here, by name."""
        return questions.episodes(self._installation)

    @as_castline_errors()
    def names(self) -> Names:
        """Returns what people call labels: `Dr. Nick` for `dr_nick`, by label.

        A label that nobody named answers with blanks for `_`.
        """
        with self._installation.database.read() as connection:
            return names_of(connection)

    @as_castline_errors()
    def who(
        self,
        episode: str,
        *,
        at: Time | None = None,
        from_: Time | None = None,
        to: Time | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        places: bool = True,
    ) -> Appearances:
        """Returns who is on screen in an episode, and when.

        Args:
            episode: Which.
            at: Only who is on screen at this time.
            from_: Only who is on screen at this time or later.
            to: Only who is on screen before this time.
            run: Ask this run.
            model: Ask this model's run.
            raw: As the model found it.
            places: Also where in the picture, which takes somewhat longer.
        """
        return questions.who(
            self._installation,
            episode,
            at=at,
            from_=from_,
            to=to,
            run=run,
            model=model,
            raw=raw,
            places=places,
        )

    @as_castline_errors()
    def when(
        self,
        expression: str,
        *,
        episode: str | None = None,
        season: int | None = None,
        min_seconds: Time = 0,
        gap: Time = 0,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
    ) -> Matches:
        """Returns when an expression holds, in all episodes.

        Args:
            expression: Labels with & (and), | (or), ! (not) and brackets: `ned & !bart`.
            episode: Only in this episode.
            season: Only in this season, where names tell it (S05E12).
            min_seconds: Only ranges that last at least this long, once gaps are filled.
            gap: Gaps of at most this length are filled.
            limit: At most so many rows.
            run: Ask this run.
            model: Ask this model's runs.
            raw: As the model found it.
        """
        return questions.when(
            self._installation,
            expression,
            episode=episode,
            season=season,
            min_seconds=min_seconds,
            gap=gap,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
        )

    @as_castline_errors()
    def screen_time(
        self,
        *,
        episode: str | None = None,
        by: Grouping = "character",
        label: str | None = None,
        season: int | None = None,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
    ) -> Table[ScreenTime]:
        """Returns how long each character is on screen, the longest first.

        Args:
            episode: Only in this episode.
            by: Add up over all (`character`), or for each `episode` or `season`.
            label: Only this character.
            season: Only in this season.
            limit: At most so many rows.
            run: Ask this run.
            model: Ask this model's runs.
            raw: As the model found it.
        """
        return questions.screen_time(
            self._installation,
            episode=episode,
            by=by,
            label=label,
            season=season,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
        )

    @as_castline_errors()
    def together(
        self,
        one: str | None = None,
        other: str | None = None,
        *,
        episode: str | None = None,
        season: int | None = None,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
    ) -> SharedTimes:
        """Returns which characters are on screen together, and how long.

        Args:
            one: Only pairs with this character.
            other: Only this pair, episode by episode.
            episode: Only in this episode.
            season: Only in this season.
            limit: At most so many rows.
            run: Ask this run.
            model: Ask this model's runs.
            raw: As the model found it.
        """
        return questions.together(
            self._installation,
            tuple(name for name in (one, other) if name is not None),
            episode=episode,
            season=season,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
        )

    @as_castline_errors()
    def first(
        self,
        label: str,
        *,
        season: int | None = None,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        places: bool = True,
    ) -> Appearances:
        """Returns a character's first appearance in each episode."""
        return questions.first(
            self._installation,
            label,
            season=season,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
            places=places,
        )

    @as_castline_errors()
    def evaluate(
        self, episode: str, truth: str | Path, *, collar: Time = 0, raw: bool = False
    ) -> scoring.Evaluation:
        """Compares the timeline of an episode with what is known to be true.

        Args:
            episode: Which.
            truth: A .csv file (label,start_seconds,end_seconds) or a .rttm file.
            collar: Seconds around each true border that are not counted, half on each side.
            raw: As the model found it, without what people said.
        """
        return scoring.evaluate(self._installation, episode, Path(truth), collar, raw=raw)

    @as_castline_errors()
    def evaluate_at_samples(
        self, episode: str, truth: str | Path, *, raw: bool = False
    ) -> scoring.SampleScore:
        """Compares the same at the moments that are looked at by default, two a second."""
        return scoring.evaluate_at_samples(self._installation, episode, Path(truth), raw=raw)

    @as_castline_errors()
    def export(
        self,
        episode: str,
        formats: str | Sequence[str],
        output: str | Path = ".",
        *,
        labels: Sequence[str] = (),
        expression: str | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        force: bool = False,
    ) -> export.Exported:
        """Writes who is on screen when in an episode, for other tools to read.

        Args:
            episode: Which.
            formats: Names of formats, in a sequence or with commas between them: json, csv, vtt,
                srt, rttm, chapters, otio, edl, fcpxml, html, coco, clips.
            output: The folder to write to.
            labels: Only these.
            expression: The ranges in which this holds, in place of appearances.
            run: Of this run.
            model: Of this model's run.
            raw: As the model found it.
            force: Replace files that exist.
        """
        return export.export(
            self._installation,
            episode,
            formats.split(",") if isinstance(formats, str) else formats,
            Path(output),
            labels=labels,
            expression=expression,
            run=run,
            model=model,
            raw=raw,
            force=force,
        )

    @as_castline_errors()
    def plot(
        self,
        episode: str,
        output: str | Path,
        *,
        truth: str | Path | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
    ) -> None:
        """Draws the timeline of an episode.

        Args:
            episode: Which.
            output: A .png or .svg file.
            truth: A truth file, drawn as a thin strip below each bar.
            run: Of this run.
            model: Of this model's run.
            raw: As the model found it.
        """
        true_file = None if truth is None else Path(truth)
        export.plot(
            self._installation,
            episode,
            Path(output),
            truth=true_file,
            run=run,
            model=model,
            raw=raw,
        )

    @as_castline_errors()
    def sql(self, statement: str) -> own_sql.Answer:
        """Answers a SELECT of your own; it can change nothing, and may take half a minute."""
        return own_sql.sql(self._installation, statement)

    @as_castline_errors()
    def snapshot(self, output: str | Path, *, force: bool = False) -> None:
        """Writes the timeline of all episodes into a SQLite file that other tools open."""
        own_sql.snapshot(self._installation, Path(output), force=force)
