"""Determine which packets a decoder may skip without changing any other picture.

A frame that no other frame refers to need not be decoded unless it will be on display at a sample
time. The decoder itself recognises these frames (`skip_frame = NONREF`), per packet, as long as it
works with one thread. This is exact for:

- H.264: slices with `nal_ref_idc` 0 (ITU-T H.264, 7.4.1);
- MPEG-1, MPEG-2, MPEG-4 part 2: B pictures, which never serve as reference;
- HEVC: sub-layer non-reference pictures are never used by pictures of the SAME temporal sub-layer
  (ITU-T H.265, 7.4.2.2, table 7-1); higher sub-layers may still use them. So only those of the
  highest sub-layer of the chunk are skipped.
"""

SKIPPING_CODECS = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4"})
"""Codecs for which a test shows that skipping leaves every other pixel unchanged."""

_HEVC_VCL_TYPES = 32
"""NAL unit types below this carry slices of pictures (ITU-T H.265, table 7-1)."""

HEAD_BYTES = 4096
"""Enough of a packet to pass its parameter sets and messages and find its first slice."""


def nal_length_bytes(extradata: bytes) -> int | None:
    """Return how the NAL units of an HEVC stream are delimited.

    Args:
        extradata: The codec's configuration from the container.

    Returns:
        The number of bytes of the length field before each unit (MP4, Matroska: hvcC, ISO/IEC
        14496-15, 8.3.3.1), or 0 for start codes (transport streams: Annex B); None where it is
        unknown.
    """
    if extradata[:1] != b"\x01":
        return 0
    return (extradata[21] & 0x03) + 1 if len(extradata) > 21 else None


def hevc_sub_layer(head: bytes, length_bytes: int | None) -> int | None:
    """Return the temporal sub-layer of the first slice in an HEVC packet.

    Args:
        head: The first `HEAD_BYTES` bytes of the packet.
        length_bytes: See `nal_length_bytes`.

    Returns:
        Nuh_temporal_id_plus1 - 1, or None where no slice is found near the packet's start.
    """
    if length_bytes is None:
        return None
    position = length_bytes or _after_start_code(head, 0)
    while position < len(head) - 1:
        # nal_unit_header: forbidden_zero_bit, type (6), layer id (6), temporal id plus 1 (3)
        if head[position] >> 1 & 0x3F < _HEVC_VCL_TYPES:
            return (head[position + 1] & 0x07) - 1
        if length_bytes:
            unit_bytes = int.from_bytes(head[position - length_bytes : position], "big")
            position += unit_bytes + length_bytes
        else:
            position = _after_start_code(head, position)
    return None


def _after_start_code(head: bytes, position: int) -> int:
    found = head.find(b"\x00\x00\x01", position)
    return found + 3 if found >= 0 else len(head)
