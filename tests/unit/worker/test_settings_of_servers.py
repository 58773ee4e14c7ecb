"""Settings of an installation with servers: secrets in files, shared storage, limits, ports."""

import os
from pathlib import Path

import pytest

from worker.errors import WorkerError
from worker.settings import GB, Settings


def settings(tmp_path: Path, **variables: str) -> Settings:
    named = {f"CASTLINE_{name.upper()}": value for name, value in variables.items()}
    return Settings.from_environment(tmp_path, named)


def test_a_value_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://castline:secret@db/castline\n")
    read = settings(tmp_path, database_url_file=str(tmp_path / "url"))
    assert read.database_url == "postgresql://castline:secret@db/castline"


def test_a_value_and_its_file_at_once_are_refused_without_telling_it(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="CASTLINE_BROKER_URL is set as well") as caught:
        settings(tmp_path, broker_url="redis://:secret@host", broker_url_file="/run/secrets/url")
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"\xff", "not UTF-8")])
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "url"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WorkerError, match=reason) as caught:
        settings(tmp_path, broker_url_file=str(path))
    assert str(path) in str(caught.value)


FRAMES = {
    "": ("HOME/frames", None),
    "/srv/frames": ("/srv/frames", None),
    "file:///srv/my%20frames": ("/srv/my frames", None),
    "s3://bucket/castline": ("HOME/cache/frames", "s3://bucket/castline"),
}


@pytest.mark.parametrize("url", FRAMES)
def test_the_frame_store_is_a_folder_or_a_url(url: str, tmp_path: Path) -> None:
    folder, shared = FRAMES[url]
    read = settings(tmp_path, frames_url=url)
    assert read.frames_folder == Path(folder.replace("HOME", str(tmp_path)))
    assert read.frames_url == shared


@pytest.mark.parametrize("url", ["http://host/frames", "s3://", "ftp://a/b", "file:///a%00b"])
def test_other_places_of_frames_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"CASTLINE_FRAMES_URL: .*s3://"):
        settings(tmp_path, frames_url=url)


def test_media_roots_are_folders_and_urls(tmp_path: Path) -> None:
    read = settings(tmp_path, media_roots="/films:s3://bucket/series/:/more")
    assert read.media_roots == (Path("/films"), Path("/more"))
    assert read.media_urls == ("s3://bucket/series",)
    assert read.readable_roots == (Path("/films"), Path("/more"), tmp_path / "cache" / "episodes")


def test_roots_on_shared_storage_alone_close_this_machine(tmp_path: Path) -> None:
    read = settings(tmp_path, media_roots="s3://bucket")
    assert read.readable_roots == (tmp_path / "cache" / "episodes",)
    assert settings(tmp_path).readable_roots == ()


def test_a_media_root_that_depends_on_where_one_stands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="films: write the whole path"):
        settings(tmp_path, media_roots=f"/series{os.pathsep}films")


def test_limits_and_ports(tmp_path: Path) -> None:
    read = settings(tmp_path, frames_gb="100", cache_gb="5", metrics_port="9100")
    assert (read.frames_limit_bytes, read.cache_limit_bytes) == (100 * GB, 5 * GB)
    assert (read.metrics_address, read.metrics_port) == ("127.0.0.1", 9100)
    assert settings(tmp_path).frames_limit_bytes is None
    assert settings(tmp_path).metrics_port is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames_gb", "0"), ("cache_gb", "ten"), ("metrics_port", "65536"), ("log_format", "xml")],
)
def test_values_out_of_bounds_are_refused(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=f"CASTLINE_{name.upper()}: .*received '{value}'"):
        settings(tmp_path, **{name: value})


def test_settings_come_back_from_their_json(tmp_path: Path) -> None:
    for read in (
        settings(tmp_path),
        settings(
            tmp_path,
            frames_url="/srv/frames",
            media_roots="/films:s3://b",
            log_format="json",
            web_hosts="castline.example.org, 192.168.1.5",
        ),
    ):
        assert Settings.from_json(read.to_json()) == read


def test_names_of_the_web_server_are_read_without_case(tmp_path: Path) -> None:
    read = settings(tmp_path, web_hosts="Castline.Example.org,192.168.1.5, [fd00::5],")
    assert read.web_hosts == ("castline.example.org", "192.168.1.5", "[fd00::5]")


@pytest.mark.parametrize("name", ["http://a.example", "a.example:80", "*", "a b", "a/", "-a", "."])
def test_what_is_no_name_of_a_host_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"CASTLINE_WEB_HOSTS: .* is not a host's name"):
        settings(tmp_path, web_hosts=name)


@pytest.mark.parametrize("number", ["9" * 5000, "0" * 5000 + "1", "1" * 21])
def test_a_number_of_any_length_is_refused_in_a_short_line(number: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="CASTLINE_FRAMES_GB: a whole number") as caught:
        settings(tmp_path, frames_gb=number)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("url", ["file://[x", "file://[::1/frames", "~nosuch/frames"])
def test_a_place_of_frames_that_cannot_be_read_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"CASTLINE_FRAMES_URL: .*cannot be read; name a folder"):
        settings(tmp_path, frames_url=url)


def test_a_file_without_end_is_not_read_for_a_value(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="/dev/zero is too large; name a file that holds"):
        settings(tmp_path, broker_url_file="/dev/zero")


@pytest.mark.parametrize("name", ["home", "media_roots", "frames_url", "database_url"])
def test_a_value_with_a_zero_byte_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(b"/srv/a\0b")
    with pytest.raises(WorkerError, match="value holds a zero byte; write the value alone"):
        settings(tmp_path, **{f"{name}_file": str(tmp_path / "value")})
