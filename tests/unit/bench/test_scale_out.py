"""Tables of the benches of the queue, against figures worked out by hand."""

from pathlib import Path

import av

from bench.queue_overhead import TAG_ROWS, Ledger, table
from bench.scale_out import Timed, costs, remux
from bench.scale_out import table as scale_table
from tests.video.clips import write_clip


def timed(processes: int, seconds: float) -> Timed:
    return Timed(processes, seconds, 40, 2400, 80, 960, {"extract": 160.0, "Redis": 0.4})


def test_efficiency_is_the_speed_up_of_what_the_processes_could_give() -> None:
    lines = list(scale_table([timed(1, 80.0), timed(2, 50.0), timed(4, 40.0)]))
    assert lines[2:] == [
        "| 1 | 80.0 | 0.50 | 30.0 | 1.00 | 100% |",
        "| 2 | 50.0 | 0.80 | 48.0 | 1.60 | 80% |",
        "| 4 | 40.0 | 1.00 | 60.0 | 2.00 | 50% |",
    ]
    assert list(costs(timed(1, 80.0))) == [
        "| 30 frames a chunk | core-milliseconds a chunk |",
        "|---|---:|",
        "| extract | 2000.0 |",
        "| Redis | 5.0 |",
        "| (rows of tags a chunk) | 12 |",
    ]


def test_the_queue_is_charged_per_chunk_and_useful_work_apart() -> None:
    ledger = Ledger()
    ledger.add("before", 1000.0)
    for chunks in (4, 4, 2):
        ledger.begin_group()
        ledger.add("database", 6.0)
        ledger.add("database", 2.0)
        ledger.add("broker", 4.0)
        ledger.add(TAG_ROWS, 40.0)
        for _ in range(chunks):
            ledger.count_chunk()
    # Eight chunks that share in fours, and two that share in twos.
    assert table(ledger).splitlines()[2:] == [
        "| broker | 1.00 | 2.00 |",
        "| database | 2.00 | 4.00 |",
        "| **all of the queue's work** | 3.00 | 6.00 |",
        "| rows of tags (useful work) | 10.00 | 20.00 |",
    ]


def test_remuxed_copies_are_other_files_with_the_same_packets(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=4)
    copies = [tmp_path / f"{number}.mp4" for number in range(2)]
    for number, copy in enumerate(copies):
        remux(clip, copy, number)
    assert copies[0].read_bytes() != copies[1].read_bytes()
    assert packets(copies[0]) == packets(copies[1]) == packets(clip)
    assert len(packets(clip)) == 48


def packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (float(packet.pts * stream.time_base), bytes(packet))
            for packet in container.demux(stream)
            if packet.pts is not None and stream.time_base is not None
        ]
