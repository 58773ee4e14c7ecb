"""A model version on disk: what is written is read, and what is hostile is refused."""

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from model.errors import ArtifactError, ModelNotFoundError
from model.labels import Names
from model.version.artifact import find_model, read_model_version, write_model_version
from model.version.manifest import Manifest, identity
from model.version.region_views import RegionViews
from model.version.weights import MAX_WEIGHTS_BYTES, read_weights

WEIGHTS: dict[str, NDArray[np.float32]] = {
    "conv_1/kernel": np.arange(12, dtype=np.float32).reshape(2, 2, 3),
    "conv_1/bias": np.array([0.5, -1.5, 3.25], np.float32),
}
SHAPES = {"conv_1/kernel": (2, 2, 3), "conv_1/bias": (3,)}


def a_manifest(**changes: Any) -> Manifest:
    manifest = Manifest(
        name="drawn",
        version="1",
        network="baseline",
        network_parameters={"filters": [4], "dense": 2},
        labels=("apple", "pear"),
        preprocessing="fit84_crop64",
        regions=("full", "left", "right"),
        temperature=1.5,
        onset=0.8,
        offset=0.4,
        training_data_sha256="a" * 64,
        metrics={"accuracy": 0.9},
        licence="CC0-1.0",
        created_at="2026-01-01T00:00:00+00:00",
    )
    return replace(manifest, **changes)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = write_model_version(tmp_path / "m", a_manifest(), WEIGHTS, {"card.md": b"# card"})
    read = read_model_version(tmp_path / "m")
    assert read == written
    weights = read_weights(read, SHAPES)
    assert weights.keys() == WEIGHTS.keys()
    for name, array in WEIGHTS.items():
        np.testing.assert_array_equal(weights[name], array)
    assert (tmp_path / "m/report/card.md").read_bytes() == b"# card"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m"]  # nothing unfinished is left


def test_weights_file_hash_in_the_manifest_is_what_sha256sum_says(tmp_path: Path) -> None:
    version = write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    content = (tmp_path / "m/weights.safetensors").read_bytes()
    on_disk = json.loads((tmp_path / "m/manifest.json").read_text())
    assert on_disk["weights_sha256"] == hashlib.sha256(content).hexdigest()
    assert version.sha256 == hashlib.sha256((tmp_path / "m/manifest.json").read_bytes()).hexdigest()


def test_identity_covers_manifest_and_weights(tmp_path: Path) -> None:
    other_weights = WEIGHTS | {"conv_1/bias": np.zeros(3, np.float32)}
    identities = {
        write_model_version(tmp_path / "a", a_manifest(), WEIGHTS).sha256,
        write_model_version(tmp_path / "b", a_manifest(), other_weights).sha256,
        write_model_version(tmp_path / "c", a_manifest(onset=0.7), WEIGHTS).sha256,
    }
    assert len(identities) == 3
    again = write_model_version(tmp_path / "d", a_manifest(), WEIGHTS)
    assert again.sha256 in identities


def test_thresholds_of_single_labels_are_read_back_and_belong_to_the_identity(
    tmp_path: Path,
) -> None:
    own = a_manifest(label_thresholds={"pear": (0.95, 0.5)})
    written = write_model_version(tmp_path / "own", own, WEIGHTS)
    on_disk = json.loads((tmp_path / "own/manifest.json").read_text())
    assert on_disk["label_thresholds"] == {"pear": [0.95, 0.5]}
    assert read_model_version(tmp_path / "own") == written
    assert write_model_version(tmp_path / "m", a_manifest(), WEIGHTS).sha256 != written.sha256


def test_a_manifest_from_before_there_were_some_keys_keeps_its_identity(tmp_path: Path) -> None:
    written = write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    path = tmp_path / "m/manifest.json"
    later: dict[str, Any] = {"label_thresholds": {}, "closer_view": 0.0, "glance_side": 0}
    later |= {"glance_clear": 0.0, "int8": False, "loss": ""}
    assert not later.keys() & json.loads(path.read_text()).keys()
    path.write_text(json.dumps(json.loads(path.read_text()) | later))
    assert read_model_version(tmp_path / "m") == written


def test_labels_and_names_of_any_script_are_read_back(tmp_path: Path) -> None:
    manifest = a_manifest(labels=("éd", "バート"), names=Names({"éd": "Éd"}))
    written = write_model_version(tmp_path / "m", manifest, WEIGHTS)
    read = read_model_version(tmp_path / "m").manifest
    assert read == written.manifest
    assert [read.names[label] for label in read.labels] == ["Éd", "バート"]
    write_model_version(tmp_path / "n", a_manifest(), WEIGHTS)
    assert "names" not in json.loads((tmp_path / "n/manifest.json").read_text())


def test_glance_is_read_back_and_belongs_to_the_identity(tmp_path: Path) -> None:
    network = {"network": "residual", "preprocessing": "fit112_crop96"}
    glancing = a_manifest(**network, glance_side=64, glance_clear=0.9)
    written = write_model_version(tmp_path / "m", glancing, WEIGHTS)
    assert read_model_version(tmp_path / "m") == written
    assert written.manifest.views == RegionViews(0.0, 64, 0.9)
    others = [
        a_manifest(**network),
        a_manifest(**network, glance_side=80, glance_clear=0.9),
        a_manifest(**network, glance_side=64, glance_clear=0.95),
    ]
    assert len({identity(manifest) for manifest in [*others, written.manifest]}) == 4


@pytest.mark.parametrize(
    ("side", "clear"),
    [
        (31, 0.9),
        (96, 0.9),
        (97, 0.9),
        (True, 0.9),
        (64.0, 0.9),
        (64, 0),
        (64, 0.5),
        (64, 1),
        (64, True),
    ],
)
def test_glance_of_no_such_side_or_confidence_is_refused(side: Any, clear: Any) -> None:
    network = {"network": "residual", "preprocessing": "fit112_crop96"}
    for sound in (32, 95):
        assert a_manifest(**network, glance_side=sound, glance_clear=0.9).glance_side == sound
    with pytest.raises(ArtifactError, match="glance_"):
        a_manifest(**network, glance_side=side, glance_clear=clear)


def test_a_version_is_never_overwritten(tmp_path: Path) -> None:
    write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    with pytest.raises(ArtifactError, match="exists"):
        write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)


BAD_VALUES = [
    ("name", "../up"),
    ("name", ""),
    ("version", "1/2"),
    ("labels", ["one"]),
    ("labels", ["one", "one"]),
    ("labels", ["one", "É"]),
    ("labels", ["one", "e\u0301"]),
    ("labels", ["one", "\u3164"]),
    ("names", ["Pear"]),
    ("names", {"plum": "Plum"}),  # no label of the model
    ("names", {"pear": "Pe\nar"}),
    ("names", {"pear": "\u202eraep"}),
    ("names", {"pear": ""}),
    ("names", {"pear": 7}),
    ("labels", ["one", "T w o"]),
    ("labels", "ab"),
    ("regions", []),
    ("regions", ["full", "top"]),
    ("preprocessing", "pickle"),
    ("preprocessing", ["fit84_crop64"]),
    ("temperature", 0),
    ("temperature", float("nan")),
    ("temperature", True),
    ("temperature", 5e-324),  # logits divided by it are no numbers any more
    ("closer_view", 0.3),
    ("closer_view", 1.0),
    ("closer_view", False),
    ("closer_view", "0.9"),
    ("glance_side", 48),  # of network baseline, which takes one side alone
    ("glance_side", False),
    ("glance_side", 0.0),
    ("glance_side", -16),
    ("glance_clear", 0.9),  # of no glance
    ("loss", "huge"),
    ("loss", None),
    ("loss", []),
    ("onset", 1.5),
    ("onset", 10**400),  # too large for a float
    ("offset", 0.9),  # above the onset
    ("label_thresholds", []),
    ("label_thresholds", {"plum": [0.9, 0.5]}),  # no label of the model
    ("label_thresholds", {"pear": [0.5, 0.9]}),
    ("label_thresholds", {"pear": [1.1, 0.5]}),
    ("label_thresholds", {"pear": [0.5, 0]}),
    ("label_thresholds", {"pear": [0.5]}),
    ("label_thresholds", {"pear": "98"}),
    ("label_thresholds", {"pear": [0.9, None]}),
    ("metrics", {"accuracy": "high"}),
    ("network_parameters", []),
    ("format", 2),
    ("format", True),
    ("format", 1.0),
    ("weights_sha256", ""),
    ("licence", " "),
    # Every other time zone would need a year that Python has not.
    ("created_at", "0001-01-01T00:00:00+14:00"),
    ("created_at", "0001-06-01T00:00:00+00:00"),
    ("created_at", "9999-12-31T23:59:59-12:00"),
    ("created_at", "2026-01-01T00:00:00"),
]


@pytest.mark.parametrize(("key", "value"), BAD_VALUES)
def test_manifest_with_a_bad_value_is_refused_by_its_name(
    tmp_path: Path, key: str, value: object
) -> None:
    write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    path = tmp_path / "m/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ArtifactError) as caught:
        read_model_version(tmp_path / "m")
    message = str(caught.value)
    assert key in message
    assert str(tmp_path / "m") in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "changes",
    [
        {"network_parameters": {"filters": [float("nan")], "dense": 2}},
        {"network_parameters": {"filters": [float("inf")], "dense": 2}},
        {"licence": "\ud800"},  # half a character: JSON has an escape for it, UTF-8 has not
    ],
)
def test_manifest_without_a_canonical_form_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    path = tmp_path / "m/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ArtifactError, match="not finite, or a text that is not UTF-8; fetch"):
        read_model_version(tmp_path / "m")
    assert find_model(None, [tmp_path]).folder.parent != tmp_path  # nor does it stop the others


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_manifest_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    (tmp_path / "m/manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="manifest"):
        read_model_version(tmp_path / "m")


class _Bomb:
    """Unpickled, it would make a folder."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.trace),)


def _pickle_beside(folder: Path) -> None:
    (folder / "network.pkl").write_bytes(pickle.dumps(_Bomb(folder.parent / "boom")))


def _pickle_as_weights(folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(pickle.dumps(_Bomb(folder.parent / "boom")))


def _weights_linked_out(folder: Path) -> None:
    outside = folder.parent / "outside"
    (folder / "weights.safetensors").rename(outside)
    (folder / "weights.safetensors").symlink_to(outside)


def _manifest_linked_out(folder: Path) -> None:
    outside = folder.parent / "outside"
    (folder / "manifest.json").rename(outside)
    (folder / "manifest.json").symlink_to(outside)


def _report_linked_out(folder: Path) -> None:
    (folder / "report").rmdir()
    (folder / "report").symlink_to("/etc")


def _huge_manifest(folder: Path) -> None:
    os.truncate(folder / "manifest.json", 2 << 20)


def _huge_weights(folder: Path) -> None:
    os.truncate(folder / "weights.safetensors", MAX_WEIGHTS_BYTES + 1)


def _weights_is_a_pipe(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    os.mkfifo(folder / "weights.safetensors")


def _manifest_is_a_folder(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()


def _no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _no_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()


def _bit_flipped(folder: Path) -> None:
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        _pickle_beside,
        _pickle_as_weights,
        _weights_linked_out,
        _manifest_linked_out,
        _report_linked_out,
        _huge_manifest,
        _huge_weights,
        _weights_is_a_pipe,
        _manifest_is_a_folder,
        _no_manifest,
        _no_weights,
        _bit_flipped,
    ],
)
def test_hostile_or_damaged_folder_is_refused_in_one_line_and_runs_nothing(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = tmp_path / "m"
    write_model_version(folder, a_manifest(), WEIGHTS)
    spoil(folder)
    with pytest.raises(ArtifactError) as caught:
        read_weights(read_model_version(folder), SHAPES)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "boom").exists()


def test_folder_that_is_a_link_or_absent_is_refused(tmp_path: Path) -> None:
    write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    (tmp_path / "link").symlink_to(tmp_path / "m")
    with pytest.raises(ArtifactError, match="link"):
        read_model_version(tmp_path / "link")
    with pytest.raises(ArtifactError, match="absent"):
        read_model_version(tmp_path / "absent")


BAD_WEIGHTS: list[dict[str, NDArray[Any]]] = [
    {"conv_1/kernel": WEIGHTS["conv_1/kernel"]},
    WEIGHTS | {"more": np.zeros(1, np.float32)},
    WEIGHTS | {"conv_1/bias": np.zeros(4, np.float32)},
    WEIGHTS | {"conv_1/bias": np.zeros((3, 1), np.float32)},
    WEIGHTS | {"conv_1/bias": np.array([0, np.nan, 0], np.float32)},
]


@pytest.mark.parametrize("weights", BAD_WEIGHTS)
def test_weights_that_do_not_fit_the_network_are_refused(
    tmp_path: Path, weights: dict[str, NDArray[Any]]
) -> None:
    version = write_model_version(tmp_path / "m", a_manifest(), weights)
    with pytest.raises(ArtifactError, match=r"do not fit|not finite"):
        read_weights(version, SHAPES)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32])
def test_weights_of_another_type_are_refused(tmp_path: Path, kind: type[np.generic]) -> None:
    version = write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    rounded = {name: array.astype(np.float16) for name, array in WEIGHTS.items()}
    content = save(rounded | {"conv_1/bias": np.zeros(3, kind)})
    version.weights_path.write_bytes(content)
    named = replace(version.manifest, weights_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(ArtifactError, match="do not fit"):
        read_weights(replace(version, manifest=named), SHAPES)


def test_newest_version_of_a_name_is_the_one_made_last_whatever_its_number(tmp_path: Path) -> None:
    # In another time zone, so that the order of the texts is not that of the moments.
    made = {
        "9": "2026-03-01T00:30:00+02:00",
        "2": "2026-02-28T23:00:00+00:00",
        "10": "2025-12-31T00:00:00+00:00",
    }
    for version, created_at in made.items():
        manifest = a_manifest(version=version, created_at=created_at)
        write_model_version(tmp_path / f"m{version}", manifest, WEIGHTS)
    assert find_model("drawn", [tmp_path]).manifest.version == "2"
    assert find_model("drawn@10", [tmp_path]).manifest.version == "10"


def test_of_versions_made_at_one_moment_the_higher_number_is_newer(tmp_path: Path) -> None:
    for version in ("1", "9", "10", "10.1", "2"):
        write_model_version(tmp_path / f"m{version}", a_manifest(version=version), WEIGHTS)
    assert find_model("drawn", [tmp_path]).manifest.version == "10.1"
    assert find_model("drawn@9", [tmp_path]).manifest.version == "9"


def test_what_a_killed_writer_left_is_no_version(tmp_path: Path) -> None:
    write_model_version(tmp_path / ".drawn-2.abcd12", a_manifest(version="2"), WEIGHTS)
    write_model_version(tmp_path / "drawn-1", a_manifest(version="1"), WEIGHTS)
    assert find_model("drawn", [tmp_path]).manifest.version == "1"
    with pytest.raises(ModelNotFoundError):
        find_model("drawn@2", [tmp_path])


def test_unknown_reference_is_refused_with_what_there_is(tmp_path: Path) -> None:
    write_model_version(tmp_path / "m", a_manifest(), WEIGHTS)
    for reference in ("drawn@2", "painted", "", "@1"):
        with pytest.raises(ModelNotFoundError):
            find_model(reference, [tmp_path, tmp_path / "absent"])
    with pytest.raises(ModelNotFoundError, match="drawn@1"):
        find_model("painted", [tmp_path])


def test_two_different_versions_of_one_reference_are_refused(tmp_path: Path) -> None:
    write_model_version(tmp_path / "a/m", a_manifest(), WEIGHTS)
    write_model_version(tmp_path / "b/m", a_manifest(onset=0.7), WEIGHTS)
    write_model_version(tmp_path / "c/m", a_manifest(), WEIGHTS)
    later = a_manifest(created_at="2026-01-02T00:00:00+00:00")
    write_model_version(tmp_path / "d/m", later, WEIGHTS)
    for other in ("b", "d"):
        for reference in ("drawn", "drawn@1"):
            with pytest.raises(ModelNotFoundError, match="differ"):
                find_model(reference, [tmp_path / "a", tmp_path / other])
    assert find_model("drawn", [tmp_path / "a", tmp_path / "c"]).manifest.onset == 0.8


def test_damaged_folder_does_not_hide_the_others_but_is_named_when_nothing_is_found(
    tmp_path: Path,
) -> None:
    write_model_version(tmp_path / "good", a_manifest(), WEIGHTS)
    write_model_version(tmp_path / "bad", a_manifest(name="painted"), WEIGHTS)
    (tmp_path / "bad/manifest.json").write_text("{")
    assert find_model("drawn", [tmp_path]).manifest.name == "drawn"
    with pytest.raises(ArtifactError, match="bad"):
        find_model("painted", [tmp_path])


def test_bundled_model_is_small_and_found_without_a_reference() -> None:
    version = find_model(None)
    assert version.manifest.name == "springfield"
    assert version.manifest.is_dense
    assert len(version.manifest.labels) == 33
    assert "CC BY-NC-SA 4.0" in version.manifest.licence
    assert version.weights_path.stat().st_size < 8_000_000


DENSE: dict[str, Any] = {
    "network": "dense",
    "preprocessing": "fit256x192",
    "regions": ("full",),
    "loss": "places",
}


def test_manifest_of_a_dense_network_is_read_back(tmp_path: Path) -> None:
    written = write_model_version(tmp_path / "m", a_manifest(**DENSE), WEIGHTS)
    assert read_model_version(tmp_path / "m") == written
    assert written.manifest.is_dense
    assert not a_manifest().is_dense
    assert a_manifest(**{**DENSE, "loss": ""}).loss == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({**DENSE, "regions": ("full", "left", "right")}, "not full alone"),
        ({**DENSE, "regions": ("left",)}, "not full alone"),
        ({**DENSE, "preprocessing": "fit112_crop96"}, "preprocessing 'fit112_crop96' is not for"),
        ({**DENSE, "loss": "binary"}, "loss 'binary' is not for network 'dense'"),
        ({**DENSE, "closer_view": 0.875}, "closer_view 0.875"),
        ({**DENSE, "glance_side": 64, "glance_clear": 0.9}, "glance_side 64"),
        ({"preprocessing": "fit256x192"}, "preprocessing 'fit256x192' is not for network 'base"),
        ({"loss": "places"}, "loss 'places' is not for network 'baseline'"),
    ],
)
def test_what_a_dense_network_does_not_do_is_refused_and_so_is_what_it_alone_does(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArtifactError, match=message):
        a_manifest(**change)
