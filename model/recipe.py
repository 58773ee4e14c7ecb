"""The hyperparameters of a training."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from model.errors import ModelError
from model.networks import baseline, dense, residual
from model.pictures.preprocess import FINE, PREPROCESSINGS, TASK, WHOLE_FRAMES, WIDE
from model.version.manifest import DENSE, LOSSES, PLACES
from model.version.region_views import RegionViews

OPTIMIZERS: Final = ("adam", "adamw", "muon")
"""Names of the optimisers in `model.training.optimizers`."""

SIDE_STEP: Final = 16
"""Steps of the input size in pixels: three sizes from 64 to 96, as kernels are chosen per size."""

LEAST_FIRST_SIDE: Final = 32
"""In pixels: networks that halve it five times are left with one."""


@dataclass(frozen=True)
class Recipe:
    """All hyperparameters of a training; the defaults are those of the original task.

    Raises:
        ModelError: A value is out of bounds; the message names it.
    """

    network: str = "baseline"
    """Name of the network in `model.networks.named`."""
    network_parameters: Mapping[str, Any] = field(default_factory=lambda: baseline.PARAMETERS)
    """Parameters of that network."""
    preprocessing: str = TASK.name
    """Name of the preprocessing in `model.pictures.preprocess`."""
    epochs: int = 13
    """Number of epochs, each of which shows as many pictures as there are stills, unless a field
    below says otherwise; 0 keeps a start's weights unchanged."""
    patience_epochs: int = 0
    """Early stopping: training ends after this many epochs without a lower validation loss, and the
    weights of the best epoch are kept; 0 for never."""
    batch_size: int = 40
    """Stills per step."""
    optimizer: str = "adam"
    """`adam` (Kingma and Ba, 2014); `adamw`, with decoupled weight decay (Loshchilov, Hutter,
    2017); or `muon` (Jordan et al., 2024), which orthogonalises the updates of convolutions."""
    learning_rate: float = 1e-3
    """Highest learning rate; the default is Adam's."""
    final_learning_rate: float = 1e-3
    """Learning rate at the last step, reached by cosine decay (Loshchilov and Hutter, 2016)."""
    warm_up_epochs: float = 0.0
    """Epochs of linear warm-up, over which the learning rate rises from 0."""
    weight_decay: float = 0.0
    """Weight decay of `adamw` and `muon`, as a share of the learning rate."""
    loss: str = "categorical"
    """`categorical`: softmax cross-entropy over all labels. `binary`: sigmoid cross-entropy of each
    label on its own (Wightman et al., ResNet strikes back, 2021), so that a picture can have two
    characters, or no known one. `places`, for network `dense` only: focal cross-entropy of each
    label at each place (see `model.training.place_loss`)."""
    label_smoothing: float = 0.0
    """Label smoothing: share of the target that is spread over all labels (Szegedy et al., 2016),
    or, for the binary loss, between yes and no."""
    average_epochs: float = 0.0
    """Weights are averaged exponentially over about this many epochs (Polyak, 1992); 0 for no
    averaging."""
    first_side: int = 0
    """Progressive resizing (Tan and Le, 2021): pictures begin with this size in pixels and grow to
    that of the preprocessing, which makes the first epochs cheaper. Allowed are sizes from 32 on,
    in steps of 16 below the final one; 0 for the final size throughout, as network `baseline` needs
    it."""
    bfloat16: bool = False
    """Whether the network is trained in bfloat16 (mixed precision), on processors with instructions
    for it; weights, and everything besides training, stay in 32 bits. Other backends than
    TensorFlow do so on all processors, and for validation too."""
    label_floor: float = 0.0
    """Labels with fewer stills than this share of the average are oversampled up to it."""
    unknown_share: float = 0.0
    """Share of `unknown` in the pictures of an epoch, sampled newly in each epoch; 0 for all its
    stills."""
    least_shown: int = 0
    """Least number of pictures in an epoch: fewer stills are shown several times, because many
    different scenes can be composed of each."""
    mirror: bool = False
    """Whether every second picture is mirrored."""
    shift: float = 0.0
    """Largest shift across and down, as a share of the canvas' side."""
    zoom: float = 0.0
    """Largest change of size, as a natural logarithm: 0.1 is about 10 %."""
    stretch: float = 0.0
    """Largest change of the aspect ratio, as a natural logarithm."""
    brightness: float = 0.0
    """Largest change of brightness, as a natural logarithm."""
    tint: float = 0.0
    """Largest change of each colour channel, as a natural logarithm."""
    pasted_halves: float = 0.0
    """Share of pictures that show a second still beside the first, like frames with two
    characters."""
    compressed: float = 0.0
    """Share of pictures with artefacts of lossy compression, like frames of a video."""
    blurred: float = 0.0
    """Share of pictures that are blurred by shrinking and enlarging."""
    overlaid: float = 0.0
    """Share of pictures with a subtitle or a channel's logo."""
    erased: float = 0.0
    """Share of pictures with random erasing (Zhong et al., 2017)."""
    dyed: float = 0.0
    """Share of pictures in strongly coloured light, as at night, or with less saturation."""
    blended: float = 0.0
    """Share of pictures with mixup (Zhang et al., 2018)."""
    patched: float = 0.0
    """Share of pictures with CutMix (Yun et al., 2019)."""
    mosaics: float = 0.0
    """Share of scenes with mosaic augmentation: up to five figures, cut out by their boxes (see
    `model.scenes.scenes`); for network `dense` only, like the next three."""
    panels: float = 0.0
    """Share of scenes with two or three stills side by side."""
    whole_frames: float = 0.0
    """Share of scenes that show another, completely annotated picture, of which there are few."""
    corrected_after: tuple[int, ...] = ()
    """Epochs after which the network's predictions correct the boxes of the stills for the
    following epochs (pseudo-labels; see `model.scenes.whereabouts`); 0 for before the first epoch,
    if the start knows all labels."""
    taught: float = 0.0
    """Knowledge distillation: share of the targets that comes from teachers, if there are any; see
    `model.training.loop.train`."""
    closer_view: float = 0.0
    """Closer view: the centre of a whole frame, as a share of its side, that is classified
    additionally at inference; see `model.version.region_views`. 0 for never."""
    seed: int = 0
    """Seed of the initial weights, the order and the augmentation."""

    def __post_init__(self) -> None:
        if self.preprocessing not in (WHOLE_FRAMES if self.is_dense else PREPROCESSINGS):
            raise ModelError(
                f"recipe: preprocessing is {self.preprocessing!r}, which network {self.network} "
                "does not accept"
            )
        if self.optimizer not in OPTIMIZERS:
            allowed = ", ".join(OPTIMIZERS)
            raise ModelError(f"recipe: optimizer is {self.optimizer!r}; give one of {allowed}")
        if self.loss not in LOSSES:
            raise ModelError(f"recipe: loss is {self.loss!r}; give one of {', '.join(LOSSES)}")
        if self.is_dense != (self.loss == PLACES):
            raise ModelError(
                f"recipe: network {self.network} cannot be trained with loss {self.loss}"
            )
        self._check_first_side()
        if not all(type(epoch) is int and epoch >= 0 for epoch in self.corrected_after):
            raise ModelError(
                f"recipe: corrected_after is {self.corrected_after!r}; give numbers of epochs"
            )
        share = (0.0, 1.0)
        bounds: dict[str, tuple[float, float]] = {
            "epochs": (0, 10_000),
            "patience_epochs": (0, 10_000),
            "batch_size": (1, 4096),
            "learning_rate": (1e-7, 1.0),
            "final_learning_rate": (0.0, self.learning_rate),
            "warm_up_epochs": (0.0, self.epochs),
            "weight_decay": share,
            "label_smoothing": (0.0, 0.5),
            "average_epochs": (0.0, self.epochs),
            "label_floor": share,
            "unknown_share": (0.0, 0.5),
            "least_shown": (0, 10**7),
            "shift": (0.0, 0.25),  # a larger shift loses the character
            "zoom": (0.0, 0.7),  # half to twice the size
            "stretch": (0.0, 0.7),
            "brightness": (0.0, 0.7),
            "tint": (0.0, 0.7),
            "pasted_halves": share,
            "compressed": share,
            "blurred": share,
            "overlaid": share,
            "erased": share,
            "dyed": share,
            "blended": share,
            "patched": share,
            "mosaics": share,
            "panels": share,
            "whole_frames": share,
            "taught": share,
            "closer_view": (0.0, 0.0 if self.is_dense else 0.95),
            "seed": (0, 2**63 - 1),
        }
        for name, (lowest, highest) in bounds.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise ModelError(f"recipe: {name} is {value!r}; give {lowest:g} to {highest:g}")

    @property
    def is_dense(self) -> bool:
        """Whether the network sees whole frames and has an output for each place."""
        return self.network == DENSE

    @property
    def views(self) -> RegionViews:
        """The views that the network gets of a frame at inference."""
        return RegionViews(self.closer_view)

    def _check_first_side(self) -> None:
        sides = [0]
        if self.network == "residual":  # the other networks accept pictures of one shape only
            side = PREPROCESSINGS[self.preprocessing].side
            sides += range(side, LEAST_FIRST_SIDE - 1, -SIDE_STEP)
        if self.first_side not in sides:
            allowed = ", ".join(map(str, sorted(sides)))
            raise ModelError(
                f"recipe: first_side is {self.first_side!r}; network {self.network} takes {allowed}"
            )


BASELINE: Final = Recipe()
"""The original task's recipe: 13 epochs, batches of 40, no augmentation."""

REGIONAL: Final = Recipe(
    network="residual",
    network_parameters=residual.PARAMETERS,
    preprocessing=FINE.name,
    epochs=48,
    batch_size=96,
    optimizer="muon",
    learning_rate=4e-3,
    final_learning_rate=0.0,
    warm_up_epochs=2,
    weight_decay=0.05,
    loss="binary",
    label_smoothing=0.02,
    average_epochs=2.5,
    first_side=64,
    bfloat16=True,
    label_floor=0.6,
    unknown_share=0.1,
    mirror=True,
    shift=0.08,
    zoom=0.25,
    stretch=0.08,
    brightness=0.25,
    tint=0.06,
    pasted_halves=0.15,
    compressed=0.4,
    blurred=0.2,
    overlaid=0.1,
    erased=0.2,
    dyed=0.1,
    blended=0.15,
    patched=0.25,
    taught=0.8,
    closer_view=0.875,
)
"""The best regional recipe for an hour on two cores, with augmentation that imitates the frames of
an episode. The bundled dense model was initialised with the backbone of such a network."""

LARGE: Final = replace(
    REGIONAL,
    network_parameters=residual.LARGE_PARAMETERS,
    epochs=160,
    batch_size=192,
    first_side=0,
)
"""For a GPU: too slow on a CPU, but its networks are good teachers for `REGIONAL`."""

REGIONAL_FURTHER: Final = replace(
    REGIONAL, epochs=8, learning_rate=1e-3, warm_up_epochs=0.5, average_epochs=1, first_side=0
)
"""Fine-tuning of regional weights: the small steps with which `regional` ends."""

STRONG: Final = Recipe(
    network=DENSE,
    network_parameters=dense.PARAMETERS,
    preprocessing=WIDE.name,
    epochs=5,
    batch_size=32,
    optimizer="adamw",
    learning_rate=1.2e-3,
    final_learning_rate=0.0,
    warm_up_epochs=0.12,
    weight_decay=0.03,
    loss=PLACES,
    average_epochs=0.3,
    bfloat16=True,
    label_floor=0.7,
    unknown_share=0.14,
    least_shown=1920,
    brightness=0.3,
    tint=0.08,
    compressed=0.5,
    blurred=0.3,
    overlaid=0.1,
    erased=0.2,
    dyed=0.18,
    mosaics=0.36,
    panels=0.16,
    whole_frames=0.15,
    corrected_after=(1, 3),
)
"""The best recipe for an hour and a half on two cores, with scenes that imitate the frames of
episodes."""

FURTHER: Final = replace(STRONG, epochs=3, learning_rate=6e-4, corrected_after=(0,))
"""Fine-tuning of dense weights: the small steps with which `strong` ends."""

RECIPES: Final[Mapping[str, Recipe]] = {
    "baseline": BASELINE,
    "strong": STRONG,
    "regional": REGIONAL,
    "large": LARGE,
    "further": FURTHER,
}
"""Recipes by their names in commands."""


def recipe_named(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises:
        ModelError: The name is unknown.
    """
    if name not in RECIPES:
        *others, last = RECIPES
        raise ModelError(f"recipe {name!r} is unknown: use {', '.join(others)} or {last}")
    return RECIPES[name]


QUICK: Final = Recipe(
    network_parameters={"filters": [16, 32, 64, 64], "dense": 64},
    epochs=20,
    final_learning_rate=0.0,
    mirror=True,
)
"""Half a minute on two cores for 1,800 stills: half the filters, a quarter of the work."""
