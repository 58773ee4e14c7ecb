"""Measure how well openings and credits are found, and how long a library takes.

    python -m bench.repeats [--folder ../shared/video] [--episodes 500]

Makes three series of seven episodes each from clips. The constants in `timeline.repeats` and
`ingest.descriptors` were chosen with the first series; the second was kept for checking, and led to
another rule for held pictures; the third was made when all was settled. In each series:

- an opening of 20 s at another place in each episode: at the start, after a cold open, after a
  recap; in one episode 4 s of it are another picture, in one only its first 14 s are there;
- credits of 16 s over moving pictures, with other names in each, then 6 s of names on black;
- a scene of 12 s that another episode's recap shows again, and scenes of 6 s in three episodes,
  none of which is to be found;
- a copy of the second episode;
- other sizes, frame rates, qualities and brightness, and a logo in two of them.

Then searches made-up descriptions of a library: its episodes of 22 minutes share two minutes and,
for a tenth of their shots, backgrounds.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

import imageio_ffmpeg
import numpy as np

from bench.episode_frames import store_frames
from castline.repeats.sampled import SampleTimes, read_samples
from exact.ranges import intersection, union
from ingest.decoder.parent import Decoder
from timeline.repeats.matching import Samples
from timeline.repeats.recurring import SeriesSearch

Seconds = tuple[Fraction, Fraction]

OPENING_SECONDS, CREDITS_SECONDS, BLACK_SECONDS = 20, 16, 6


@dataclass(frozen=True)
class Part:
    """A piece of a clip, as it is put into an episode."""

    clip: str
    start: float
    seconds: float
    kind: str = "body"
    """`opening` and `credits` are to be found."""
    mirrored: bool = False
    names: str = ""
    """Text over the picture."""


@dataclass(frozen=True)
class Encoding:
    """How an episode is encoded."""

    width: int = 640
    height: int = 480
    rate: str = "24000/1001"
    quality: int = 22
    more: str = "null"
    """Further filters."""


LOGO: Final = "drawbox=x=iw*0.86:y=ih*0.06:w=iw*0.08:h=ih*0.09:color=white@0.8:t=fill"

ENCODINGS: Final = (
    Encoding(),
    Encoding(480, 360, "25", 30, f"eq=brightness=0.03:contrast=0.95,{LOGO}"),
    Encoding(854, 480, "24", 26),
    Encoding(512, 384, "30000/1001", 32, "eq=saturation=0.8"),
    Encoding(720, 576, "25", 20, f"crop=iw*0.98:ih*0.98,{LOGO}"),
    Encoding(352, 288, "12", 34),
    Encoding(320, 240, "25", 33, "eq=brightness=-0.03"),
)
"""Of each episode of a series; the last is that of the copy."""


@dataclass
class Footage:
    """Clips of which each second is taken once, and then once more as seen in a mirror."""

    clips: Mapping[str, Seconds]
    """By name the part that bodies are made of."""
    _left: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        for mirrored in (False, True):
            for clip, (start, end) in self.clips.items():
                self._left.append(Part(clip, float(start), float(end - start), mirrored=mirrored))

    def take(self, seconds: float) -> list[Part]:
        """Return the next parts of so many seconds together."""
        taken: list[Part] = []
        while seconds > 0:
            part = self._left.pop(0)
            length = min(part.seconds, seconds)
            taken.append(Part(part.clip, part.start, length, mirrored=part.mirrored))
            if part.seconds > length:
                rest = Part(
                    *(part.clip, part.start + length, part.seconds - length),
                    mirrored=part.mirrored,
                )
                self._left.insert(0, rest)
            seconds -= length
        return taken


@dataclass(frozen=True)
class Series:
    """What a series is made of."""

    name: str
    opening: Part
    credits: Part
    footage: Footage


def series() -> Iterator[Series]:
    """Yield the series, in the order in which they were used."""
    yield Series(
        "that constants were chosen with",
        Part("popeye_sindbad_hevc_1440x1074_1.mkv", 5, OPENING_SECONDS, "opening"),
        Part("popeye_sindbad_hevc_1440x1074_1.mkv", 40, CREDITS_SECONDS, "credits"),
        Footage(
            {
                "popeye_sindbad_hevc_1440x1074_2.mkv": (Fraction(0), Fraction(59)),
                "springfield_composed_240s.mp4": (Fraction(0), Fraction(238)),
            }
        ),
    )
    yield Series(
        "kept for checking",
        Part("big_buck_bunny_480p_30s.mp4", 8, OPENING_SECONDS, "opening"),
        Part("popeye_sindbad_hevc_1440x1074_4.mkv", 3, CREDITS_SECONDS, "credits"),
        Footage(
            {
                "real_footage_71_clips.mp4": (Fraction(0), Fraction(174)),
                "popeye_sindbad_hevc_1440x1074_3.mkv": (Fraction(0), Fraction(57)),
                "popeye_sindbad_hevc_1440x1074_4.mkv": (Fraction(20), Fraction(59)),
            }
        ),
    )
    yield Series(
        "made when all was settled",
        Part("springfield_composed_pillarbox_90s.mp4", 4, OPENING_SECONDS, "opening"),
        Part("real_footage_71_clips.mp4", 2, CREDITS_SECONDS, "credits"),
        Footage(
            {
                "popeye_sindbad_hevc_1440x1074_3.mkv": (Fraction(0), Fraction(57)),
                "big_buck_bunny_480p_30s.mp4": (Fraction(0), Fraction(29)),
                "real_footage_71_clips.mp4": (Fraction(26), Fraction(174)),
            }
        ),
    )


def episodes_of(made: Series) -> list[list[Part]]:
    """Return the parts of each episode."""
    names = count(1)

    def opening(start: float = 0, seconds: float = OPENING_SECONDS) -> Part:
        return Part(made.opening.clip, made.opening.start + start, seconds, "opening")

    def closing() -> list[Part]:
        number = next(names)
        text = f"written by   Author {number}\n\nbackgrounds   Painter {7 * number}"
        moving = Part(made.credits.clip, made.credits.start, CREDITS_SECONDS, "credits", names=text)
        black = Part("black", 0, BLACK_SECONDS, "black", names=f"music   Composer {3 * number}")
        return [moving, black]

    body = made.footage.take
    stock, [scene, *_], gag = body(6), body(12), body(4)
    second = [*body(10), opening(), *body(15), scene, *body(15), *closing()]
    recap = [*body(4), scene, *body(5)]
    return [
        [opening(), *body(20), *stock, *body(20), *closing()],
        second,
        [*recap, opening(), *body(25), *closing()],
        [*body(30), opening(0, 8), *gag, opening(12, 8), *stock, *body(10), *closing()],
        [*body(5), opening(), *body(40)],
        [opening(0, 14), *body(25), *stock, *body(10), *closing()],
        second,
    ]


def make(parts: Sequence[Part], encoding: Encoding, clips: Path, output: Path) -> None:
    """Write an episode."""
    import matplotlib as mpl

    font = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    inputs: list[str] = []
    filters: list[str] = []
    for number, part in enumerate(parts):
        if part.clip == "black":
            inputs += ["-f", "lavfi", "-t", str(part.seconds), "-i", "color=black:s=640x480:r=24"]
        else:
            span = ["-ss", f"{part.start:.3f}", "-t", f"{part.seconds:.3f}"]
            inputs += [*span, "-i", str(clips / part.clip)]
        steps = [f"scale={encoding.width}:{encoding.height}", "setsar=1", f"fps={encoding.rate}"]
        steps += ["hflip"] if part.mirrored else []
        if part.names:
            text = f"text='{part.names}':fontfile={font}:fontsize=h/18:fontcolor=white"
            steps.append(f"drawtext={text}:x=(w-tw)/2:y=h*0.45")
        filters.append(f"[{number}:v]{','.join(steps)},format=yuv420p[p{number}]")
    joined = "".join(f"[p{number}]" for number in range(len(parts)))
    even = f"scale={encoding.width}:{encoding.height}"
    filters.append(f"{joined}concat=n={len(parts)},{encoding.more},{even}[out]")
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *inputs),
        *("-filter_complex", ";".join(filters), "-map", "[out]", "-c:v", "libx264"),
        *("-preset", "veryfast", "-crf", str(encoding.quality), "-threads", "1", str(output)),
    ]
    subprocess.run(command, check=True)


def truth_of(parts: Sequence[Part]) -> dict[str, list[Seconds]]:
    """Return the ranges of each kind of part."""
    found: dict[str, list[Seconds]] = {"opening": [], "credits": [], "black": []}
    at = Fraction(0)
    last = ""
    for place, part in enumerate(parts):
        end = at + Fraction(str(round(part.seconds, 3)))
        kind = part.kind
        is_gag = last == "opening" and "opening" in [each.kind for each in parts[place : place + 2]]
        if kind in found:
            found[kind].append((at, end))
        elif is_gag:  # a gag inside the opening belongs to it
            kind = "opening"
            found[kind].append((at, end))
        last, at = kind, end
    return {kind: list(union(ranges)) for kind, ranges in found.items()}


@dataclass
class Figures:
    """How well a series was searched."""

    true: Fraction = Fraction(0)
    found: Fraction = Fraction(0)
    right: Fraction = Fraction(0)
    borders: list[float] = field(default_factory=list)
    copies: int = 0
    read_seconds: float = 0.0
    samples: int = 0

    def row(self, name: str) -> str:
        """Return a row of the table."""
        precision, recall = float(self.right / self.found), float(self.right / self.true)
        borders = [abs(border) * 1000 for border in self.borders]
        return (
            f"| {name} | {float(self.true):.0f} | {precision:.3f} | {recall:.3f} |"
            f" {median(borders):.0f} / {max(borders):.0f} | {self.copies} |"
        )


def measure(made: Series, clips: Path, folder: Path) -> Figures:
    """Make the episodes of a series, search them, and compare with the truth."""
    figures = Figures()
    search: SeriesSearch[int] = SeriesSearch()
    times: dict[int, SampleTimes] = {}
    cast = episodes_of(made)
    order = (0, 1, 6, 2, 3, 4, 5)  # the copy comes beside its original
    with Decoder() as decoder:
        for number in order:
            path = folder / f"{number}.mp4"
            make(cast[number], ENCODINGS[number], clips, path)
            stored = store_frames(path, decoder, folder)
            probe = stored.probe
            began = time.process_time()
            samples, times[number] = read_samples(
                stored.stores, probe.start_pts, probe.end_pts, probe.time_base
            )
            figures.read_seconds += time.process_time() - began
            figures.samples += len(samples)
            lengths = sum(part.seconds for part in cast[number]), float(probe.duration_seconds)
            assert abs(lengths[0] - lengths[1]) < 0.3, f"a clip is too short: {lengths}"
            search.add(number, samples)
    figures.copies = len(search.copies)
    for number, recurring in search.found().items():
        own = times[number]
        ranges = [own.range_of(each.samples) for each in recurring]
        found = [(own.grid.seconds_at(start), own.grid.seconds_at(end)) for start, end in ranges]
        _compare(figures, truth_of(cast[number]), found)
    return figures


def _compare(figures: Figures, truth: Mapping[str, list[Seconds]], found: list[Seconds]) -> None:
    wanted = union([*truth["opening"], *truth["credits"]])
    # Names on black are neither: nobody is on screen there.
    black = sum((end - start for start, end in intersection(found, truth["black"])), Fraction(0))
    figures.true += _length(wanted)
    figures.found += _length(found) - black
    figures.right += _length(intersection(found, wanted))
    for start, end in found:
        for true_start, true_end in wanted:
            if start < true_end and true_start < end:
                figures.borders += [float(start - true_start), float(end - true_end)]


def _length(ranges: Sequence[Seconds]) -> Fraction:
    return sum((end - start for start, end in ranges), Fraction(0))


def made_up(lot: np.random.Generator, shared: Samples, minutes: int = 22) -> Samples:
    """Describe an episode that nobody drew: shots of a background and what moves before it."""
    count, width = minutes * 120, shared.vectors.shape[1]
    backgrounds = np.random.default_rng(1).normal(size=(50, width)).astype(np.float32)
    pieces: list[np.ndarray] = []
    left = count - len(shared)
    while left > 0:
        length = min(int(lot.integers(2, 14)), left)
        is_known = lot.random() < 0.1
        base = backgrounds[lot.integers(50)] if is_known else lot.normal(size=width)
        moving = 0.5 * np.cumsum(lot.normal(size=(length, width)), 0) / np.sqrt(length)
        pieces.append(base + moving)
        left -= length
    at = int(lot.integers(0, 60))
    body = np.concatenate(pieces)
    vectors = np.concatenate([body[:at], shared.vectors[: len(shared)], body[at:]])
    vectors = vectors.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Samples(vectors, np.ones(len(vectors), np.bool_))


def time_library(episodes: int) -> tuple[float, int]:
    """Return the seconds that a search of so many episodes takes, and how many ranges it found."""
    lot = np.random.default_rng(7)
    opening = made_up(lot, Samples(np.zeros((0, 288), np.float32), np.zeros(0, np.bool_)), 2)
    search: SeriesSearch[int] = SeriesSearch()
    seconds = 0.0
    for number in range(episodes):
        samples = made_up(lot, opening)
        began = time.process_time()
        search.add(number, samples)
        seconds += time.process_time() - began
    began = time.process_time()
    found = search.found()
    return seconds + time.process_time() - began, sum(map(len, found.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("../shared/video"))
    parser.add_argument("--episodes", type=int, default=500)
    arguments = parser.parse_args()
    print("| series | true (s) | precision | recall | border error, median / max (ms) | copies |")
    print("| --- | --- | --- | --- | --- | --- |")
    frames_seconds, frames = 0.0, 0
    for made in series():
        with tempfile.TemporaryDirectory(prefix="castline-bench-") as name:
            figures = measure(made, arguments.folder, Path(name))
        print(figures.row(made.name), flush=True)
        frames_seconds += figures.read_seconds
        frames += figures.samples
    if arguments.episodes:
        seconds, found = time_library(arguments.episodes)
        each = frames_seconds / frames * 2640
        print(
            f"{arguments.episodes} episodes of 22 minutes: compared in {seconds:.0f} s of computing"
        )
        print(f"{found} ranges found; reading an episode's 2640 stored frames takes {each:.2f} s")


if __name__ == "__main__":
    main()
