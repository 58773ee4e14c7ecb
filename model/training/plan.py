"""What is to be trained: a value that refuses what would spoil an hour of training at its end."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from model.dataset.folder import Dataset
from model.pictures.regions import REGIONS, WHOLE
from model.recipe import Recipe
from model.training.checks import check_nothing_is_to_learn, check_start, check_teachers
from model.training.loop import outputs_of
from model.version.artifact import ModelVersion
from model.version.manifest import Manifest
from model.version.provenance import Provenance


@dataclass(frozen=True)
class TrainingPlan:
    """A model version that is to be trained.

    Raises:
        TrainingError: Nothing would be learnt, a teacher cannot teach this, or the start has
            another network.
        ArtifactError: Name or version are not allowed, or the weights of the start are damaged.
    """

    dataset: Dataset
    """Its train set is learnt, its validation set decides temperature and thresholds, and its test
    set decides nothing."""
    name: str
    """Of the version's family."""
    version: str
    """Within the family."""
    recipe: Recipe
    teachers: tuple[ModelVersion, ...] = ()
    """Model versions with the same labels, preprocessing and loss, whose answers are learnt, too,
    as far as the recipe says (`taught`)."""
    start: ModelVersion | None = None
    """The version whose weights initialise the network, in place of random ones. It has the
    recipe's network and preprocessing, as `model.recipe_changes.with_network_of` makes it, or is a
    residual network that gives a dense one its trunk. Of its labels, those of the dataset keep what
    they know."""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        """Check all but the dataset's shards, which takes reading them."""
        if not self.recipe.epochs:
            check_nothing_is_to_learn(self.dataset, self.recipe, self.teachers, self.start)
        _ = self.draft
        check_teachers(self.teachers, self.dataset, self.recipe)
        if self.start is not None:
            check_start(self.start, self.recipe)

    @cached_property
    def draft(self) -> Manifest:
        """The manifest as far as it is known before the training."""
        kept = None if self.recipe.epochs else self.start
        return Manifest(
            name=self.name,
            version=self.version,
            network=self.recipe.network,
            network_parameters=self.recipe.network_parameters,
            labels=outputs_of(self.recipe, self.dataset.manifest.labels),
            names=self.dataset.manifest.names,
            preprocessing=self.recipe.preprocessing,
            regions=(WHOLE,) if self.recipe.is_dense else REGIONS,
            closer_view=self.recipe.closer_view,
            temperature=1.0,
            onset=1.0,
            offset=1.0,
            training_data_sha256=self.dataset.manifest.fingerprint_sha256,
            metrics={},
            licence=self.provenance.licence,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            loss=kept.manifest.loss if kept else self.recipe.loss,
        )

    @property
    def identity(self) -> str:
        """A hash of what is trained and how, so that no checkpoint is continued as another's."""
        manifest = self.dataset.manifest
        content = {
            "dataset": manifest.fingerprint_sha256,
            "labels": manifest.labels,
            # which still is in which part: the fingerprint and the seed do not tell
            "shards": {
                part: [shard.sha256 for shard in shards] for part, shards in manifest.shards.items()
            },
            "recipe": asdict(self.recipe),
            "teachers": [teacher.sha256 for teacher in self.teachers],
            "start": self.start.sha256 if self.start else None,
        }
        return hashlib.sha256(
            json.dumps(content, sort_keys=True, default=dict).encode()
        ).hexdigest()
