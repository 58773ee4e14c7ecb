"""A library's model versions."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from castline.choices import AnyDevice, chosen
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.models.gate import DEFAULT_REQUIREMENT
from castline.models.training import Training
from castline.models.values import Imported, Model, Models, Trained
from castline.progress import Progress, tell_nobody
from model.inference.device import Device

if TYPE_CHECKING:
    from castline.models.comparison import Comparison
    from castline.models.comparison_on_episodes import EpisodesComparison
    from castline.models.promotion import Promotion, RolledBack
    from model.training.history import Epoch


class ModelMethods(Opened):
    """Training, comparing and promoting.

    A model is named by NAME, which means its newest version, or by NAME@VERSION.
    """

    @as_castline_errors()
    def models(self) -> Models:
        """Returns the model versions that are here, the newest first."""
        from castline.models import listing

        return listing.models(self._installation)

    @as_castline_errors()
    def model(self, reference: str) -> Model:
        """Returns one model version."""
        from castline.models import listing

        return listing.model(self._installation, reference)

    @as_castline_errors()
    def import_model(self, folder: str | Path) -> Imported:
        """Takes over a model version's folder from elsewhere, once it was checked."""
        from castline.models import listing

        return listing.import_model(self.settings, Path(folder))

    @as_castline_errors()
    def train(
        self,
        dataset: str | Path,
        training: Training | None = None,
        *,
        on_progress: Progress = tell_nobody,
        on_epoch: "Callable[[Epoch], None] | None" = None,
        on_nothing_to_resume: Callable[[Path], None] | None = None,
    ) -> Trained:
        """Trains a recogniser, chooses its thresholds, tests it, and writes it with its report.

        Args:
            dataset: The folder of one, made by `build_dataset`.
            training: How to train; None as usual.
            on_progress: Called with each step's name, what is done of it and what there is.
            on_epoch: Told how training stands after each epoch.
            on_nothing_to_resume: Told of the folder in which a resumed training found nothing.
        """
        from castline.models.training import train

        return train(
            self.settings,
            Path(dataset),
            training or Training(),
            on_progress=on_progress,
            on_epoch=on_epoch,
            on_nothing_to_resume=on_nothing_to_resume,
        )

    @as_castline_errors()
    def add_labels(
        self,
        additions: Mapping[str, Sequence[Path]],
        training: Training,
        *,
        dataset: str | Path | None = None,
        on_progress: Progress = tell_nobody,
    ) -> Trained:
        """Adds labels to the model `training.start` from 20 to 100 stills of each, in minutes.

        Args:
            additions: Folders of stills, or files of boxes, by the label or the name.
            training: Its start, name, seed and texts count.
            dataset: Of what the start knows, where it keeps no examples of that.
            on_progress: Called with each step's name, what is done of it and what there is.
        """
        from castline.models.training import add_labels

        return add_labels(
            self.settings,
            additions,
            training,
            dataset=None if dataset is None else Path(dataset),
            on_progress=on_progress,
        )

    @as_castline_errors()
    def compare(
        self,
        first: str,
        second: str,
        dataset: str | Path,
        *,
        part: str = "test",
        device: AnyDevice = Device.AUTO,
    ) -> "Comparison":
        """Compares two models on the stills of a dataset: what the second knows better and worse.

        Args:
            first: A model.
            second: The one that may replace it.
            dataset: The folder of one.
            part: Of the dataset: `test`, `validation` or `train`.
            device: Where to classify.
        """
        from castline.models.comparison import compare

        return compare(
            self.settings, first, second, Path(dataset), part=part, device=chosen(Device, device)
        )

    @as_castline_errors()
    def compare_on_episodes(
        self, first: str, second: str, episodes: Sequence[str], *, page: str | Path | None = None
    ) -> "EpisodesComparison":
        """Compares two models on episodes that both were run over, in seconds gained and lost.

        Args:
            first: A model.
            second: The one that may replace it.
            episodes: Which.
            page: Where to write it as HTML, with pictures; None for nowhere.
        """
        from castline.models.comparison_on_episodes import compare_on_episodes

        written = None if page is None else Path(page)
        return compare_on_episodes(self._installation, first, second, episodes, page=written)

    @as_castline_errors()
    def promote(
        self,
        model: str,
        *,
        dataset: str | Path | None = None,
        truths: Sequence[tuple[str, str | Path]] = (),
        require: str = DEFAULT_REQUIREMENT,
        force: bool = False,
        device: AnyDevice = Device.AUTO,
    ) -> "Promotion":
        """Makes a model the one that new runs use and questions see, if it is not worse.

        Args:
            model: What to promote.
            dataset: Measure it and the model in use on the test set of this dataset.
            truths: Measure both models' runs over these episodes, too: (episode, truth file).
            require: The least that figures may change by.
            force: Whatever the figures say; that is recorded.
            device: Where to classify.

        Returns:
            What it loses, and whether it was promoted.
        """
        from castline.models.promotion import promote_if_not_worse

        return promote_if_not_worse(
            self._installation,
            model,
            dataset=None if dataset is None else Path(dataset),
            truths=[(name, Path(path)) for name, path in truths],
            requirement=require,
            force=force,
            device=chosen(Device, device),
        )

    @as_castline_errors()
    def rollback(self) -> "RolledBack":
        """Takes the latest promotion back: questions see again what they saw before it."""
        from castline.models.promotion import rollback

        return rollback(self._installation)
