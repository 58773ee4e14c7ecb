"""The report of a model version: every page, for few labels and for many."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.dataset.contact_sheet import captioned_sheet
from model.dataset.folder import DatasetManifest, Shard
from model.evaluation.predictions import Confusion, Overfitting, Predictions, figures_of
from model.evaluation.recogniser import Mistake
from model.labels import Names
from model.recipe import STRONG, Recipe
from model.report.card import model_card
from model.report.pictures import draw_confusion, draw_curves
from model.report.report import report_pages
from model.training.history import Epoch
from model.version.manifest import Manifest

LABELS = ("ant", "charles_montgomery_bee", "unknown")
OVERFITTING = Overfitting(0.984, 0.882)

# truth     ant ant bee bee unknown
# said      ant bee bee bee ant
ANSWERS = Predictions(
    LABELS,
    np.array([0, 0, 1, 1, 2]),
    np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0, 1, 0], [0.3, 0.4, 0.3], [0.5, 0.1, 0.4]]),
)
MISTAKE = Mistake(
    np.full((64, 64, 3), (200, 30, 30), np.uint8), "ant", LABELS[1], 0.7, "stills/ant/ärger.jpg"
)


def epochs(count: int) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(number, count, 1e-3, 2 / number, 1 - 0.5 / number, 2.5 / number, 0.5, 60.25)
        for number in range(1, count + 1)
    )


@pytest.fixture(scope="module")
def pages() -> dict[str, bytes]:
    return report_pages(
        epochs(3), ANSWERS, [MISTAKE], OVERFITTING, {"recipe": {"epochs": 3}, "seed": 7}
    )


def picture(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content), formats=["PNG"])


def test_every_page_is_there_and_every_picture_opens(pages: dict[str, bytes]) -> None:
    pictures = {name for name in pages if name.endswith(".png")}
    assert pictures == {
        *("curves.png", "confusion.png", "confusion_normalised.png"),
        *("reliability.png", "mistakes.png"),
    }
    assert pages.keys() - pictures == {"classification_report.txt", "history.csv", "report.json"}
    for name in pictures:
        assert min(picture(pages[name]).size) > 100


def test_report_json_has_the_figures_counted_by_hand(pages: dict[str, bytes]) -> None:
    report = json.loads(pages["report.json"])
    assert report["accuracy"] == 3 / 4
    assert report["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert report["confusion"] == {
        "labels": list(LABELS),
        "counts": [[1, 1, 0], [0, 2, 0], [1, 0, 0]],
    }
    assert report["overfitting"] == pytest.approx(0.102)
    # each in a bin of its own: misses 0.2, 0.7, 0, 0.6 and 0.5 of 5
    assert report["expected_calibration_error"] == pytest.approx(2 / 5)
    # known stills score 0.8 0.7 1 0.4, the stranger 0.5
    assert report["unknown"]["auroc"] == pytest.approx(3 / 4)
    assert report["unknown"]["false_positive_rate"] == 1
    assert [row["stills"] for row in report["per_label"]] == [2, 2]
    assert report["mistakes"][0]["source"] == "stills/ant/ärger.jpg"
    assert (report["recipe"], report["seed"]) == ({"epochs": 3}, 7)


def test_classification_report_has_each_label_by_name(pages: dict[str, bytes]) -> None:
    lines = [line.split() for line in pages["classification_report.txt"].decode().splitlines()]
    assert ["ant", "0.500", "0.500", "0.500", "2"] in lines
    assert ["charles_montgomery_bee", "0.667", "1.000", "0.800", "2"] in lines
    assert ["accuracy", "0.600", "5"] in lines


def test_history_has_a_line_per_epoch(pages: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(StringIO(pages["history.csv"].decode())))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert float(rows[1]["loss"]) == 1.0
    assert float(rows[1]["seconds"]) == 60.25


def test_curves_of_a_single_epoch_are_drawn() -> None:
    assert picture(draw_curves(epochs(1), OVERFITTING)).width > 1000


@pytest.mark.parametrize("labels", [2, 43])
def test_a_confusion_matrix_grows_with_its_labels(labels: int) -> None:
    names = tuple(f"somebody_with_number_{number}" for number in range(labels))
    confusion = Confusion(names, np.eye(labels, dtype=np.int64) * 7)
    drawn = np.asarray(picture(draw_confusion(confusion, Names(), normalised=True)).convert("RGB"))
    assert 130 * 0.3 * labels < drawn.shape[0] < 3000
    # the diagonal is blue, the rest all but white
    blue = (drawn[..., 2].astype(int) - drawn[..., 0] > 100).mean()
    cells = (labels * 0.36 / (labels * 0.36 + 3)) ** 2
    assert 0.3 * cells / labels < blue < 1.5 * cells / labels + 0.15 * (labels == 2)


def test_many_labels_still_make_a_picture_of_a_size_that_opens() -> None:
    names = tuple(f"label_{number}" for number in range(120))
    confusion = Confusion(names, np.zeros((120, 120), np.int64))
    assert picture(draw_confusion(confusion, Names(), normalised=False)).width < 4000


@pytest.mark.filterwarnings("error")
def test_names_of_any_script_length_and_sign_are_drawn() -> None:
    names = Names({"a": "バート", "b": "שלום", "c": "x" * 100, "d": r"$\frac{ ${"})
    confusion = Confusion(tuple(names), np.eye(4, dtype=np.int64))
    assert picture(draw_confusion(confusion, names, normalised=False)).width > 300
    assert picture(captioned_sheet([(np.zeros((9, 9, 3), np.uint8), ["バート", "שלום"])], ""))


def test_captioned_pictures_stand_in_rows_of_six() -> None:
    red, green = (np.full((10, 10, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0)))
    sheet = picture(captioned_sheet([(red, ["red"])] * 6 + [(green, ["x" * 300])], "none"))
    assert sheet.getpixel((3 * 176 + 88, 70)) == (255, 0, 0)
    row_height = sheet.height // 2
    assert sheet.getpixel((88, row_height + 70)) == (0, 255, 0)
    # the caption that is too long ends with its cell
    beside = np.asarray(sheet)[row_height + 144 :, 176:]
    assert (beside == 255).all()


def test_a_sheet_without_pictures_says_so() -> None:
    sheet = np.asarray(picture(captioned_sheet([], "No mistakes were made.")))
    assert (sheet < 100).any()


def dataset(split: str) -> DatasetManifest:
    return DatasetManifest(
        labels=LABELS,
        counts={"train": (720, 360, 144), "validation": (180, 90, 36), "test": (2, 2, 1)},
        others={"dog": 181},
        others_are_kept=True,
        split=split,
        seed=0,
        groups=1000,
        test_with_train_twin=3,
        stored_side=176,
        fingerprint_sha256="f" * 64,
        sources=("stills",),
        shards={
            part: (Shard(f"{part}-00000-of-00001.tfrecord", records, 1, "0" * 64),)
            for part, records in {"train": 1224, "validation": 306, "test": 5}.items()
        },
        created_at="2026-01-01T00:00:00+00:00",
    )


def card(
    labels: tuple[str, ...] = LABELS,
    split: str = "grouped",
    teachers: Sequence[str] = (),
    start: str | None = None,
    start_learnt: str = "f" * 64,
    recipe: Recipe | None = None,
    learnt: DatasetManifest | None = None,
    **changes: Any,
) -> str:
    manifest = Manifest(
        name="insects",
        version="3",
        network="baseline",
        network_parameters={"filters": [8], "dense": 16},
        labels=labels,
        preprocessing="fit84_crop64",
        regions=("full", "left", "right"),
        temperature=1.25,
        onset=0.61,
        offset=0.32,
        label_thresholds={"ant": (0.77, 0.44)},
        training_data_sha256="f" * 64,
        metrics={},
        licence="Free for all.",
        created_at="2026-01-01T00:00:00+00:00",
    )
    began = replace(manifest, version=start, training_data_sha256=start_learnt) if start else None
    manifest = replace(manifest, **changes)
    return model_card(
        manifest,
        recipe or Recipe(epochs=7, batch_size=64, optimizer="adamw", mirror=True, taught=0.5),
        [replace(manifest, version=version) for version in teachers],
        began,
        learnt or dataset(split),
        figures_of(ANSWERS),
        OVERFITTING,
        about_stills="Drawn by hand.",
        about_thresholds="Chosen on frames of validation stills.",
        command="castline train insects --recipe strong",
    )


def test_card_states_terms_origin_command_and_figures() -> None:
    text = card()
    for stated in (
        "# insects 3\n",
        "which of 2 characters a frame shows: ant, charles montgomery bee.",
        "**Terms of use.** Free for all.",
        "Drawn by hand.",
        "| charles_montgomery_bee | 452 | 360 | 90 | 2 |",
        "| total | 1535 | 1224 | 306 | 5 |",
        "f" * 64,
        "    castline train insects --recipe strong\n",
        "epochs 7, batch_size 64, optimizer adamw",
        "| accuracy | 0.7500 |",
        "| expected calibration error (15 bins) | 0.4000 |",
        "| AUROC of known against 1 stills of others | 0.7500 |",
        "10.2 points of overfitting",
        "| ant | 2 | 1.000 | 0.500 | 0.667 | 0.77 | 0.44 |",
        "| charles_montgomery_bee | 2 | 0.667 | 1.000 | 0.800 | 0.61 | 0.32 |",
        "trained with 144 stills of others",
    ):
        assert stated in text, stated


def test_card_says_what_a_random_split_and_a_missing_unknown_mean() -> None:
    text = card(labels=("ant", "charles_montgomery_bee"), split="random")
    assert "3 of the 5 test stills have a near-duplicate in training" in text
    assert "no output for others" in text
    assert "no test\nstill has a near-duplicate" in card()


def test_card_names_the_teachers_and_says_how_much_of_them_was_learnt() -> None:
    text = card(teachers=("1", "2"))
    assert "taught 0.5" in text
    assert ". Teachers: insects@1, insects@2.\n" in text
    assert "taught" not in card()
    assert "Teachers" not in card()


def test_card_names_the_version_whose_weights_it_began_with() -> None:
    began = "seed 0. It began with the weights of insects@2, which was trained on "
    same = card(start="2")
    assert f"{began}the same stills:\nif they were split differently there, the figures" in same
    others = card(start="2", start_learnt="e" * 64)
    assert f"{began}other stills:\nif some of these are test stills here, the" in others
    assert "It began with" not in card()


DENSE: dict[str, Any] = {
    "network": "dense",
    "network_parameters": STRONG.network_parameters,
    "labels": LABELS[:2],
    "preprocessing": "fit256x192",
    "regions": ("full",),
    "loss": "places",
}


def test_card_of_a_dense_version_says_how_that_sees() -> None:
    text = card(recipe=STRONG, start="2", **DENSE)
    for stated in (
        "`fit256x192`, whole frames, each seen once.",
        "Confidence is sigmoid(logit / 1.250) of a label's most likely place",
        "trained with 144 stills of others, as negatives. It has no output for them",
        "the largest confidence of\nall labels. Tags",
        "Characters unlike any among the stills of others",
        "It began with the first layers' weights of insects@2",
        f"mosaics {STRONG.mosaics}",
        "on the test stills of known characters:\n",
    ):
        assert stated in text, stated
    for untrue in ("softmax", "halves", "regions", "`unknown` is"):
        assert untrue not in text, untrue
    assert "`unknown` is one of its outputs" in card()


def test_card_of_a_dense_version_that_saw_nobody_else_says_so() -> None:
    counts = {"train": (864, 360), "validation": (216, 90), "test": (3, 2)}
    nobody_else = replace(dataset("grouped"), labels=LABELS[:2], counts=counts)
    text = card(recipe=STRONG, learnt=nobody_else, **DENSE)
    assert "never trained with anybody else" in text
    assert "a label and on pictures of other series" in text
