"""Tone-map high dynamic range pictures (PQ, HLG, BT.2020) plausibly to standard range.

A recogniser trained on ordinary pictures needs pictures that look ordinary, not a mastering tool.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

PQ = 16
HLG = 18
"""Transfer characteristics by ITU-T H.273, table 3."""

BT2020_PRIMARIES = 9
"""Colour primaries by ITU-T H.273, table 2."""

WHITE_NITS = 203.0
"""Diffuse white of HDR pictures (ITU-R BT.2408, table 1): it becomes white."""

HLG_PEAK_NITS = 1000.0
"""Nominal peak of the display for which HLG is defined (ITU-R BT.2100, table 5)."""

_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    dtype=np.float32,
)
"""Linear light (ITU-R BT.2087, section 4)."""


def is_high_range(transfer: int) -> bool:
    """Tell whether a picture of these transfer characteristics needs tone mapping."""
    return transfer in (PQ, HLG)


def to_standard_range(rgb: Floats, transfer: int, primaries: int) -> Floats:
    """Map an HDR picture to standard range and BT.709 primaries.

    Args:
        rgb: float32 (h, w, 3), non-linear R'G'B' between 0 and 1.
        transfer: PQ or HLG.
        primaries: Colour primaries by H.273; all except BT.2020 are left unchanged.

    Returns:
        float32 (h, w, 3), non-linear BT.709 R'G'B' between 0 and 1.
    """
    clipped = np.clip(rgb, 0, 1)
    nits = _pq_nits(clipped) if transfer == PQ else _hlg_nits(clipped)
    light = nits / np.float32(WHITE_NITS)
    if primaries == BT2020_PRIMARIES:
        light = np.maximum(light @ _BT2020_TO_BT709.T, 0)
    return _encoded(_toned(light))


def _pq_nits(signal: Floats) -> Floats:
    """Convert a PQ signal to absolute light: SMPTE ST 2084, the inverse of equation 5.1."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = signal ** np.float32(1 / m2)
    light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(10_000 * light, dtype=np.float32)


def _hlg_nits(signal: Floats) -> Floats:
    """Convert HLG to light: ITU-R BT.2100, table 5, inverse OETF, then OOTF with gamma 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    gain = HLG_PEAK_NITS * np.maximum(luminance, 1e-6) ** 0.2
    return np.asarray(scene * gain[..., None], dtype=np.float32)


def _toned(light: Floats) -> Floats:
    """Apply extended Reinhard (Reinhard et al. 2002, equation 4) to the brightest channel.

    The white point is the HLG peak, so that the usual masters of 1,000 nits just reach white.
    Scaling all channels alike keeps the hue.
    """
    white = HLG_PEAK_NITS / WHITE_NITS
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    toned = brightest * (1 + brightest / white**2) / (1 + brightest)
    return np.asarray(np.clip(light * (toned / brightest), 0, 1), dtype=np.float32)


def _encoded(light: Floats) -> Floats:
    """Convert linear light to a signal: ITU-R BT.709, item 1.2."""
    curve = 1.099 * np.maximum(light, 0.018) ** 0.45 - 0.099
    return np.asarray(np.where(light < 0.018, 4.5 * light, curve), dtype=np.float32)
