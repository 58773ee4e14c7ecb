"""Convert Y'CbCr code values to R'G'B': matrices and ranges as defined by the standards."""

import numpy as np
import numpy.typing as npt

HD_HEIGHT = 720
"""Unspecified matrices mean BT.709 from this height on, BT.601 below: the broadcast convention."""

LUMA_WEIGHTS: dict[int, tuple[float, float]] = {
    1: (0.2126, 0.0722),  # ITU-R BT.709
    4: (0.30, 0.11),  # US FCC 73.682
    5: (0.299, 0.114),  # ITU-R BT.601, 625 lines
    6: (0.299, 0.114),  # ITU-R BT.601, 525 lines
    7: (0.212, 0.087),  # SMPTE ST 240
    9: (0.2627, 0.0593),  # ITU-R BT.2020, non-constant luminance
    10: (0.2627, 0.0593),  # ITU-R BT.2020, constant luminance: close enough to look right
}
"""Kr and Kb by matrix coefficients (ITU-T H.273, table 4)."""


def rgb_matrix(matrix: int, is_full_range: bool, bits: int, height: int) -> npt.NDArray[np.float32]:
    """Return the affine map from code values to R'G'B' between 0 and 1.

    Args:
        matrix: Matrix coefficients by H.273; unknown ones are guessed from the height.
        is_full_range: Whether code values use the whole range.
        bits: Bits per code value.
        height: Height of the frame in pixels.

    Returns:
        float32 (3, 4), for column vectors (Y, Cb, Cr, 1). Formulas: ITU-T H.273, equations 20 to 24
        (limited and full range) and 50 to 52 (matrix).
    """
    guess = 1 if height >= HD_HEIGHT else 6
    kr, kb = LUMA_WEIGHTS.get(matrix, LUMA_WEIGHTS[guess])
    kg = 1 - kr - kb
    peak = (1 << bits) - 1
    unit = 1 << (bits - 8)
    black, luma_span, chroma_span = (
        (0, peak, peak) if is_full_range else (16 * unit, 219 * unit, 224 * unit)
    )
    mix = np.array(
        [
            [1, 0, 2 * (1 - kr)],
            [1, -2 * kb * (1 - kb) / kg, -2 * kr * (1 - kr) / kg],
            [1, 2 * (1 - kb), 0],
        ]
    )
    scale = mix / np.array([luma_span, chroma_span, chroma_span])
    offset = scale @ np.array([black, 128 * unit, 128 * unit])
    return np.column_stack([scale, -offset]).astype(np.float32)
