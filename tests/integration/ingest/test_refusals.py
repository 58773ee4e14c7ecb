"""Bad and hostile input: one line with cause and remedy, nothing fetched, little memory used."""

import os
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from ingest.decoder.parent import Decoder
from ingest.description.packet_scan import JUMP_SECONDS
from ingest.errors import IngestError, MediaRefused, VideoError
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from tests.video.media import MADE, ffmpeg_command, pattern, run_ffmpeg, tone
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.fault]


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(silent_seconds=PATIENCE_SECONDS) as running:
        yield running


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MADE[0].make(tmp_path_factory.mktemp("video"))


def refusal(decoder: Decoder, path: Path, kind: type[IngestError], cause: str) -> None:
    with pytest.raises(kind, match=cause) as caught:
        decoder.probe(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert re.search(r"; |\?$", message), "a cause and a remedy"


def test_missing_file(decoder: Decoder, tmp_path: Path) -> None:
    refusal(decoder, tmp_path / "absent.mp4", VideoError, "no such file; check the name")


def test_folder(decoder: Decoder, tmp_path: Path) -> None:
    refusal(decoder, tmp_path, MediaRefused, "is a folder; name a video file")


def test_empty_file(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    refusal(decoder, path, VideoError, "is empty; copy or download it again")


def test_text_named_mp4(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("This is no video.\n" * 100)
    refusal(decoder, path, VideoError, "is not a video that can be opened; use MP4")


def test_audio_only(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    run_ffmpeg(*tone(1), "-c:a", "aac", path)
    refusal(decoder, path, VideoError, "no video stream; is this an audio file")


def test_audio_with_cover_art_is_still_audio(decoder: Decoder, tmp_path: Path) -> None:
    cover, path = tmp_path / "cover.png", tmp_path / "song.m4a"
    run_ffmpeg(*pattern("1", 1), "-frames:v", "1", cover)
    run_ffmpeg(
        *("-i", str(cover), *tone(1), "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac"),
        *("-disposition:v:0", "attached_pic", str(path)),
    )
    refusal(decoder, path, VideoError, "no video stream; is this an audio file")


def test_mp4_without_its_index(decoder: Decoder, video: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    refusal(decoder, path, VideoError, r"an MP4 without its index \(moov\)")


def test_video_whose_pictures_are_all_garbage(
    decoder: Decoder, video: Path, tmp_path: Path
) -> None:
    content = bytearray(video.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    path = tmp_path / "garbage.mp4"
    path.write_bytes(content)
    refusal(decoder, path, VideoError, "no picture can be decoded")


@pytest.mark.parametrize("first_seconds", ["0", "3600"])
def test_transport_stream_whose_clock_starts_anew(
    first_seconds: str, decoder: Decoder, tmp_path: Path
) -> None:
    parts = [tmp_path / "first.ts", tmp_path / "second.ts"]
    for part, offset in zip(parts, (first_seconds, "0"), strict=True):
        run_ffmpeg(*pattern(seconds=3, size="96x72"), "-output_ts_offset", offset, part)
    joined, remuxed = tmp_path / "joined.ts", tmp_path / "remuxed.mkv"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))

    refusal(decoder, joined, VideoError, "clock restarts after 3 s; .* -c copy out.mkv")

    run_ffmpeg("-i", joined, "-c", "copy", remuxed)
    described = decoder.probe(remuxed)
    assert float(described.duration_seconds) == pytest.approx(6, abs=0.05)
    assert described.missing == ()


def test_what_is_no_video_is_refused_before_all_of_it_is_read(
    decoder: Decoder, tmp_path: Path
) -> None:
    path = tmp_path / "sparse.mp4"
    path.write_bytes(b"no video")
    os.truncate(path, 8 << 40)  # of which the disk holds 8 bytes, and a hash takes hours
    refusal(decoder, path, VideoError, "is not a video that can be opened")


def test_a_file_that_claims_centuries_is_soon_done_with(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "centuries.mp4"
    run_ffmpeg(*pattern("1", 30, size="96x72"), "-bf", "0", "-video_track_timescale", "1", path)
    content = bytearray(path.read_bytes())
    table = content.index(b"stts") + 4
    # ISO/IEC 14496-12, 8.6.1.2: flags, the number of entries, then how many samples and how long.
    _, entries, samples, delta = struct.unpack_from(">4I", content, table)
    assert (entries, samples, delta) == (1, 30, 1)
    struct.pack_into(">I", content, table + 12, 2**31 - 1)
    path.write_bytes(content)
    # Of frames that lie a lifetime apart one is left, and no time is believed.
    assert decoder.probe(path).duration_seconds < JUMP_SECONDS


def test_a_unit_of_time_of_centuries_is_refused(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "centuries.avi"
    run_ffmpeg(*pattern("1", 30, size="96x72"), "-c:v", "mpeg4", "-bf", "0", path)
    content = bytearray(path.read_bytes())
    # The stream header of AVI: dwScale over dwRate are the seconds of a frame.
    scale = content.index(b"strh") + 8 + 20
    assert struct.unpack_from("<2I", content, scale) == (1, 1)
    struct.pack_into("<I", content, scale, 2**31 - 1)
    path.write_bytes(content)
    refusal(decoder, path, VideoError, "longer than a week")


def test_pipe_and_device_are_not_waited_for(decoder: Decoder, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    refusal(decoder, pipe, MediaRefused, "is not a regular file")
    refusal(decoder, Path("/dev/zero"), MediaRefused, "is not a regular file")


def test_a_symbolic_link_is_taken_as_the_file_that_it_leads_to(
    decoder: Decoder, video: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(video)
    assert (decoder.probe(link).name, decoder.probe(link).path) == (
        video.name,
        str(video.resolve()),
    )
    link.unlink()
    link.symlink_to(tmp_path / "gone.mp4")
    refusal(decoder, link, VideoError, "no such file")
    link.unlink()
    link.symlink_to("/dev/zero")
    refusal(decoder, link, MediaRefused, "is not a regular file")


def test_nothing_outside_the_media_roots_is_opened(video: Path, tmp_path: Path) -> None:
    root = tmp_path / "media"
    (root / "season").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    outside = tmp_path / "elsewhere" / "episode.mp4"
    inside = root / "season" / "episode.mp4"
    for copy in (outside, inside):
        copy.write_bytes(video.read_bytes())
    (root / "out").symlink_to(tmp_path / "elsewhere")

    with Decoder(media_roots=(root,)) as decoder:
        assert decoder.probe(inside).name == "episode.mp4"
        for way in (
            outside,
            root / ".." / "elsewhere" / "episode.mp4",
            root / "out" / "episode.mp4",
        ):
            refusal(decoder, way, MediaRefused, "lies outside the media folders; move it under")


class Listener:
    """A web server that serves nobody and counts who comes."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._is_open = True
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/segment.ts"

    def _accept(self) -> None:
        while self._is_open:
            try:
                self._socket.accept()[0].close()
                self.connections += 1
            except TimeoutError:
                continue

    def close(self) -> None:
        self._is_open = False
        self._thread.join()
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.close()


def test_playlists_and_urls_open_nothing(
    decoder: Decoder, listener: Listener, video: Path, tmp_path: Path
) -> None:
    url = listener.url
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
    files = {
        "remote.m3u8": hls.format(url),
        "remote.mp4": hls.format(url),
        "local.mp4": hls.format(f"file://{video}"),
        "marked.mp4": "\ufeff" + hls.format(url),
        "list.ffconcat": f"ffconcat version 1.0\nfile {url}\n",
        "list.mp4": f"ffconcat version 1.0\nfile {video}\n",
        "dash.mpd": f'<?xml version="1.0"?><MPD><BaseURL>{url}</BaseURL></MPD>',
        "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.write_text(content)
        with pytest.raises(IngestError) as caught:
            decoder.probe(path)
        assert str(path) in str(caught.value)
    for name in (
        url,
        f"concat:{video}|{video}",
        f"subfile,,start,0,end,0,,:{video}",
        f"file:{video}",
        f"data:text/plain;base64,{'A' * 40}",
        f"cache:{url}",
        "-",
        "pipe:0",
    ):
        with pytest.raises(IngestError):
            decoder.probe(Path(name))

    assert listener.connections == 0


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) * 1024


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One black picture of 16000x16000, 192 MB of samples in a small file."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.mp4"
    source = "color=black:size=16000x16000:rate=1:duration=1,format=gray"
    command = [ffmpeg_command(), "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "1"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-y", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "avi", "flv", "disguised"])
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is told by /proc")
def test_picture_bomb_is_refused_in_little_memory(kind: str, bomb: Path, tmp_path: Path) -> None:
    if kind == "disguised":
        # The container claims 320x240; only the codec's own header tells the truth.
        path = tmp_path / "disguised.mp4"
        size, claim = b"\x3e\x80\x3e\x80", b"\x01\x40\x00\xf0"
        assert bomb.read_bytes().count(size) == 1
        path.write_bytes(bomb.read_bytes().replace(size, claim))
    else:
        path = tmp_path / f"bomb.{kind}"
        run_ffmpeg("-i", bomb, "-c", "copy", path)

    with Decoder() as decoder:
        with pytest.raises(IngestError, match=r"pictures of 16000x16000|no picture can be decoded"):
            decoder.probe(path)
        assert decoder.pid is not None, "the child outlives it"
        assert peak_bytes(decoder.pid) < 200 << 20


def test_ordinary_work_stays_small(shared_video: Path, tmp_path: Path) -> None:
    with Decoder() as decoder:
        described = decoder.probe(shared_video / "popeye_sindbad_hevc_1440x1074_1.mkv")
        area = described.whole_frame
        chunk = ChunkRange(described.key_pts[1], described.key_pts[2])
        store = tmp_path / "chunk.zip"
        decoder.extract(
            Extraction.of(described, described.path, chunk, Fraction(1, 2), area, store)
        )
        assert decoder.pid is not None
        assert psutil.Process(decoder.pid).memory_info().rss < 300 << 20
