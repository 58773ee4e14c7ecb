"""How a network is trained, as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from model.errors import ModelError
from model.networks import BASELINE_PARAMETERS


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what training makes of some stills; the defaults are the task's.

    Raises:
        ModelError: a number is out of bounds; the line names it.
    """

    network: str = "baseline"
    """Its name in `model.networks`."""
    network_parameters: Mapping[str, Any] = field(default_factory=lambda: BASELINE_PARAMETERS)
    """What that network takes."""
    epochs: int = 13
    """How often each still is shown."""
    batch_size: int = 40
    """Stills per step."""
    learning_rate: float = 1e-3
    """Of Adam at the first step: its authors' default (Kingma and Ba, 2014)."""
    final_learning_rate: float = 1e-3
    """Of Adam at the last step, reached along half a cosine (Loshchilov and Hutter, 2016)."""
    mirror: bool = False
    """Whether every second picture is mirrored."""
    shift_pixels: float = 0.0
    """Largest shift across and down, of 84 pixels."""
    zoom: float = 0.0
    """Largest change of size, as a natural logarithm: 0.1 is about 10 %."""
    brightness: float = 0.0
    """Largest change of light, as a natural logarithm."""
    tint: float = 0.0
    """Largest change of each colour on its own, as a natural logarithm."""
    pasted_halves: float = 0.0
    """Share of pictures that show a second still beside the first, as two-character frames do."""
    seed: int = 0
    """Of the split, the initial weights, the order and the variations."""

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "epochs": (1, 10_000),
            "batch_size": (1, 4096),
            "learning_rate": (1e-7, 1.0),
            "final_learning_rate": (0.0, self.learning_rate),
            "shift_pixels": (0.0, 20.0),  # a quarter of the canvas: more loses the character
            "zoom": (0.0, 0.7),  # half to twice the size
            "brightness": (0.0, 0.7),
            "tint": (0.0, 0.7),
            "pasted_halves": (0.0, 1.0),
            "seed": (0, 2**63 - 1),
        }
        for name, (lowest, highest) in bounds.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise ModelError(f"recipe: {name} is {value!r}; give {lowest:g} to {highest:g}")


BASELINE: Final = Recipe()
"""The task's recipe: 13 epochs, batches of 40, no variation."""

VARIED: Final = Recipe(
    epochs=30,
    final_learning_rate=0.0,
    mirror=True,
    shift_pixels=6.0,
    zoom=0.15,
    brightness=0.2,
    tint=0.05,
    pasted_halves=0.2,
)
"""The task's network shown stills as varied as an episode's frames."""

QUICK: Final = Recipe(
    network_parameters={"filters": [16, 32, 64, 64], "dense": 64},
    epochs=20,
    final_learning_rate=0.0,
    mirror=True,
)
"""Half a minute on two cores for 1,800 stills: half the filters, a quarter of the work."""
