"""The decoder process may die, hang, hoard or lie; its parent goes on."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from ingest.decoder.parent import Decoder
from ingest.errors import (
    DecoderLost,
    FrameStoreError,
    IngestError,
    MediaRefused,
    ShortageError,
    StorageFullError,
    VideoError,
)
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.media.probe import Probe
from ingest.storage.frame_store import read_frames
from tests.video.decoders import PatientDecoder
from tests.video.media import MADE
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.fault]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MADE[0].make(tmp_path_factory.mktemp("video"))


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    with Decoder(silent_seconds=PATIENCE_SECONDS) as running:
        yield running


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that is not there yet: once it is, `waiting` decoders finish their chunks."""
    return tmp_path / "gate"


@pytest.fixture
def waiting(gate: Path) -> Iterator[Decoder]:
    """A decoder that stays in the middle of a chunk until the gate is there."""
    with PatientDecoder(f"wait:0:{gate}") as running:
        yield running


def request(described: Probe, folder: Path) -> Extraction:
    chunk = ChunkRange(described.start_pts, described.end_pts)
    area = described.whole_frame
    return Extraction.of(
        described, described.path, chunk, Fraction(1, 2), area, folder / "chunk.zip"
    )


def misbehaving(folder: Path, code: str) -> list[str]:
    """A child that begins, reads a request and then runs the code."""
    script = folder / "child.py"
    script.write_text(
        "import json, os, signal, sys\n"
        """print('{"ready": true}', flush=True)\nsys.stdin.readline()\n""" + textwrap.dedent(code)
    )
    return [sys.executable, str(script)]


def test_one_child_answers_everything(decoder: Decoder, video: Path, tmp_path: Path) -> None:
    described = decoder.probe(video)
    area = decoder.find_picture_area(described)
    pid = decoder.pid
    extracted = decoder.extract(request(described, tmp_path))

    assert area == described.whole_frame
    assert [frame.pts for frame in read_frames(tmp_path / "chunk.zip")] == list(
        extracted.sampled_pts
    )
    assert decoder.pid == pid


def test_progress_grows_while_decoding(
    waiting: Decoder, gate: Path, video: Path, tmp_path: Path
) -> None:
    reports: list[int] = []
    described = waiting.probe(video)
    gate.touch()

    extracted = waiting.extract(request(described, tmp_path), reports.append)

    assert reports == sorted(reports)
    assert (reports[0], reports[-1]) == (0, extracted.frames_decoded)


def test_exception_in_progress_ends_the_request_and_the_child(
    waiting: Decoder, gate: Path, video: Path, tmp_path: Path
) -> None:
    class LeaseLostError(Exception):
        pass

    def renew(done: int) -> None:
        if done:
            raise LeaseLostError

    described = waiting.probe(video)
    pid = waiting.pid
    assert pid is not None
    with pytest.raises(LeaseLostError):
        waiting.extract(request(described, tmp_path), renew)

    assert not psutil.pid_exists(pid)
    assert not (tmp_path / "chunk.zip").exists()
    gate.touch()
    assert waiting.extract(request(described, tmp_path)).sampled_pts


def test_killed_child_is_reported_and_replaced(
    waiting: Decoder, gate: Path, video: Path, tmp_path: Path
) -> None:
    described = waiting.probe(video)

    def kill(done: int) -> None:
        if done:
            assert waiting.pid is not None
            os.kill(waiting.pid, signal.SIGKILL)

    with pytest.raises(DecoderLost, match="died of SIGKILL") as caught:
        waiting.extract(request(described, tmp_path), kill)
    assert caught.value.killed

    assert not (tmp_path / "chunk.zip").exists()
    gate.touch()
    assert waiting.extract(request(described, tmp_path)).sampled_pts


def test_child_killed_between_requests_is_replaced(decoder: Decoder, video: Path) -> None:
    decoder.probe(video)
    assert decoder.pid is not None
    child = psutil.Process(decoder.pid)
    child.kill()
    wait_until(lambda: child.status() == psutil.STATUS_ZOMBIE)

    assert decoder.probe(video).codec == "h264"


@pytest.mark.parametrize("memory_bytes", [1 << 20, 4 << 20, 32 << 20])
def test_child_without_memory_is_reported(memory_bytes: int, video: Path) -> None:
    with Decoder(memory_bytes=memory_bytes) as starved, pytest.raises(DecoderLost, match="memory"):
        starved.probe(video)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("signal.pause()", "hung, silent for 0.5 s", id="hangs"),
        pytest.param("os.kill(os.getpid(), 11)", "died of SIGSEGV", id="crashes"),
        pytest.param("sys.exit(3)", "ended with code 3", id="leaves"),
        pytest.param("print('hello')", "talked nonsense", id="babbles"),
        pytest.param("print('[1]')", "talked nonsense", id="answers a list"),
        pytest.param('print(\'{"answer": "{}"}\')', "talked nonsense", id="answers nothing"),
        pytest.param('print(\'{"progress": "x"}\')', "talked nonsense", id="odd progress"),
        pytest.param("while True: print('x' * 65536, end='')", "talked too much", id="floods"),
        pytest.param("print('{}')", "talked nonsense", id="says nothing"),
    ],
)
def test_misbehaving_child_is_lost_not_believed(
    code: str, message: str, video: Path, tmp_path: Path
) -> None:
    command = misbehaving(tmp_path, code)
    hangs = "hung" in message  # whether it has begun to, or a slow machine still starts it

    with (
        Decoder(command=command, silent_seconds=0.5 if hangs else PATIENCE_SECONDS) as decoder,
        pytest.raises(DecoderLost, match=message) as caught,
    ):
        decoder.probe(video)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise MemoryError", "cannot begin .ended with code 1."),
        ("import os; os.kill(os.getpid(), 11)", "cannot begin .died of SIGSEGV."),
        ("import signal; signal.pause()", "cannot begin .silent for 0.5 s."),
    ],
)
def test_a_child_that_never_began_is_the_machines_fault(
    code: str, message: str, video: Path
) -> None:
    command = [sys.executable, "-c", code]
    with (
        Decoder(command=command, silent_seconds=0.5 if "pause" in code else 60) as decoder,
        pytest.raises(ShortageError, match=message),
    ):
        decoder.probe(video)


FEW_FILES = """
import resource, sys
from pathlib import Path
from ingest.decoder.parent import Decoder
from ingest.shortages import telling_shortages
resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
with Decoder() as decoder, telling_shortages():
    decoder.probe(Path(sys.argv[1]))
"""


def test_a_parent_without_files_for_the_pipes_says_that_it_lacks_them(video: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FEW_FILES, str(video)], capture_output=True, text=True
    )
    assert "ShortageError: this machine lacks open files" in ended.stderr


def test_message_of_the_child_cannot_write_to_the_terminal(video: Path, tmp_path: Path) -> None:
    command = misbehaving(
        tmp_path, r"""print(json.dumps({"error": "VideoError", "message": "a\n\x1b[31mb"}))"""
    )

    with Decoder(command=command) as decoder, pytest.raises(VideoError) as caught:
        decoder.probe(video)

    assert str(caught.value).isprintable()


def test_error_of_the_child_keeps_its_class(video: Path, tmp_path: Path) -> None:
    for kind in (MediaRefused, VideoError, FrameStoreError, ShortageError, StorageFullError):
        reply = f"""print(json.dumps({{"error": "{kind.__name__}", "message": "so it is"}}))"""
        with (
            Decoder(command=misbehaving(tmp_path, reply)) as decoder,
            pytest.raises(IngestError, match="so it is") as caught,
        ):
            decoder.probe(video)
        assert type(caught.value) is kind


def test_file_that_changed_is_refused(decoder: Decoder, video: Path, tmp_path: Path) -> None:
    copy = tmp_path / "episode.mp4"
    copy.write_bytes(video.read_bytes())
    described = decoder.probe(copy)
    with copy.open("ab") as file:
        file.write(b"more")

    with pytest.raises(VideoError, match="was changed since it was added; enqueue it again"):
        decoder.extract(request(described, tmp_path))


def test_store_that_cannot_be_written_is_reported(
    decoder: Decoder, video: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").write_text("in the way")

    with pytest.raises(FrameStoreError, match="check free space and rights"):
        decoder.extract(request(decoder.probe(video), tmp_path / "folder"))


def test_two_decoders_work_at_once(gate: Path, video: Path, tmp_path: Path) -> None:
    found: dict[int, tuple[int, ...]] = {}
    together = threading.Barrier(2, action=gate.touch, timeout=PATIENCE_SECONDS)

    def work(number: int) -> None:
        met: list[int] = []

        def meet(done: int) -> None:
            if done and not met:
                met.append(together.wait())  # while the other one is in the middle of its chunk

        with PatientDecoder(f"wait:0:{gate}") as decoder:
            asked = request(decoder.probe(video), tmp_path / str(number))
            found[number] = decoder.extract(asked, meet).sampled_pts

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found[0] == found[1]
    assert len(found[0]) == 13  # looks from 0.0 to 6.0 at 144 frames of 1001/24000 s: 6.006 s


PARENT = """
import signal, sys
from pathlib import Path
from ingest.decoder.parent import Decoder
decoder = Decoder()
decoder.probe(Path(sys.argv[1]))
print(decoder.pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_child_dies_with_its_parent(ending: signal.Signals, video: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(video)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(ending)
    parent.wait()
    parent.stdout.close()

    wait_until(lambda: is_gone(child))


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_child_ignores_ctrl_c_and_has_a_group_of_its_own(decoder: Decoder, video: Path) -> None:
    decoder.probe(video)
    pid = decoder.pid
    assert pid is not None
    assert os.getpgid(pid) != os.getpgid(0)
    os.kill(pid, signal.SIGINT)

    assert decoder.probe(video).codec == "h264"
    assert decoder.pid == pid


def test_child_sees_no_secrets_and_imports_little(
    monkeypatch: pytest.MonkeyPatch, decoder: Decoder, video: Path
) -> None:
    monkeypatch.setenv("CASTLINE_DATABASE_URL", "postgresql://user:secret@host/db")
    decoder.probe(video)

    assert decoder.pid is not None
    child = psutil.Process(decoder.pid)
    assert "CASTLINE_DATABASE_URL" not in child.environ()
    mapped = " ".join(part.path for part in child.memory_maps())
    assert "tensorflow" not in mapped
    assert "sqlalchemy" not in mapped


@pytest.mark.parametrize(
    ("sampled_pts", "missing"),
    [([10**9], []), ([-1], []), ([], [[0, 10**9]])],
    ids=["frame after the chunk", "frame before it", "gap beyond it"],
)
def test_an_answer_that_speaks_of_another_time_is_refused(
    decoder: Decoder,
    video: Path,
    tmp_path: Path,
    sampled_pts: list[int],
    missing: list[list[int]],
) -> None:
    extracted = {
        "sampled_pts": sampled_pts,
        "frames_decoded": 1,
        "decode_errors": 0,
        "missing": missing,
    }
    asked = request(decoder.probe(video), tmp_path)
    code = f"print(json.dumps({{'answer': json.dumps({extracted})}}))"
    with (
        Decoder(command=misbehaving(tmp_path, code)) as liar,
        pytest.raises(DecoderLost, match="talked nonsense"),
    ):
        liar.extract(asked)
