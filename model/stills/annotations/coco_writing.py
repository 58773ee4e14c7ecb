"""Write boxes that a model proposes as COCO beside the pictures, for a person to correct.

A folder with this file is a source of `dataset build`, and of CVAT, Label Studio and others. The
format is that of cocodataset.org/#format-data; `score`, and the origin of a picture, are additional
fields, which readers ignore or show.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from model.errors import BoxError
from model.labels import UNKNOWN, known_labels
from model.pictures.boxes import Box

COCO_NAME: Final = "_annotations.coco.json"
"""The name that Roboflow uses: the only name by which a folder is recognised as COCO."""

_PIXEL_DIGITS: Final = 2
_SCORE_DIGITS: Final = 4


@dataclass(frozen=True)
class ScoredBox:
    """A box with a model's confidence.

    Raises:
        BoxError: The score is out of bounds.
    """

    box: Box
    score: float
    """Its confidence, 0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise BoxError(f"score {self.score!r} of a box of {self.box.label} is not in 0..1")


@dataclass(frozen=True)
class ProposedPicture:
    """A picture and the boxes that a model predicts in it."""

    file_name: str
    """Name of the picture beside the file of boxes."""
    width: int
    """In pixels, like the height."""
    height: int
    boxes: tuple[ScoredBox, ...]
    """The proposed boxes."""
    origin: Mapping[str, str | float] = field(default_factory=dict)
    """Origin of the picture, such as `episode` and `seconds`."""


def coco_text(
    pictures: Sequence[ProposedPicture],
    labels: Sequence[str],
    description: str,
    names: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the content of COCO_NAME.

    Args:
        pictures: The pictures, in their order.
        labels: The labels to choose from; `unknown`, for unknown characters, always comes last.
        description: Description of the whole.
        names: Display names of labels; labels without one are written as they are.
    """
    numbers = {label: number for number, label in enumerate((*known_labels(labels), UNKNOWN), 1)}
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, 1):
        for scored in picture.boxes:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": numbers[scored.box.label],
                    # no segmentation: Label Studio's converter fails on an empty one
                    **_pixels(scored.box, picture),
                    "iscrowd": 0,
                    "score": round(scored.score, _SCORE_DIGITS),
                }
            )
    document = {
        "info": {"description": description},
        "licenses": [],
        "categories": [
            {"id": number, "name": names.get(label, label), "supercategory": "character"}
            for label, number in numbers.items()
        ],
        "images": [
            {
                "id": image_id,
                "file_name": picture.file_name,
                "width": picture.width,
                "height": picture.height,
                **picture.origin,
            }
            for image_id, picture in enumerate(pictures, 1)
        ],
        "annotations": annotations,
    }
    return json.dumps(document, indent=1) + "\n"


def _pixels(box: Box, picture: ProposedPicture) -> dict[str, Any]:
    left, right = (share * picture.width for share in (box.left, box.right))
    top, bottom = (share * picture.height for share in (box.top, box.bottom))
    sides = [round(number, _PIXEL_DIGITS) for number in (left, top, right - left, bottom - top)]
    return {"bbox": sides, "area": round(sides[2] * sides[3], _PIXEL_DIGITS)}
