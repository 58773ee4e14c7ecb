"""Questions to a library, scores and exports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from castline.asking import questions
from castline.asking.cast import NO_CHANGE, names_of
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

if TYPE_CHECKING:
    from castline.asking.export import Exported
    from castline.asking.own_sql import Answer
    from castline.asking.scoring import Evaluation, SampleScore


class AskingMethods(Opened):
    """Questions, scores and exports.

    An episode is given by its name, with or without the suffix, by its path or the end of it, as
    `Series S01E01`, by its number or its SHA-256, or by a part of its name; its names before the
    file was moved are understood, too. A character is given by its label, its display name, or an
    unambiguous part of either, in any spelling. Methods that take `run` (a number) or `model` (NAME
    or NAME@VERSION) use that run, or the runs of that model, instead of the current runs. With
    `raw` they return what the model found, without corrections.
    """

    @as_castline_errors()
    def episodes(self) -> Table[Episode]:
        """Return the episodes in the library.

        Returns:
            The episodes, by name.
        """
        return questions.episodes(self._installation)

    @as_castline_errors()
    def names(self) -> Names:
        """Return the display names of labels, such as `Dr. Nick` for `dr_nick`.

        Returns:
            A mapping from labels to names. The name of a label without a display name is the label
            with spaces for `_`.
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
        skip_repeats: bool = False,
        places: bool = True,
    ) -> Appearances:
        """Return who is on screen in an episode, and when.

        Args:
            episode: The episode.
            at: Only appearances at this time.
            from_: Only appearances at this time or later.
            to: Only appearances before this time.
            run: Use this run.
            model: Use this model's run.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.
            places: Whether to return places in the picture, which takes a little longer.

        Returns:
            The appearances in order of time, and the requested time that was not examined.

        Raises:
            NotFoundError: No episode matches, or several do, or it has no such run.
            RequestError: `at` is combined with `from_` or `to`, or the range is empty.
            TimelineError: A time cannot be parsed.
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
            skip_repeats=skip_repeats,
            places=places,
        )

    @as_castline_errors()
    def when(
        self,
        expression: str,
        *,
        episode: str | None = None,
        season: int | None = None,
        series: str | None = None,
        min_seconds: Time = 0,
        gap: Time = 0,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        skip_repeats: bool = False,
    ) -> Matches:
        """Return when an expression holds, in all episodes.

        Args:
            expression: Labels with & (and), | (or), ! (not) and parentheses: `ned & !bart`.
            episode: Only in this episode.
            season: Only in this season, if file names contain it (S05E12).
            series: Only in this series: its name, or a part of it.
            min_seconds: Only ranges that last at least this long, once gaps are filled.
            gap: Gaps of at most this length are filled.
            limit: Maximum number of rows.
            run: Use this run.
            model: Use this model's runs.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.

        Returns:
            The ranges by episode and time.

        Raises:
            ExpressionError: The expression cannot be parsed.
            NotFoundError: A name matches no label or episode, or several, or there is no such run.
            TimelineError: A time cannot be parsed.
        """
        return questions.when(
            self._installation,
            expression,
            episode=episode,
            season=season,
            series=series,
            min_seconds=min_seconds,
            gap=gap,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
            skip_repeats=skip_repeats,
        )

    @as_castline_errors()
    def screen_time(
        self,
        *,
        episode: str | None = None,
        by: Grouping = "character",
        label: str | None = None,
        season: int | None = None,
        series: str | None = None,
        top: int | None = None,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        skip_repeats: bool = False,
    ) -> Table[ScreenTime]:
        """Return how long each character is on screen.

        Args:
            episode: Only in this episode.
            by: Total over all episodes (`character`), or per `episode` or `season`.
            label: Only this character.
            season: Only in this season.
            series: Only in this series; seasons of different series are never added together.
            top: Only this number of characters for each episode or season.
            limit: Maximum number of rows.
            run: Use this run.
            model: Use this model's runs.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.

        Returns:
            The screen times, the longest first.

        Raises:
            NotFoundError: A name matches no label or episode, or several, or there is no such run.
        """
        return questions.screen_time(
            self._installation,
            episode=episode,
            by=by,
            label=label,
            season=season,
            series=series,
            top=top,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
            skip_repeats=skip_repeats,
        )

    @as_castline_errors()
    def together(
        self,
        one: str | None = None,
        other: str | None = None,
        *,
        episode: str | None = None,
        season: int | None = None,
        series: str | None = None,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        skip_repeats: bool = False,
    ) -> SharedTimes:
        """Return which characters are on screen together, and how long.

        Args:
            one: Only pairs with this character.
            other: Only this pair, episode by episode.
            episode: Only in this episode.
            season: Only in this season.
            series: Only in this series; seasons of different series are never added together.
            limit: Maximum number of rows.
            run: Use this run.
            model: Use this model's runs.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.

        Returns:
            The pairs, the longest shared time first.

        Raises:
            NotFoundError: A name matches no label or episode, or several, or there is no such run.
            RequestError: Both names stand for the same character.
        """
        return questions.together(
            self._installation,
            tuple(name for name in (one, other) if name is not None),
            episode=episode,
            season=season,
            series=series,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
            skip_repeats=skip_repeats,
        )

    @as_castline_errors()
    def first(
        self,
        label: str,
        *,
        season: int | None = None,
        series: str | None = None,
        limit: int | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        skip_repeats: bool = False,
        places: bool = True,
    ) -> Appearances:
        """Return a character's first appearance in each episode.

        Args:
            label: The character.
            season: Only in this season.
            series: Only in this series.
            limit: Maximum number of rows.
            run: Use this run.
            model: Use this model's runs.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.
            places: Whether to return places in the picture.

        Returns:
            One appearance per episode.

        Raises:
            NotFoundError: A name matches no label, or several, or there is no such run.
        """
        return questions.first(
            self._installation,
            label,
            season=season,
            series=series,
            limit=limit,
            run=run,
            model=model,
            raw=raw,
            skip_repeats=skip_repeats,
            places=places,
        )

    @as_castline_errors()
    def evaluate(
        self,
        episode: str,
        truth: str | Path,
        *,
        collar: Time = 0,
        run: int | None = None,
        model: str | None = None,
        renamed: Mapping[str, str] = NO_CHANGE,
        raw: bool = False,
    ) -> "Evaluation":
        """Compares the timeline of an episode with what is known to be true.

        Args:
            episode: The episode.
            truth: A .csv (label,start_seconds,end_seconds), .rttm, .vtt, .srt or .eaf file.
            collar: Seconds around each true border that are not scored, half on each side.
            run: Score this run.
            model: Score this model's latest run.
            renamed: By labels of the truth, the labels to read in their place.
            raw: As the model found it, without corrections.

        Returns:
            All metrics.

        Raises:
            NotFoundError: No episode matches, or several do, or it has no finished run.
            TimelineError: The truth file or the collar is invalid.
        """
        from castline.asking.scoring import evaluate

        return evaluate(
            self._installation,
            episode,
            Path(truth),
            collar,
            run=run,
            model=model,
            renamed=renamed,
            raw=raw,
        )

    @as_castline_errors()
    def evaluate_at_samples(
        self, episode: str, truth: str | Path, *, raw: bool = False
    ) -> "SampleScore":
        """Score the timeline of an episode at the default sample times, two per second.

        Args:
            episode: The episode.
            truth: A truth file.
            raw: As the model found it, without corrections.

        Returns:
            The scores at the samples.

        Raises:
            NotFoundError: No episode matches, or several do, or it has no finished run.
            TimelineError: The truth file is invalid.
        """
        from castline.asking.scoring import evaluate_at_samples

        return evaluate_at_samples(self._installation, episode, Path(truth), raw=raw)

    @as_castline_errors()
    def export(
        self,
        episode: str | None,
        formats: str | Sequence[str],
        output: str | Path = ".",
        *,
        labels: Sequence[str] = (),
        expression: str | None = None,
        min_seconds: Time = 0,
        gap: Time = 0,
        chapter_seconds: Time = 0,
        season: int | None = None,
        series: str | None = None,
        run: int | None = None,
        model: str | None = None,
        raw: bool = False,
        skip_repeats: bool = False,
        force: bool = False,
    ) -> "Exported":
        """Export the timeline of an episode for other tools.

        Args:
            episode: The episode; None for all episodes in one file, in a format that holds several:
                json, csv, parquet, rttm, iiif, graphml.
            formats: Names of formats, in a sequence or separated by commas: those, and vtt, srt,
                chapters, matroska, eaf, otio, edl, fcpxml, html, coco, clips.
            output: The folder to write to.
            labels: Only these characters.
            expression: Export the ranges of this expression instead of appearances.
            min_seconds: Only ranges that last at least this long, once gaps are filled.
            gap: Fill gaps of at most this length.
            chapter_seconds: The least length of chapters.
            season: Of all episodes only those of this season.
            series: Of all episodes only those of this series: its name, or a part of it.
            run: Use this run.
            model: Use this model's run.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.
            force: Replace existing files.

        Returns:
            The files written.

        Raises:
            NotFoundError: No episode matches, or several do, or it has no such run.
            ExpressionError: The expression cannot be parsed.
            RequestError: There is no such format, or it does not support the other arguments.
            TimelineError: A format cannot represent the timeline, or a file exists or cannot be
                written.
            MediaError: The video cannot be read for clips.
        """
        from castline.asking.export import export

        return export(
            self._installation,
            episode,
            [formats] if isinstance(formats, str) else formats,
            Path(output),
            labels=labels,
            expression=expression,
            min_seconds=min_seconds,
            gap=gap,
            chapter_seconds=chapter_seconds,
            season=season,
            series=series,
            run=run,
            model=model,
            raw=raw,
            skip_repeats=skip_repeats,
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
        skip_repeats: bool = False,
    ) -> None:
        """Plot the timeline of an episode.

        Args:
            episode: The episode.
            output: The .png or .svg file to write.
            truth: A truth file, drawn as a thin strip below each bar.
            run: Use this run.
            model: Use this model's run.
            raw: As the model found it, without corrections.
            skip_repeats: Leave out what `find_repeats` found to recur in other episodes.

        Raises:
            NotFoundError: No episode matches, or several do, or it has no such run.
            TimelineError: The truth file is invalid, the output cannot be written, or matplotlib is
                not installed.
        """
        true_file = None if truth is None else Path(truth)
        from castline.asking.export import plot

        plot(
            self._installation,
            episode,
            Path(output),
            truth=true_file,
            run=run,
            model=model,
            raw=raw,
            skip_repeats=skip_repeats,
        )

    @as_castline_errors()
    def sql(self, statement: str) -> "Answer":
        """Run a SELECT of your own, read-only and limited to half a minute.

        Args:
            statement: One SELECT.

        Returns:
            The names of the columns and the rows.

        Raises:
            DatabaseError: The statement is not a single SELECT, is invalid, or takes too long.
        """
        from castline.asking.own_sql import sql

        return sql(self._installation, statement)

    @as_castline_errors()
    def snapshot(self, output: str | Path, *, force: bool = False) -> None:
        """Write the timeline of all episodes to a SQLite file that other tools open.

        Args:
            output: The file to write.
            force: Replace an existing file.

        Raises:
            DatabaseError: The file is the library's own database.
            TimelineError: The file exists or cannot be written.
        """
        from castline.asking.own_sql import snapshot

        snapshot(self._installation, Path(output), force=force)
