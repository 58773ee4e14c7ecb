"""`castline demo`: the whole way on a cast drawn by code, in a few minutes, with known truth."""

import shlex
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_table, say
from cli.drawn_cast import DrawnEpisode, draw_episode, draw_stills
from cli.tagging import enqueue_files, work_on
from db.records import EpisodeRecord
from db.runs import list_runs
from model.labels import Names
from timeline.truth import LabelledRange, write_truth
from worker.answers import labelled_ranges
from worker.errors import WorkerError
from worker.measuring import score_at_samples
from worker.settings import Settings, sqlite_url
from worker.workplace import Workplace, open_workplace

STILLS_PER_LABEL = 300
"""About as many as the rarer labels of the real sets have; drawn in ten seconds."""

STILLS_SEED = 1
EPISODE_SEED = 2
"""Another seed than the stills': the episode shows no still again."""

EPISODE_SECONDS = 60
EPISODE_NAME = "drawn_episode.mp4"


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(demo)


def demo(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder to make; what it holds stays.")
    ] = Path("castline-demo"),
) -> None:
    """Draw a cast, train on it, tag an episode of it, and compare with what is known to be true.

    Takes one to three minutes on two cores and touches nothing outside its folder.

    Example: castline demo -o /tmp/castline-demo
    """
    from model.extras import require_train_extra

    require_train_extra("training")
    folder = _make_folder(output.absolute())
    home = folder / "home"
    settings: Settings = replace(
        context.obj, home=home, database_url=sqlite_url(home), media_roots=()
    )
    say(f"1/4  Drawing {STILLS_PER_LABEL} stills of each character")
    draw_stills(folder / "stills", STILLS_PER_LABEL, STILLS_SEED)
    say(f"2/4  Drawing an episode of {EPISODE_SECONDS} s")
    truth = _write_episode(draw_episode(EPISODE_SEED, EPISODE_SECONDS), folder)
    say("3/4  Training a model (one still in six shows hardly anybody: accuracy cannot reach 1)")
    _train(folder, settings)
    say("4/4  Tagging the episode")
    with open_workplace(settings) as place:
        episode, found = _tag(place, folder / EPISODE_NAME)
    _show(folder, episode, found, truth)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise WorkerError(
            f"{folder}: cannot be a folder ({error.strerror}); name another with -o"
        ) from error
    if not is_empty:
        raise WorkerError(f"{folder}: is not empty; remove it or name another with -o")
    return folder


def _write_episode(episode: DrawnEpisode, folder: Path) -> list[LabelledRange]:
    from ingest.write_video import write_video

    write_video(folder / EPISODE_NAME, episode.pictures, episode.frame_rate)
    truth = [
        LabelledRange(
            label=entry.label,
            start_seconds=entry.start_frame / episode.frame_rate,
            end_seconds=entry.end_frame / episode.frame_rate,
        )
        for entry in episode.truth
    ]
    write_truth(folder / f"{EPISODE_NAME}.truth.csv", truth)
    return truth


def _train(folder: Path, settings: Settings) -> None:
    from model.dataset_build import build_dataset
    from model.dataset_plan import BuildOptions
    from model.history import Epoch
    from model.recipe import QUICK
    from model.testing import Words
    from model.versions import train_model_version

    def tell(history: tuple[Epoch, ...]) -> None:
        epoch = history[-1]
        say(
            f"     epoch {epoch.number}/{epoch.epochs}, validation accuracy"
            f" {epoch.validation_accuracy:.3f}"
        )

    train_model_version(
        build_dataset([folder / "stills"], folder / "dataset", BuildOptions()),
        settings.models_folder / "drawn-cast-1",
        "drawn-cast",
        "1",
        QUICK,
        work_folder=settings.training_folder / "drawn-cast-1",
        words=Words(
            "Drawn by Castline itself: Apache-2.0.", "A cast drawn by code.", "castline demo"
        ),
        on_epoch=tell,
    )


def _tag(place: Workplace, path: Path) -> tuple[EpisodeRecord, list[LabelledRange]]:
    from db.episodes import get_episode

    queued = enqueue_files(place, [str(path)], "drawn-cast", "0.5")
    run_ids = tuple(run.id for run in queued.runs)
    work_on(place, None, "auto", run_ids, queued.model_sha256)
    with place.database.read() as connection:
        [run] = list_runs(connection, run_ids)
        if run.state != "done":
            raise WorkerError(f"{path}: the run is {run.state}: {run.error}; castline doctor helps")
        episode = get_episode(connection, run.episode_id)
        return episode, labelled_ranges(connection, episode)


def _show(
    folder: Path,
    episode: EpisodeRecord,
    found: list[LabelledRange],
    truth: list[LabelledRange],
) -> None:
    from timeline.plot import plot_timeline

    score = score_at_samples(episode, found, truth)
    picture = folder / "timeline.png"
    plot_timeline(
        found,
        episode.duration_seconds,
        picture,
        episode.name,
        truth,
        names=Names().shown(item.label for item in (*found, *truth)),
    )
    print_table(
        ("character", "found (seconds)", "true (seconds)", "precision", "recall"),
        [
            (
                label,
                _spans(found, label),
                _spans(truth, label),
                f"{counts.precision:.2f}",
                f"{counts.recall:.2f}",
            )
            for label, counts in score.per_label.items()
        ],
        numbers="precision recall",
    )
    say("")
    say(
        f"Frame-level micro-F1 {score.micro_f1:.3f} over {score.samples} samples;"
        f" false tags at {score.false_tag_samples} of {score.samples_with_nobody} samples"
        " where nobody known is on screen."
    )
    castline, home = shlex.quote(sys.argv[0]), shlex.quote(str(folder / "home"))
    say(f"The timeline as a picture: {picture}")
    say("")
    say("What to try next:")
    for command in (
        f"{castline} --home {home} who {episode.name} --at 0:30",
        f"{castline} --home {home} when {found[0].label if found else 'LABEL'}",
        f"{castline} --home {home} screen-time",
        f"{castline} tag YOUR_EPISODE    (with the bundled model)",
    ):
        say(f"  {command}")


def _spans(ranges: list[LabelledRange], label: str) -> str:
    spans: list[tuple[Fraction, Fraction]] = []
    for item in ranges:
        if item.label != label:
            continue
        if spans and spans[-1][1] == item.start_seconds:  # two shots in a row are one range
            spans[-1] = (spans[-1][0], item.end_seconds)
        else:
            spans.append((item.start_seconds, item.end_seconds))
    return ", ".join(f"{float(start):.1f}-{float(end):.1f}" for start, end in spans)
