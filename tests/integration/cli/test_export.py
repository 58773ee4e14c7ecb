"""export and evaluate on a real file that starts late, at film speed, beside what FFmpeg shows."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio
import pytest
import srt
from numpy.typing import NDArray
from pycocotools.coco import COCO

from db.changes.writes import replace_tags
from db.engine import Database
from db.queue.claims import claim_chunks
from db.queue.completing import complete_extractions, complete_taggings
from db.records import AppearanceRecord, EpisodeRecord, ExtractedChunk, TagRecord
from db.states import ChunkState
from db.upgrade import upgrade_database
from exact.place import Place
from ingest.decoder.parent import Decoder
from model.labels import label_of
from tests.rows.records import end_run, made_episode, make_run
from tests.servers.commands import castline_here, one_line
from tests.video.media import CLOSED, X264, MadeVideo, pattern
from timeline.export.formats import FORMATS
from worker.settings import Settings

pytestmark = pytest.mark.integration

FILM = Fraction(24000, 1001)
LATE = MadeVideo(
    "film late.mkv", (*pattern("24000/1001"), *X264, *CLOSED, "-output_ts_offset", "5.3")
)
RANGES = [("homer_simpson", 7, 48), ("ned_flanders", 30, 100)]
"""Label, first frame, frame after the last."""


def frame_pts(path: Path) -> list[int]:
    """Display times of all frames, by FFmpeg's decoder."""
    with av.open(str(path)) as container:
        return [frame.pts for frame in container.decode(video=0) if frame.pts is not None]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return LATE.make(tmp_path_factory.mktemp("late"))


@pytest.fixture(scope="module")
def home(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose only episode is that file, with two appearances at its very frames."""
    home = tmp_path_factory.mktemp("exports")
    with Decoder() as decoder:
        probe = decoder.probe(video)
    episode: EpisodeRecord = replace(
        made_episode(probe.sha256, probe.name),
        uri=probe.path,
        frame_rate=probe.frame_rate,
        time_base=probe.time_base,
        start_pts=probe.start_pts,
        end_pts=probe.end_pts,
        key_pts=probe.key_pts,
    )
    pts = frame_pts(video)
    assert pts[0] == episode.start_pts == 5300
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    run_id = make_run(database, episode, chunks=((episode.start_pts, episode.end_pts),))
    tag_chunk(database, episode, pts)
    end_run(
        database,
        run_id,
        [
            AppearanceRecord(
                label,
                pts[start],
                pts[end],
                float((pts[start] - pts[0]) * probe.time_base),
                float((pts[end] - pts[0]) * probe.time_base),
                frames=4,
                mean_confidence=0.8,
                max_confidence=0.9,
            )
            for label, start, end in RANGES
        ],
    )
    database.dispose()
    return home


SAMPLES = range(0, 144, 12)
"""Frames that were looked at."""


def place_of(frame: int) -> Place:
    """Ned goes from left to right."""
    return Place(frame / 200, 0.5, 0.25, 0.5)


def tag_chunk(database: Database, episode: EpisodeRecord, pts: list[int]) -> None:
    """Ned is seen in every sample, most surely in the fifth; Homer in one, nobody says where."""
    extracted = ExtractedChunk(tuple(pts[frame] for frame in SAMPLES), 144, 0, ())
    tags = [
        TagRecord(
            pts[frame],
            "ned_flanders",
            "full",
            0.95 if frame == 48 else 0.8,
            float((pts[frame] - pts[0]) * episode.time_base),
            place_of(frame),
        )
        for frame in SAMPLES
    ]
    tags.append(TagRecord(pts[12], "homer_simpson", "full", 0.9, 0.5))
    with database.write() as connection:
        [claim] = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60)
        complete_extractions(connection, {claim: extracted})
    with database.write() as connection:
        [claim] = claim_chunks(connection, ChunkState.EXTRACTED, "w/1/1.0", 60)
        complete_taggings(connection, [claim])
        replace_tags(connection, {claim: tags})


def export(home: Path, folder: Path, *arguments: str) -> list[str]:
    ended = castline_here(home, "export", "film", "-o", folder, *arguments)
    assert ended.returncode == 0, ended.stderr
    return sorted(path.name for path in folder.iterdir())


def test_all_formats_are_written_beside_each_other(home: Path, tmp_path: Path) -> None:
    names = export(home, tmp_path / "new" / "folder", "-f", ",".join(FORMATS))
    assert names == sorted(f"film late{chosen.suffix}" for chosen in FORMATS.values())


def test_times_of_a_file_that_starts_late_come_back_to_the_frame(
    home: Path, video: Path, tmp_path: Path
) -> None:
    export(home, tmp_path, "-f", "srt,otio,edl,json,chapters")
    pts = frame_pts(video)
    seconds = [Fraction(each - pts[0], 1000) for each in pts]
    subtitles = srt.parse((tmp_path / "film late.srt").read_text())
    shown = [
        (
            label_of(line.content),
            sum(float(each) < line.start.total_seconds() for each in seconds),
            sum(float(each) < line.end.total_seconds() for each in seconds),
        )
        for line in subtitles
    ]
    assert shown == [
        ("homer_simpson", 7, 30),
        ("homer_simpson_ned_flanders", 30, 48),
        ("ned_flanders", 48, 100),
    ]
    edits = opentimelineio.adapters.read_from_file(
        str(tmp_path / "film late.edl"), rate=float(FILM)
    )
    assert [
        (label_of(each.name), each.source_range.start_time.value, each.source_range.duration.value)
        for each in edits.find_clips()
    ] == [(label, start, end - start) for label, start, end in RANGES]
    data = json.loads((tmp_path / "film late.json").read_text())
    assert [(each["start_pts"], each["end_pts"]) for each in data["ranges"]] == [
        (pts[start], pts[end]) for _, start, end in RANGES
    ]


def grey_frames(path: Path) -> list[NDArray[np.int16]]:
    with av.open(str(path)) as container:
        return [
            frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)
        ]


def test_clips_hold_the_very_frames_of_their_ranges(
    home: Path, video: Path, tmp_path: Path
) -> None:
    assert export(home, tmp_path, "-f", "clips") == ["film late.clips"]
    clips = sorted((tmp_path / "film late.clips").iterdir())
    assert [path.name for path in clips] == [
        "0001_homer_simpson_00-00-00.292.mp4",
        "0002_ned_flanders_00-00-01.251.mp4",
    ]
    episode, pts = grey_frames(video), frame_pts(video)
    for clip, (_, start, end) in zip(clips, RANGES, strict=True):
        frames = grey_frames(clip)
        assert len(frames) == end - start
        for number, frame in enumerate(frames):
            near = range(max(0, start + number - 2), start + number + 3)
            differences = {place: float(abs(frame - episode[place]).mean()) for place in near}
            assert min(differences, key=lambda place: differences[place]) == start + number
        with av.open(str(clip)) as container:
            base = container.streams.video[0].time_base
        assert base is not None
        steps = [(each * base * 1000) for each in frame_pts(clip)]
        assert steps == [each - pts[start] for each in pts[start:end]]


def test_clips_that_cannot_be_cut_leave_nothing(home: Path, video: Path, tmp_path: Path) -> None:
    away = video.with_name("away.mkv")
    video.rename(away)
    try:
        ended = castline_here(home, "export", "film", "-f", "vtt,clips", "-o", tmp_path)
    finally:
        away.rename(video)
    assert ended.returncode == 1
    assert "run: castline episodes locate FOLDER" in one_line(ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_only_a_label_or_an_expression_is_exported(home: Path, tmp_path: Path) -> None:
    def ranges(*arguments: str) -> list[tuple[str, int, int]]:
        export(home, tmp_path, "-f", "json", "--force", *arguments)
        data: dict[str, Any] = json.loads((tmp_path / "film late.json").read_text())
        return [
            (each["label"], round(each["start_seconds"] * FILM), round(each["end_seconds"] * FILM))
            for each in data["ranges"]
        ]

    assert ranges("--label", "ned") == RANGES[1:]
    assert ranges("--label", "ned", "--label", "homer") == RANGES
    both = "homer_simpson & ned_flanders"
    assert ranges("--expression", "homer & ned") == [(both, 30, 48)]


def test_ranges_tell_where_a_label_was_seen_most_surely(home: Path, tmp_path: Path) -> None:
    export(home, tmp_path, "-f", "json,csv")
    homer, ned = json.loads((tmp_path / "film late.json").read_text())["ranges"]
    assert homer["place"] is None
    assert ned["place"] == {"x": 0.24, "y": 0.5, "width": 0.25, "height": 0.5}
    export(home, tmp_path, "-f", "json", "--force", "--expression", "ned")
    [ned] = json.loads((tmp_path / "film late.json").read_text())["ranges"]
    assert ned["place"] == {"x": 0.24, "y": 0.5, "width": 0.25, "height": 0.5}


def test_coco_has_the_boxes_of_samples_within_appearances(
    home: Path, video: Path, tmp_path: Path
) -> None:
    assert export(home, tmp_path, "-f", "coco") == ["film late.coco.json"]
    read = COCO(tmp_path / "film late.coco.json")
    pts = frame_pts(video)
    images = {image["id"]: image for image in read.loadImgs(read.getImgIds())}
    assert [image["pts"] for image in images.values()] == [pts[frame] for frame in SAMPLES]
    # Of 640 pixels across, Ned's quarter starts an eighth before his centre.
    assert {
        images[each["image_id"]]["pts"]: (each["category_id"], each["bbox"])
        for each in read.loadAnns(read.getAnnIds())
    } == {
        pts[frame]: (2, [round(640 * (frame / 200 - 0.125), 2), 120.0, 160.0, 240.0])
        for frame in SAMPLES
        if 30 <= frame < 100
    }
    export(home, tmp_path, "-f", "coco", "--force", "--label", "homer")
    only_homer = COCO(tmp_path / "film late.coco.json")
    assert (len(only_homer.getImgIds()), only_homer.getAnnIds()) == (12, [])
    ended = castline_here(
        home, "export", "film", "-f", "coco", "-o", tmp_path, "--force", "--label", "homer"
    )
    assert "gives no places" in ended.stderr


MISTAKES = {
    "places of an expression": (("-f", "coco", "--expression", "ned"), "give --label"),
    "a format that is none": (("-f", "json,docx"), "docx"),
    "an expression and a label": (
        ("-f", "json", "--label", "ned", "--expression", "ned"),
        "--label",
    ),
    "a bad label": (("-f", "json", "--label", "nedd"), "ned_flanders"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_writes_nothing(case: str, home: Path, tmp_path: Path) -> None:
    arguments, names = MISTAKES[case]
    ended = castline_here(home, "export", "film", "-o", tmp_path, *arguments)
    assert ended.returncode == 1
    assert names in one_line(ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_unless_told(home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "film late.srt"
    mine.write_text("mine")
    ended = castline_here(home, "export", "film", "-o", tmp_path, "-f", "json,srt")
    assert "--force" in one_line(ended.stderr)
    assert mine.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [mine]
    assert export(home, tmp_path, "-f", "json,srt", "--force") == ["film late.json", mine.name]


def test_a_timeline_agrees_with_its_own_export(home: Path, tmp_path: Path) -> None:
    export(home, tmp_path, "-f", "csv,rttm")
    for name in ("film late.csv", "film late.rttm"):
        ended = castline_here(home, "evaluate", "film", tmp_path / name, "--json")
        assert (ended.returncode, ended.stderr) == (0, "")
        found = json.loads(ended.stdout)
        assert found["frames"] == 144
        assert (found["f1"], found["macro_f1"]) == (1.0, 1.0)
        assert found["average_precision_50_95"] == 1.0
        # Times are written in microseconds, rounded down.
        assert found["identification"]["error_rate"] < 1e-5
        assert found["identification"]["total_seconds"] == pytest.approx(
            111 / float(FILM), abs=1e-3
        )


def test_evaluate_counts_frames_beside_a_truth(home: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    # Frame 24 is at 1.001 s and frame 96 at 4.004 s: of Homer's frames 7 to 47 those from 24 on
    # are right; Ned's 30 to 99 are all false, and from 96 on nobody known is there.
    truth.write_text("label,start_seconds,end_seconds\nhomer_simpson,1,4\nmoe,5,6\n")
    ended = castline_here(home, "evaluate", "film", truth, "--json")
    found = json.loads(ended.stdout)
    counts = {
        label: (each["true_positives"], each["false_positives"], each["false_negatives"])
        for label, each in found["labels"].items()
    }
    assert counts["homer_simpson"] == (24, 17, 48)
    assert counts["ned_flanders"] == (0, 70, 0)
    assert counts["moe"] == (0, 0, 24)
    assert found["false_tag_frames"] == 17 + 4
    table = castline_here(home, "evaluate", "film", truth, "--collar", "0.25")
    assert (table.returncode, "homer simpson" in table.stdout) == (0, True)
    wrong = castline_here(home, "evaluate", "film", tmp_path / "absent.csv")
    assert (wrong.returncode, "absent.csv" in one_line(wrong.stderr)) == (1, True)
