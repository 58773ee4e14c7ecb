"""Which errors tell of the machine, and which of what it was asked to do."""

import errno
import threading

import pytest
from av.error import FFmpegError, err_check

from ingest.decoder.process import _failure
from ingest.errors import FrameStoreError, ShortageError, VideoError
from ingest.shortages import telling_shortages, what_is_lacking


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "lacking"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (OSError(errno.EMFILE, "Too many open files"), "open files"),
        (OSError(errno.ENFILE, "Too many open files in system"), "open files"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "processes"),
        (RuntimeError("can't start new thread"), "threads"),
        (ResourceExhaustedError("OOM when allocating tensor"), "memory of the device"),
        (caused(FrameStoreError("damaged frames"), OSError(errno.EMFILE, "")), "open files"),
        (caused(VideoError("b"), caused(ValueError("a"), MemoryError())), "memory"),
        (OSError(errno.ENOENT, "No such file"), None),
        (OSError("no number"), None),
        (RuntimeError("dictionary changed size"), None),
        (VideoError("damaged"), None),
        (None, None),
    ],
)
def test_what_is_lacking_is_told_by_the_error_or_its_cause(
    error: Exception | None, lacking: str | None
) -> None:
    assert what_is_lacking(error) == lacking


def test_a_damaged_file_of_which_ffmpeg_gives_the_same_code_is_to_blame_itself() -> None:
    """Else a file could have its chunks tried again for ever."""
    with pytest.raises(FFmpegError) as caught:
        err_check(-errno.EAGAIN)
    assert what_is_lacking(caught.value) is None
    assert what_is_lacking(caused(VideoError("damaged"), caught.value)) is None


def test_it_becomes_one_line() -> None:
    with (
        pytest.raises(ShortageError, match=r"lacks threads; .*ulimit -a") as one,
        telling_shortages(),
    ):
        raise RuntimeError("can't start new thread")
    assert "\n" not in str(one.value)
    with pytest.raises(KeyError), telling_shortages():
        raise KeyError
    with pytest.raises(ShortageError, match="as it was"), telling_shortages():
        raise ShortageError("as it was")


def test_a_thread_that_cannot_start_says_what_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By Python's own words."""
    monkeypatch.setattr(threading, "stack_size", threading.stack_size)
    before = threading.stack_size(1 << 46)  # more than there are addresses
    try:
        with pytest.raises(RuntimeError) as caught:
            threading.Thread(target=print).start()
    finally:
        threading.stack_size(before)
    assert what_is_lacking(caught.value) == "threads"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "ShortageError"),
        (caused(FrameStoreError("cannot be written"), OSError(errno.ENFILE, "")), "ShortageError"),
        (VideoError("damaged"), "VideoError"),
        (ValueError("odd"), "IngestError"),
    ],
)
def test_the_decoder_process_reports_it_as_such(error: Exception, kind: str) -> None:
    assert _failure(error)["error"] == kind
