"""The model versions of a library."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from castline.asking.times import Time
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
    from castline.models.removal import ModelRemoval
    from castline.models.values import Changed, Thresholds
    from model.training.history import Epoch


class ModelMethods(Opened):
    """Training, comparing and promoting model versions, and their thresholds.

    A model is given by NAME, which means its newest version, or by NAME@VERSION. `device` selects
    the device to classify on: `auto`, `cpu` or `gpu`.
    """

    @as_castline_errors()
    def models(self) -> Models:
        """Return the installed model versions.

        Returns:
            The model versions, the newest first, and errors of folders that cannot be read.
        """
        from castline.models import listing

        return listing.models(self._installation)

    @as_castline_errors()
    def model(self, reference: str) -> Model:
        """Return one model version.

        Args:
            reference: NAME or NAME@VERSION.

        Returns:
            The model version.

        Raises:
            NotFoundError: There is no such model version.
            ModelError: Its folder cannot be read.
        """
        from castline.models import listing

        return listing.model(self._installation, reference)

    @as_castline_errors()
    def import_model(self, folder: str | Path) -> Imported:
        """Check a model version's folder and copy it into the library.

        Args:
            folder: The folder of the model version.

        Returns:
            The model version, and whether it is new.

        Raises:
            ModelError: The folder is not a valid model version, or cannot be copied.
        """
        from castline.models import listing

        return listing.import_model(self.settings, Path(folder))

    @as_castline_errors()
    def plan_model_removal(self, reference: str) -> "ModelRemoval":
        """Return what removing a model version would remove; change nothing.

        Args:
            reference: The model.

        Raises:
            RequestError: The model is bundled, in use, or that of the next rollback.
        """
        from castline.models.removal import plan_removal

        return plan_removal(self._installation, reference)

    @as_castline_errors()
    def remove_model(self, reference: str) -> None:
        """Remove a model version with its runs and its folder.

        Episodes that showed its runs show those of another model, if there are any.

        Args:
            reference: The model.

        Raises:
            RequestError: The model is bundled, in use, or that of the next rollback.
        """
        from castline.models.removal import remove

        remove(self._installation, reference)

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
        """Train a recogniser, choose its thresholds, test it, and write it with its report.

        Args:
            dataset: Folder of a dataset from `build_dataset`.
            training: Parameters of the training; None for the defaults.
            on_progress: Called with the name of a step, the amount done and the total.
            on_epoch: Called after each epoch.
            on_nothing_to_resume: Called with the folder if a training to be resumed was not found
                in it.

        Returns:
            The new model version.

        Raises:
            DatasetError: The dataset cannot be used.
            NotFoundError: There is no such start model or teacher.
            ModelError: A parameter is invalid, or the extra `train` is not installed.
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
        """Add labels to the model `training.start` from 20 to 100 stills of each, in minutes.

        Args:
            additions: Folders of stills, or files of boxes, by label or display name.
            training: Only its start, name, seed and texts count.
            dataset: The start model's training dataset, needed where the model keeps no examples of
                it.
            on_progress: Called with the name of a step, the amount done and the total.

        Returns:
            The new model version.

        Raises:
            DatasetError: The stills or the dataset cannot be used.
            NotFoundError: There is no such start model.
            ModelError: The start model is unsuitable, or the extra `train` is not
                installed.
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
        """Compare two models on the stills of a dataset.

        Args:
            first: The first model.
            second: The model that may replace it.
            dataset: Folder of a dataset.
            part: Set of the dataset: `test`, `validation` or `train`.
            device: Device to classify on.

        Returns:
            The metrics of both models, and the stills that only one of them classifies correctly.

        Raises:
            DatasetError: The dataset does not fit the models, or cannot be read.
            NotFoundError: There is no such model.
            ModelError: A model or the device cannot be used.
        """
        from castline.models.comparison import compare

        return compare(
            self.settings, first, second, Path(dataset), part=part, device=chosen(Device, device)
        )

    @as_castline_errors()
    def compare_on_episodes(
        self, first: str, second: str, episodes: Sequence[str], *, page: str | Path | None = None
    ) -> "EpisodesComparison":
        """Compare two models on episodes with runs of both, in seconds gained and lost.

        Args:
            first: The first model.
            second: The model that may replace it.
            episodes: The episodes.
            page: Path of an HTML page with pictures to write; None for no page.

        Returns:
            The differences in each episode and in total.

        Raises:
            NotFoundError: A name matches no episode or model, or several.
            RequestError: A model has no run over an episode.
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
        """Make a model the one for new runs and for questions, if it is not worse.

        Args:
            model: The model to promote.
            dataset: Measure this model and the one in use on the test set of this dataset.
            truths: Also measure both models' runs on episodes: pairs of episode and truth file.
            require: Least permitted change of each metric.
            force: Promote regardless of the metrics; this is recorded.
            device: Device to classify on.

        Returns:
            Whether the model was promoted, and in which metrics it falls short.

        Raises:
            NotFoundError: A name matches no model or episode, or several.
            RequestError: The requirement is invalid, or nothing was measured and `force` is not
                given.
            DatasetError: The dataset does not fit the models, or cannot be read.
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
        """Undo the latest promotion: questions are answered again from the runs before it.

        Returns:
            The withdrawn model, and the one that is in use again.

        Raises:
            NotFoundError: There is no promotion to undo.
        """
        from castline.models.promotion import rollback

        return rollback(self._installation)

    @as_castline_errors()
    def thresholds(self, model: str | None = None) -> "Thresholds":
        """Return the confidences at which a model's appearances start and end.

        Args:
            model: The model; None for the one in use.

        Returns:
            The thresholds by label.

        Raises:
            NotFoundError: There is no such model.
        """
        from castline.models.thresholds import thresholds

        return thresholds(self._installation, model)

    @as_castline_errors()
    def set_thresholds(
        self,
        *,
        label: str | None = None,
        onset: float | None = None,
        offset: float | None = None,
        min_duration_on: Time | None = None,
        min_duration_off: Time | None = None,
        model: str | None = None,
        on_progress: Progress = tell_nobody,
    ) -> "Changed":
        """Set thresholds for all runs of a model, and derive their appearances again.

        No frame is classified again: the tags are stored. Questions are answered from the old
        appearances until all new ones replace them in one transaction; new runs of the model use
        the thresholds, too.

        Args:
            label: Only for this label; None for all.
            onset: The confidence at which an appearance starts.
            offset: The confidence below which it ends.
            min_duration_on: Appearances that last fewer seconds are dropped.
            min_duration_off: Gaps that last fewer seconds are filled.
            model: The model; None for the one in use.
            on_progress: Called with the name of a step, the amount done and the total.

        Returns:
            The numbers of runs and appearances.

        Raises:
            NotFoundError: There is no such model or label.
        """
        from castline.models.thresholds import Wish, set_thresholds

        wish = Wish(label, onset, offset, min_duration_on, min_duration_off)
        return set_thresholds(self._installation, wish, model, on_progress)

    @as_castline_errors()
    def reset_thresholds(
        self,
        *,
        label: str | None = None,
        model: str | None = None,
        on_progress: Progress = tell_nobody,
    ) -> "Changed":
        """Restore a model's original thresholds, for all labels or for one.

        Args:
            label: Only for this label; None for all.
            model: The model; None for the one in use.
            on_progress: Called with the name of a step, the amount done and the total.

        Returns:
            The numbers of runs and appearances.

        Raises:
            NotFoundError: There is no such model or label.
        """
        from castline.models.thresholds import reset_thresholds

        return reset_thresholds(self._installation, label, model, on_progress)
