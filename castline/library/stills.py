"""Labelled stills, for a library's models."""

from collections.abc import Callable, Sequence
from pathlib import Path

from castline.choices import AnyDevice, chosen
from castline.errors import CastlineError, as_castline_errors
from castline.library.opened import Opened
from castline.progress import Progress, tell_nobody
from castline.stills.values import (
    Built,
    Choice,
    Composed,
    Composing,
    DoubtfulBoxes,
    Harvested,
    Proposed,
    ShownDataset,
    StillsOfCorrections,
)
from model.inference.device import Device


class StillMethods(Opened):
    """Datasets, what is collected for them, and episodes composed of them."""

    @as_castline_errors()
    def build_dataset(
        self,
        sources: Sequence[str | Path],
        output: str | Path,
        choice: Choice | None = None,
        *,
        workers: int | None = None,
        on_progress: Progress = tell_nobody,
    ) -> Built:
        """Makes a dataset of labelled stills: cleaned, split, packed for training.

        Args:
            sources: Folders of labelled stills and files of boxes; they are merged.
            output: A folder to make.
            choice: Which stills, and how they are split; None for all, as usual.
            workers: Reading processes; None for one per core.
            on_progress: Called with each step's name, what is done of it and what there is.
        """
        from castline.stills import datasets

        return datasets.build(
            [Path(source) for source in sources],
            Path(output),
            choice or Choice(),
            workers=workers,
            on_progress=on_progress,
        )

    @as_castline_errors()
    def dataset(self, folder: str | Path) -> ShownDataset:
        """Checks a dataset and returns what it holds."""
        from castline.stills import datasets

        return datasets.show(Path(folder))

    @as_castline_errors()
    def check_dataset(
        self,
        folder: str | Path,
        *,
        model: str | None = None,
        device: AnyDevice = Device.AUTO,
        on_progress: Progress = tell_nobody,
    ) -> DoubtfulBoxes:
        """Returns boxes that lie far from where a model sees their label, the surest first."""
        from castline.stills import datasets

        return datasets.check(
            self._installation,
            Path(folder),
            model=model,
            device=chosen(Device, device),
            on_progress=on_progress,
        )

    @as_castline_errors()
    def harvest(
        self,
        episodes: Sequence[str | Path],
        output: str | Path,
        *,
        model: str | None = None,
        cuts: bool = False,
        seed: int = 0,
        device: AnyDevice = Device.AUTO,
        on_progress: Progress = tell_nobody,
        on_harvested: Callable[[Harvested], None] = lambda _: None,
        on_refused: Callable[[CastlineError], None] | None = None,
    ) -> tuple[Harvested, ...]:
        """Collects stills from episodes at random moments, sorted by a model, for you to confirm.

        Args:
            episodes: Files.
            output: A folder to add stills to; none is replaced.
            model: NAME or NAME@VERSION; None for the one in use.
            cuts: Cut out whom the model sees, in place of the picture and its halves.
            seed: Of the moments.
            device: Where to classify.
            on_progress: Called with each episode's name, what is done of it and what there is.
            on_harvested: Told of each episode.
            on_refused: Told of each that cannot be used; without it, that is raised.
        """
        from castline.stills import collecting

        return collecting.harvest(
            self._installation,
            [Path(path) for path in episodes],
            Path(output),
            model=model,
            cuts=cuts,
            seed=seed,
            device=chosen(Device, device),
            on_progress=on_progress,
            on_harvested=on_harvested,
            on_refused=on_refused,
        )

    @as_castline_errors()
    def stills_from_corrections(
        self,
        output: str | Path,
        *,
        episode: str | None = None,
        easy: bool = False,
        on_progress: Progress = tell_nobody,
    ) -> StillsOfCorrections:
        """Writes stills of what people said of answers: of the right label, or of `unknown`.

        Args:
            output: A folder to add stills to; none is replaced.
            episode: Only of this episode.
            easy: Also of what was confirmed and the model was sure of.
            on_progress: Called with each episode's name, what is done of them and what there is.
        """
        from castline.stills.from_corrections import stills_from_corrections

        return stills_from_corrections(
            self._installation, Path(output), episode=episode, easy=easy, on_progress=on_progress
        )

    @as_castline_errors()
    def propose(
        self,
        episodes: Sequence[str | Path],
        output: str | Path,
        *,
        model: str | None = None,
        frames: int | None = None,
        seed: int = 0,
        device: AnyDevice = Device.AUTO,
        on_progress: Progress = tell_nobody,
    ) -> Proposed:
        """Writes frames of episodes with the boxes that a model sees in them, for you to mend.

        Args:
            episodes: Files.
            output: A folder to make; nothing is replaced.
            model: NAME or NAME@VERSION; None for the one in use. It must tell places.
            frames: At most so many, those of most doubt and most people; None for all.
            seed: Of the moments.
            device: Where to classify.
            on_progress: Called with each episode's name, what is done of it and what there is.
        """
        from castline.stills import collecting

        return collecting.propose(
            self._installation,
            [Path(path) for path in episodes],
            Path(output),
            model=model,
            frames=frames,
            seed=seed,
            device=chosen(Device, device),
            on_progress=on_progress,
        )

    @as_castline_errors()
    def compose(
        self,
        output: str | Path,
        composing: Composing,
        *,
        force: bool = False,
        replace: bool = False,
        on_progress: Progress = tell_nobody,
    ) -> Composed:
        """Composes an episode, with its truth, of labelled stills, to measure a timeline on.

        Args:
            output: An .mp4 to make; OUTPUT.truth.csv is the truth.
            composing: What it is made of.
            force: Take stills of a set that models learn from.
            replace: Replace files that exist.
            on_progress: Called before each frame.
        """
        from castline.stills.episode_with_truth import compose

        return compose(
            self.settings,
            Path(output),
            composing,
            force=force,
            replace=replace,
            on_progress=on_progress,
        )
