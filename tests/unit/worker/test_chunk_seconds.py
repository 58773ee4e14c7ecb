"""The length of chunks, as the environment may set it."""

from pathlib import Path

import pytest

from worker.errors import WorkerError
from worker.settings import Settings


def test_chunks_last_a_minute_by_default(tmp_path: Path) -> None:
    assert Settings.from_environment(tmp_path, {}).chunk_seconds == 60


@pytest.mark.parametrize("seconds", [1, 600, 3600])
def test_the_chunk_length_is_read(seconds: int, tmp_path: Path) -> None:
    settings = Settings.from_environment(tmp_path, {"CASTLINE_CHUNK_SECONDS": str(seconds)})
    assert settings.chunk_seconds == seconds


@pytest.mark.parametrize("text", ["0", "-5", "3601", "1.5", "ten", " ", "٣"])
def test_a_chunk_length_that_is_none_is_refused_with_what_would_do(
    text: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkerError, match="CASTLINE_CHUNK_SECONDS: a whole number from 1 to 3600"):
        Settings.from_environment(tmp_path, {"CASTLINE_CHUNK_SECONDS": text})
