"""Labelled stills for a library's models."""

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
    """Datasets, collecting stills for them, and composing episodes from them.

    `model` is NAME or NAME@VERSION, or None for the model in use. `device` selects the device to
    classify on: `auto`, `cpu` or `gpu`.
    """

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
        """Build a dataset of labelled stills: cleaned, split, packed for training.

        Args:
            sources: Folders of labelled stills and files of boxes; they are merged.
            output: The folder to create.
            choice: Selection and split of the stills; None for the defaults.
            workers: Number of reading processes; None for one per core.
            on_progress: Called with the name of a step, the amount done and the total.

        Returns:
            The dataset, and the stills and boxes that were left out.

        Raises:
            DatasetError: The stills cannot be used, or the dataset cannot be written.
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
        """Check a dataset and describe it.

        Args:
            folder: Folder of the dataset.

        Returns:
            Its labels, counts and near-duplicates.

        Raises:
            DatasetError: The dataset cannot be read.
        """
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
        """Find boxes that lie far from where a model sees their label.

        Args:
            folder: Folder of the dataset.
            model: The model, which must give places.
            device: Device to classify on.
            on_progress: Called with the name of a step, the amount done and the total.

        Returns:
            The boxes, the most confident first.

        Raises:
            DatasetError: The dataset cannot be read.
            NotFoundError: There is no such model.
            ModelError: The model or the device cannot be used.
            RequestError: The model gives no places.
        """
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
        """Collect stills from episodes at random times, sorted by a model, for you to confirm.

        Args:
            episodes: Episode files.
            output: The folder to add stills to; none is replaced.
            model: The model that sorts the stills.
            cuts: Crop around the places of labels, instead of the full picture and its halves.
            seed: Seed of the random times.
            device: Device to classify on.
            on_progress: Called with an episode's name, the amount done and the total.
            on_harvested: Called with the result of each episode.
            on_refused: Called with the error of each unusable file; if None, the first one is
                raised.

        Returns:
            The result of each episode.

        Raises:
            MediaError: A file cannot be used, and `on_refused` is None.
            NotFoundError: There is no such model.
            ModelError: The model or the device cannot be used.
            RequestError: The output is not a folder of stills, or the model does not support
                `cuts`.
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
        """Write stills from corrections, in the folder of the correct label or of `unknown`.

        Args:
            output: The folder to add stills to; none is replaced.
            episode: Only of this episode.
            easy: Also write stills of confirmed answers of which the model was confident.
            on_progress: Called with an episode's name, the amount done and the total.

        Returns:
            The number of new stills, and of corrections without a still.

        Raises:
            NotFoundError: No episode matches, or several do.
            MediaError: A frame cannot be read.
            RequestError: A still cannot be written.
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
        """Write frames of episodes with the boxes that a model sees in them, for you to correct.

        Args:
            episodes: Episode files.
            output: The folder to create; nothing is replaced.
            model: The model, which must give places.
            frames: Maximum number of frames, the most doubtful and most crowded ones; None for all.
            seed: Seed of the random times.
            device: Device to classify on.
            on_progress: Called with an episode's name, the amount done and the total.

        Returns:
            The number of new frames, and the file of boxes.

        Raises:
            MediaError: A file cannot be used.
            NotFoundError: There is no such model.
            ModelError: The model or the device cannot be used.
            RequestError: The model gives no places, or the output cannot be written.
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
        """Compose an episode with its truth from labelled stills, to measure a timeline on.

        Args:
            output: The .mp4 file to write; its truth goes to OUTPUT.truth.csv.
            composing: The content and look of the episode.
            force: Allow stills of a set that models are trained on.
            replace: Replace existing files.
            on_progress: Called before each frame.

        Returns:
            The files, and the number of characters in each shot.

        Raises:
            DatasetError: The dataset cannot be used.
            MediaError: A clip cannot be read.
            RequestError: An argument is invalid.
            TimelineError: A file exists or cannot be written.
        """
        from castline.composing.episode_with_truth import compose

        return compose(
            self.settings,
            Path(output),
            composing,
            force=force,
            replace=replace,
            on_progress=on_progress,
        )
