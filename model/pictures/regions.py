"""The regions of a picture that are classified: the whole and its two halves.

The stills of the training set were cut from frames in exactly these three ways, so a network
trained on them knows full frames and halves of full height, nothing else.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ModelError

WHOLE: Final = "full"
"""The whole picture."""

REGIONS: Final = (WHOLE, "left", "right")
"""The names of all regions, in the order in which predictions list them."""


def cut(picture: NDArray[np.uint8], region: str) -> NDArray[np.uint8]:
    """Return the part of a picture that a region names, as a view.

    Args:
        picture: (height, width, channels) of any size.
        region: One of REGIONS. `left` is `[:, :width // 2]`, `right` is `[:, width // 2:]`: with an
            odd width the middle column belongs to the right half.

    Returns:
        A view of shape (height, about half the width, channels), or the picture itself for `full`.
        A picture one column wide has no halves: both are the column.

    Raises:
        ModelError: The region has another name.
    """
    if region not in REGIONS:
        raise ModelError(f"region {region!r} is unknown: use one of {', '.join(REGIONS)}")
    middle = picture.shape[1] // 2
    if region == "full" or middle == 0:
        return picture
    return picture[:, :middle] if region == "left" else picture[:, middle:]
