"""`castline demo`: the whole workflow on a drawn cast with known truth, in a few minutes."""

import shlex
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from castline import RunState
from castline.asking.scoring import SampleScore
from castline.asking.values import Appearances
from castline.composing.episode_files import write_episode
from castline.errors import RequestError
from castline.library import Library
from castline.models.training import Training, require_training
from cli.console import print_table, say
from cli.drawn.cast import DrawnEpisode, draw_episode, draw_stills
from cli.tagging.work import working

STILLS_PER_LABEL = 300
"""About as many as the rarer labels of the real sets have; drawn in ten seconds."""

STILLS_SEED = 1
EPISODE_SEED = 2
"""Different from the stills' seed, so that no still reappears in the episode."""

EPISODE_SECONDS = 60
EPISODE_NAME = "drawn_episode.mp4"


def add_commands(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to create, which is kept.")
    ] = Path("castline-demo"),
) -> None:
    """Draw a cast, train on it, tag an episode of it, and compare the result with the truth.

    Takes one to three minutes on two cores and changes nothing outside its folder.

    Example: castline demo -o /tmp/castline-demo
    """
    require_training()
    folder = _make_folder(output.absolute())
    library: Library = context.obj
    say(f"1/4  Drawing {STILLS_PER_LABEL} stills of each character")
    draw_stills(folder / "stills", STILLS_PER_LABEL, STILLS_SEED)
    say(f"2/4  Drawing an episode of {EPISODE_SECONDS} s")
    episode = draw_episode(EPISODE_SEED, EPISODE_SECONDS)
    truth = _write_episode(episode, folder)
    say("3/4  Training a model (one still in six shows hardly anybody: accuracy cannot reach 1)")
    with library.elsewhere(folder / "home") as drawn:
        _train(folder, drawn)
        say("4/4  Tagging the episode")
        found = _tag(drawn, folder / EPISODE_NAME)
        drawn.plot(EPISODE_NAME, folder / "timeline.png", truth=truth)
        score = drawn.evaluate_at_samples(EPISODE_NAME, truth)
    _show(folder, found, episode, score)


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise RequestError(
            f"{folder}: cannot be a folder ({error.strerror}); name another with -o"
        ) from error
    if not is_empty:
        raise RequestError(f"{folder}: is not empty; remove it or name another with -o")
    return folder


def _write_episode(episode: DrawnEpisode, folder: Path) -> Path:
    truth = _truth(episode)
    return write_episode(folder / EPISODE_NAME, episode.pictures, episode.frame_rate, truth)


def _truth(episode: DrawnEpisode) -> list[tuple[str, Fraction, Fraction]]:
    rate = episode.frame_rate
    return [
        (entry.label, entry.start_frame / rate, entry.end_frame / rate) for entry in episode.truth
    ]


def _train(folder: Path, library: Library) -> None:
    training = Training(
        is_quick=True,
        name="drawn-cast",
        licence="Drawn by Castline itself: Apache-2.0.",
        about_stills="A cast drawn by code.",
        command="castline demo",
    )
    built = library.build_dataset([folder / "stills"], folder / "dataset")
    library.train(
        built.dataset.folder,
        training,
        on_epoch=lambda epoch: say(
            f"     epoch {epoch.number}/{epoch.epochs}, validation accuracy"
            f" {epoch.validation_accuracy:.3f}"
        ),
    )


def _tag(library: Library, path: Path) -> Appearances:
    with working() as hooks:
        [run] = library.tag(path, model="drawn-cast", hooks=hooks)
    if run.state is not RunState.DONE:
        raise RequestError(f"{path}: the run is {run.state}: {run.error}; castline doctor helps")
    return library.who(run.episode)


def _show(folder: Path, found: Appearances, episode: DrawnEpisode, score: SampleScore) -> None:
    picture = folder / "timeline.png"
    found_spans = [(item.label, item.start_seconds, item.end_seconds) for item in found]
    print_table(
        ("character", "found (seconds)", "true (seconds)", "precision", "recall"),
        [
            (
                each.label,
                _spans(found_spans, each.label),
                _spans(_truth(episode), each.label),
                f"{each.precision:.2f}",
                f"{each.recall:.2f}",
            )
            for each in score
        ],
        numbers="precision recall",
    )
    say("")
    say(
        f"Frame-level micro-F1 {score.f1:.3f} over {score.samples} samples;"
        f" false tags at {score.false_tag_samples} of {score.samples_with_nobody} samples"
        " where nobody known is on screen."
    )
    castline, home = shlex.quote(sys.argv[0]), shlex.quote(str(folder / "home"))
    say(f"The timeline as a picture: {picture}")
    say("")
    say("What to try next:")
    for command in (
        f"{castline} --home {home} who {EPISODE_NAME} --at 0:30",
        f"{castline} --home {home} when {found[0].label if found else 'LABEL'}",
        f"{castline} --home {home} screen-time",
        f"{castline} tag YOUR_EPISODE    (with the bundled model)",
    ):
        say(f"  {command}")


def _spans(ranges: Iterable[tuple[str, float | Fraction, float | Fraction]], label: str) -> str:
    spans: list[tuple[float | Fraction, float | Fraction]] = []
    for name, start, end in ranges:
        if name != label:
            continue
        if spans and spans[-1][1] == start:  # two consecutive shots make one range
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return ", ".join(f"{float(start):.1f}-{float(end):.1f}" for start, end in spans)
