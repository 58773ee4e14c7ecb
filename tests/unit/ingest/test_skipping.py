"""Finding an HEVC packet's sub-layer, in units written by hand from ITU-T H.265, 7.3.1.2."""

import pytest

from ingest.frames.skipping import hevc_sub_layer, nal_length_bytes


def unit(kind: int, sub_layer: int, payload: bytes = b"\xaa" * 6) -> bytes:
    return bytes([kind << 1, sub_layer + 1]) + payload


SEI_PREFIX = 39
TRAIL_N = 0


@pytest.mark.parametrize("sub_layer", [0, 1, 2])
def test_sub_layer_is_read_behind_start_codes(sub_layer: int) -> None:
    packet = b"\0\0\0\1" + unit(SEI_PREFIX, 0) + b"\0\0\1" + unit(TRAIL_N, sub_layer)

    assert hevc_sub_layer(packet, 0) == sub_layer


@pytest.mark.parametrize("length_bytes", [1, 2, 4])
def test_sub_layer_is_read_behind_lengths(length_bytes: int) -> None:
    units = [unit(SEI_PREFIX, 0), unit(TRAIL_N, 2)]
    packet = b"".join(len(one).to_bytes(length_bytes, "big") + one for one in units)

    assert hevc_sub_layer(packet, length_bytes) == 2


def test_packet_without_a_slice_has_no_sub_layer() -> None:
    assert hevc_sub_layer(b"\0\0\1" + unit(SEI_PREFIX, 0), 0) is None
    assert hevc_sub_layer(b"", 4) is None
    assert hevc_sub_layer(b"\xff\xff\xff\xff\x00", 4) is None


def test_framing_is_told_by_the_configuration_record() -> None:
    hvcc = b"\x01" + bytes(20) + bytes([0b11111100 | 3])

    assert nal_length_bytes(hvcc) == 4
    assert nal_length_bytes(b"\0\0\0\1\x40") == 0
    assert nal_length_bytes(b"\x01\x02") is None
