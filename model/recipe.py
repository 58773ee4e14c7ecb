"""How a network is trained, as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from model.errors import ModelError
from model.networks import baseline, dense, residual
from model.pictures.preprocess import FINE, PREPROCESSINGS, TASK, WHOLE_FRAMES, WIDE
from model.version.manifest import DENSE, LOSSES, PLACES
from model.version.region_views import RegionViews

OPTIMIZERS: Final = ("adam", "adamw", "muon")
"""Their names in `model.training.optimizers`."""

SIDE_STEP: Final = 16
"""Pixels by which sides grow: three sides from 64 to 96, so that kernels are seldom chosen anew."""

LEAST_FIRST_SIDE: Final = 32
"""Pixels: what networks halve five times is a single one then."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what training makes of some stills; the defaults are the task's.

    Raises:
        ModelError: a number is out of bounds; the line names it.
    """

    network: str = "baseline"
    """Its name in `model.networks.named`."""
    network_parameters: Mapping[str, Any] = field(default_factory=lambda: baseline.PARAMETERS)
    """What that network takes."""
    preprocessing: str = TASK.name
    """Its name in `model.pictures.preprocess`."""
    epochs: int = 13
    """How often as many stills as there are are shown; 0 keeps a start's weights as they are."""
    patience_epochs: int = 0
    """Training stops after so many epochs without a lower validation loss, and the weights of the
    best epoch are kept; 0 for never."""
    batch_size: int = 40
    """Stills per step."""
    optimizer: str = "adam"
    """`adam` (Kingma and Ba, 2014); `adamw`, whose decay is apart (Loshchilov, Hutter, 2017); or
    `muon` (Jordan et al., 2024), whose steps change a convolution in all directions alike."""
    learning_rate: float = 1e-3
    """At its highest: Adam's default."""
    final_learning_rate: float = 1e-3
    """At the last step, reached along half a cosine (Loshchilov and Hutter, 2016)."""
    warm_up_epochs: float = 0.0
    """Over which the learning rate rises in a line from 0."""
    weight_decay: float = 0.0
    """Of `adamw` and `muon`, a share of the learning rate."""
    loss: str = "categorical"
    """The cross-entropy of one label among all, or, `binary`, of each label against the rest
    (Wightman et al., ResNet strikes back, 2021): then two characters can be in a picture, or none
    that is known. `places`, of network `dense` alone: that of each label at each place (see
    `model.training.place_loss`)."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all labels (Szegedy et al., 2016), or, if the loss
    is binary, between yes and no."""
    average_epochs: float = 0.0
    """Weights are averaged over about so many epochs, exponentially (Polyak, 1992); 0 for not."""
    first_side: int = 0
    """Pictures begin with this side in pixels and grow to the preprocessing's (Tan and Le, 2021):
    the first epochs cost less. From 32 on, in steps of 16 below that side; 0 for that side
    throughout, as network `baseline` needs it."""
    bfloat16: bool = False
    """Whether the network computes in bfloat16 while it learns, on processors that have
    instructions for it; weights, and all that is not learning, stay in 32 bits. On backends other
    than TensorFlow it does so on all processors, and while it validates too."""
    label_floor: float = 0.0
    """Labels with fewer stills than this share of the average are shown as often as if they had
    as many."""
    unknown_share: float = 0.0
    """Of the stills that an epoch shows, drawn anew from those of `unknown`; 0 for all of them."""
    least_shown: int = 0
    """Pictures that an epoch shows at least: of fewer stills each is shown more often, for as many
    different scenes can be made of it."""
    mirror: bool = False
    """Whether every second picture is mirrored."""
    shift: float = 0.0
    """Largest shift across and down, as a share of the canvas' side."""
    zoom: float = 0.0
    """Largest change of size, as a natural logarithm: 0.1 is about 10 %."""
    stretch: float = 0.0
    """Largest change of the aspect ratio, as a natural logarithm."""
    brightness: float = 0.0
    """Largest change of light, as a natural logarithm."""
    tint: float = 0.0
    """Largest change of each colour on its own, as a natural logarithm."""
    pasted_halves: float = 0.0
    """Share of pictures that show a second still beside the first, as two-character frames do."""
    compressed: float = 0.0
    """Share of pictures with the marks of lossy compression, as a video's frames have them."""
    blurred: float = 0.0
    """Share of pictures that were smaller once."""
    overlaid: float = 0.0
    """Share of pictures with a subtitle or a channel's logo."""
    erased: float = 0.0
    """Share of pictures with a rectangle painted over (Zhong et al., 2017)."""
    dyed: float = 0.0
    """Share of pictures in strongly coloured light, as at night, or with less colour."""
    blended: float = 0.0
    """Share of pictures that another shines through (mixup: Zhang et al., 2018)."""
    patched: float = 0.0
    """Share of pictures with a square of another (CutMix: Yun et al., 2019)."""
    mosaics: float = 0.0
    """Share of scenes with up to five figures, cut out by their boxes (see `model.scenes.scenes`);
    of network `dense` alone, as are the next three."""
    panels: float = 0.0
    """Share of scenes with two or three stills side by side."""
    whole_frames: float = 0.0
    """Share of scenes that show another picture, in which everybody has a box: there are few."""
    corrected_after: tuple[int, ...] = ()
    """Epochs after which the network says where in the stills their labels are, for the next ones
    (see `model.scenes.whereabouts`); 0 for before the first one, by a start that knows all the
    labels."""
    taught: float = 0.0
    """Share of the targets that teachers give, where there are any; see
    `model.training.loop.train`."""
    closer_view: float = 0.0
    """The middle of a whole frame, as a share of its side, that is looked at once more when the
    network answers; see `model.version.region_views`. 0 for never."""
    seed: int = 0
    """Of the initial weights, the order and the variations."""

    def __post_init__(self) -> None:
        if self.preprocessing not in (WHOLE_FRAMES if self.is_dense else PREPROCESSINGS):
            raise ModelError(
                f"recipe: preprocessing is {self.preprocessing!r}, which network {self.network} "
                "does not take"
            )
        if self.optimizer not in OPTIMIZERS:
            allowed = ", ".join(OPTIMIZERS)
            raise ModelError(f"recipe: optimizer is {self.optimizer!r}; give one of {allowed}")
        if self.loss not in LOSSES:
            raise ModelError(f"recipe: loss is {self.loss!r}; give one of {', '.join(LOSSES)}")
        if self.is_dense != (self.loss == PLACES):
            raise ModelError(f"recipe: network {self.network} does not learn by loss {self.loss}")
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
            "shift": (0.0, 0.25),  # more loses the character
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
        """Whether the network looks at whole frames and answers for each place."""
        return self.network == DENSE

    @property
    def views(self) -> RegionViews:
        """How often the network looks when it answers."""
        return RegionViews(self.closer_view)

    def _check_first_side(self) -> None:
        sides = [0]
        if self.network == "residual":  # the others take pictures of one shape alone
            side = PREPROCESSINGS[self.preprocessing].side
            sides += range(side, LEAST_FIRST_SIDE - 1, -SIDE_STEP)
        if self.first_side not in sides:
            allowed = ", ".join(map(str, sorted(sides)))
            raise ModelError(
                f"recipe: first_side is {self.first_side!r}; network {self.network} takes {allowed}"
            )


BASELINE: Final = Recipe()
"""The task's recipe: 13 epochs, batches of 40, no variation."""

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
"""The best for regions that two cores train in an hour, shown stills as varied as an episode's
frames; the bundled dense model began with the trunk of such a network."""

LARGE: Final = replace(
    REGIONAL,
    network_parameters=residual.LARGE_PARAMETERS,
    epochs=160,
    batch_size=192,
    first_side=0,
)
"""For a GPU: too large to be quick on a CPU, and good teachers of `REGIONAL`."""

REGIONAL_FURTHER: Final = replace(
    REGIONAL, epochs=8, learning_rate=1e-3, warm_up_epochs=0.5, average_epochs=1, first_side=0
)
"""For weights for regions that know much already: the small steps with which `regional` ends."""

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
"""The best that two cores train in an hour and a half, by scenes as varied as frames of episodes
are."""

FURTHER: Final = replace(STRONG, epochs=3, learning_rate=6e-4, corrected_after=(0,))
"""For dense weights that know much already: the small steps with which `strong` ends."""

RECIPES: Final[Mapping[str, Recipe]] = {
    "baseline": BASELINE,
    "strong": STRONG,
    "regional": REGIONAL,
    "large": LARGE,
    "further": FURTHER,
}
"""By the names that commands take."""


def recipe_named(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises:
        ModelError: there is none of that name.
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
