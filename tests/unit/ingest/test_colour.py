"""Colours against code values that the standards themselves print."""

import numpy as np
import pytest

from ingest.frames.colour import rgb_matrix
from ingest.frames.hdr import HLG, PQ, to_standard_range

# 8-bit limited-range code values of the colours of EBU bars at 75 % (ITU-R BT.471), as listed in
# ITU-R BT.601 (SMPTE EG 1) and, for 709, in SMPTE RP 219: colour -> (Y, Cb, Cr).
BARS_601 = {
    (191, 191, 191): (180, 128, 128),
    (191, 191, 0): (162, 44, 142),
    (0, 191, 191): (131, 156, 44),
    (0, 191, 0): (112, 72, 58),
    (191, 0, 191): (84, 184, 198),
    (191, 0, 0): (65, 100, 212),
    (0, 0, 191): (35, 212, 114),
}
BARS_709 = {
    (191, 191, 191): (180, 128, 128),
    (191, 191, 0): (168, 44, 136),
    (0, 191, 191): (145, 147, 44),
    (0, 191, 0): (133, 63, 52),
    (191, 0, 191): (63, 193, 204),
    (191, 0, 0): (51, 109, 212),
    (0, 0, 191): (28, 212, 120),
}


def colour(codes: tuple[int, ...], matrix: int, height: int, bits: int = 8) -> list[int]:
    rgb = rgb_matrix(matrix, False, bits, height) @ np.array([*codes, 1], np.float32)
    return [round(float(value) * 255) for value in rgb]


@pytest.mark.parametrize(("rgb", "codes"), BARS_601.items())
def test_unspecified_colours_of_small_pictures_are_bt601(
    rgb: tuple[int, ...], codes: tuple[int, ...]
) -> None:
    assert colour(codes, matrix=2, height=576) == pytest.approx(rgb, abs=2)


@pytest.mark.parametrize(("rgb", "codes"), BARS_709.items())
def test_unspecified_colours_of_hd_pictures_are_bt709(
    rgb: tuple[int, ...], codes: tuple[int, ...]
) -> None:
    assert colour(codes, matrix=2, height=1080) == pytest.approx(rgb, abs=2)


def test_stated_matrix_wins_over_the_height() -> None:
    assert colour((51, 109, 212), matrix=1, height=480) == pytest.approx((191, 0, 0), abs=2)


def test_ten_bits_are_four_times_eight() -> None:
    assert colour((204, 436, 848), matrix=1, height=1080, bits=10) == pytest.approx(
        (191, 0, 0), abs=2
    )


def test_full_range_reaches_black_and_white() -> None:
    matrix = rgb_matrix(6, True, 8, 480)

    assert matrix @ np.array([255, 128, 128, 1]) == pytest.approx([1, 1, 1], abs=0.01)
    assert matrix @ np.array([0, 128, 128, 1]) == pytest.approx([0, 0, 0], abs=0.01)


def grey(signal: float, transfer: int) -> float:
    rgb = np.full((1, 1, 3), signal, np.float32)
    return float(to_standard_range(rgb, transfer, 9)[0, 0, 1])


@pytest.mark.parametrize(("transfer", "white"), [(PQ, 0.58), (HLG, 0.75)])
def test_hdr_reference_white_is_bright_but_not_burnt(transfer: int, white: float) -> None:
    # ITU-R BT.2408, table 1: diffuse white at 58 % PQ and 75 % HLG.
    assert 0.65 < grey(white, transfer) < 0.9


@pytest.mark.parametrize(("transfer", "skin"), [(PQ, 0.42), (HLG, 0.43)])
def test_hdr_medium_grey_is_medium(transfer: int, skin: float) -> None:
    # ITU-R BT.2408, table 1: an 18 % grey card lies at 38 % of either signal; its standard
    # range signal is about 0.41 (BT.709). Skin tones lie a little above.
    assert 0.3 < grey(skin, transfer) < 0.6


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_goes_from_black_to_white_without_turning_back(transfer: int) -> None:
    steps = [grey(n / 50, transfer) for n in range(51)]

    assert steps[0] == pytest.approx(0, abs=0.02)
    assert steps[-1] == pytest.approx(1, abs=0.02)
    assert steps == sorted(steps)


def test_hdr_grey_stays_grey() -> None:
    rgb = np.full((2, 2, 3), 0.5, np.float32)

    toned = to_standard_range(rgb, PQ, 9)

    assert np.ptp(toned) < 0.01
