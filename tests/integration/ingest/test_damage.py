"""Damaged files: what is missing is said, what is there is exact, nothing brings us down."""

import os
import random
from fractions import Fraction
from pathlib import Path

import pytest

from exact.ranges import PtsRange
from ingest.decoder.parent import Decoder
from ingest.errors import DecoderLost, IngestError
from ingest.frames.chunks import plan_chunks
from ingest.frames.extract_request import Extraction
from tests.video.media import (
    MADE,
    SECONDS,
    X264,
    MadeVideo,
    extract_episode,
    fine_units,
    pattern,
    probe,
    run_ffmpeg,
)

pytestmark = [pytest.mark.integration, pytest.mark.fault]

MUTANTS = int(os.environ.get("CASTLINE_MUTANTS", "200"))
BY_NAME = {made.name: made for made in MADE}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


def cut(path: Path, share: float, folder: Path) -> Path:
    """A copy of the first part of a file."""
    content = path.read_bytes()
    short = folder / f"cut_{path.name}"
    short.write_bytes(content[: int(share * len(content))])
    return short


def fast_start(folder: Path) -> Path:
    path = folder / "fast_start.mp4"
    run_ffmpeg("-i", BY_NAME["film_23976.mp4"].make(folder), *COPY, "-movflags", "faststart", path)
    return path


COPY = ("-c", "copy")


@pytest.mark.parametrize(
    "name", ["pal_25.mkv", "late_start.mkv", "mpeg4_plain.avi", "fast", "fine"]
)
def test_truncated_file_says_from_when_on_it_is_missing(
    name: str, folder: Path, tmp_path: Path
) -> None:
    odd = {"fast": fast_start, "fine": fine_units}
    whole = (odd[name] if name in odd else BY_NAME[name].make)(folder)
    complete = probe(whole)

    described = probe(cut(whole, 0.6, tmp_path))
    frames, missing = extract_episode(described, tmp_path, 600)

    assert complete.missing == ()
    assert described.duration_seconds == pytest.approx(SECONDS, abs=0.05)
    assert len(described.missing) == 1
    start, end = described.missing[0]
    assert end == described.end_pts
    assert 1 < (start - described.start_pts) * described.time_base < SECONDS - 1
    assert frames
    assert all(pts < start for pts, _ in frames)
    # Nothing before the cut is lost but perhaps the last frame, whose bytes may be cut in two.
    assert missing[-1][1] == end
    assert (start - missing[0][0]) * described.time_base <= Fraction(1, 2)


def test_whole_file_has_nothing_missing_whatever_its_tags_say(tmp_path: Path) -> None:
    # A duration tag left over from a longer file, while the container knows better.
    path = tmp_path / "tagged.mkv"
    run_ffmpeg(*pattern(), *X264, "-metadata:s:v", "DURATION-eng=00:20:00.000000000", path)

    assert probe(path).missing == ()


def test_length_of_an_avi_is_counted_in_its_own_units(folder: Path) -> None:
    path = fine_units(folder)

    described = probe(path)

    assert described.time_base == Fraction(1, 600)
    assert described.duration_seconds == SECONDS
    assert described.missing == ()


def test_hole_in_a_transport_stream_is_missing(folder: Path, tmp_path: Path) -> None:
    content = BY_NAME["smooth_5994.ts"].make(folder).read_bytes()
    packet = 188  # bytes of a transport stream packet (ISO/IEC 13818-1, 2.4.3.2)
    third = len(content) // packet // 3 * packet
    path = tmp_path / "hole.ts"
    path.write_bytes(content[:third] + content[2 * third :])

    described = probe(path)

    assert len(described.missing) == 1
    start, end = described.missing[0]
    assert Fraction(3, 2) < (end - start) * described.time_base < Fraction(5, 2)


def test_broken_pictures_are_counted_and_their_samples_missing(
    folder: Path, tmp_path: Path
) -> None:
    whole = BY_NAME["motion_jpeg.avi"].make(folder)
    content = bytearray(whole.read_bytes())
    described = probe(whole)
    intact, _ = extract_episode(described, tmp_path, 600)
    # Picture 50 is on display at 2 s: sample 4. Its entry starts with its own marker.
    start = content.index(b"movi")
    for _ in range(51):
        start = content.index(b"00dc", start + 1)
    size = int.from_bytes(content[start + 4 : start + 8], "little")
    content[start + 8 : start + 8 + size] = bytes(size)
    path = tmp_path / "broken.avi"
    path.write_bytes(content)

    frames, missing = extract_episode(probe(path), tmp_path, 600)

    lost: PtsRange = (50, 62)  # 2 s to 2.5 s at 25 per second, rounded down
    assert missing == (lost,)
    assert frames == [frame for frame in intact if frame[0] != 50]


MUTATED = [
    MadeVideo("small.mp4", (*pattern("12", 3, "96x64"), *X264, "-g", "12")),
    MadeVideo("small.mkv", (*pattern("12", 3, "96x64"), *X264, "-g", "12")),
    MadeVideo("small.ts", (*pattern("12", 3, "96x64"), *X264, "-g", "12")),
    MadeVideo("small.avi", (*pattern("12", 3, "96x64"), "-c:v", "mpeg4", "-bf", "2")),
    MadeVideo("hevc.mkv", (*pattern("12", 3, "96x64"), "-c:v", "libx265")),
    MadeVideo("small.flv", (*pattern("12", 3, "96x64"), *X264, "-g", "12")),
]


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Overwrite some bytes, in two of five copies near the headers only."""
    mutant = bytearray(content)
    reach = min(len(mutant), 1500) if chance.random() < 0.4 else len(mutant)
    for _ in range(chance.choice((1, 5, 50, 500))):
        mutant[chance.randrange(reach)] = chance.randrange(256)
    return bytes(mutant)


def extract_through(decoder: Decoder, path: Path, folder: Path) -> bool:
    """Everything that is done to an episode. Whether frames were stored."""
    described = decoder.probe(path)
    area = decoder.find_picture_area(described)
    chunks = plan_chunks(
        described.start_pts,
        described.end_pts,
        described.key_pts,
        described.time_base,
        Fraction(60),
    )
    found = False
    for chunk in chunks[:2]:
        store = folder / "chunk.zip"
        extracted = decoder.extract(
            Extraction.of(described, described.path, chunk, Fraction(1, 2), area, store)
        )
        found = found or bool(extracted.sampled_pts)
        for start, end in extracted.missing:
            assert chunk.start_pts <= start < end <= chunk.end_pts
    return found


def test_flipped_bytes_never_crash_anything_but_the_decoder(tmp_path: Path) -> None:
    originals = [made.make(tmp_path) for made in MUTATED]
    chance = random.Random(20221023)
    read = refused = lost = 0
    messages: list[str] = []
    with Decoder() as decoder:
        for number in range(MUTANTS):
            original = originals[number % len(originals)]
            path = tmp_path / f"mutant{original.suffix}"
            path.write_bytes(mutate(original.read_bytes(), chance))
            try:
                read += extract_through(decoder, path, tmp_path)
            except DecoderLost:
                lost += 1
            except IngestError as error:
                refused += 1
                messages.append(str(error))

        assert extract_through(decoder, originals[0], tmp_path), "the next request works"

    assert not [message for message in messages if "\n" in message]
    assert read > MUTANTS / 4, "most mutants still show something"
    assert lost <= MUTANTS / 20, f"{lost} decoders lost, {refused} files refused"
