"""Measure how well a classifier rejects unknown characters, and how well it is calibrated.

    python -m bench.unknown MODEL DATASET --left-out STILLS --labels a,b,c --episodes EPISODE...

Known stills are the dataset's test stills of the model's labels. Unknown ones are all stills of the
labels in the folder STILLS that were left out of training, and frames of other series, two per
second, each as a whole (region `full`, without bars). The score is the one in stored tags: the
largest confidence of any label but `unknown`.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.episode_frames import store_frames, version_named
from ingest.decoder.parent import Decoder
from model.dataset.folder import open_dataset
from model.evaluation.metrics import (
    BINS,
    KNOWN_RECALL,
    is_known,
    known_scores,
    reliability,
    unknown_score,
)
from model.evaluation.predictions import Predictions, figures_of
from model.evaluation.recogniser import Recogniser, predict_part
from model.inference.classifier import Classifier
from model.stills.files import find_stills
from model.stills.reading import read_still


def main() -> None:
    arguments = _arguments()
    labels = arguments.labels.split(",")
    recogniser = Recogniser.of(Classifier.load(version_named(arguments.model)))
    trained = sorted(set(labels) & set(recogniser.labels))
    if trained:
        sys.exit(f"--labels: the model was trained on {', '.join(trained)}; name others")
    left_out = known_scores_of(recogniser, left_out_pictures(arguments.left_out, labels))
    cartoons = known_scores_of(recogniser, episode_pictures(arguments.episodes))
    answers = predict_part(recogniser, open_dataset(arguments.dataset), "test")
    strangers = {
        f"left-out characters ({', '.join(labels)})": left_out,
        "frames of other series, whole": cartoons,
        "both": np.concatenate([left_out, cartoons]),
    }
    print(page(answers, strangers))


def page(answers: Predictions, strangers: dict[str, NDArray[np.floating]]) -> str:
    """Return the figures in Markdown.

    Args:
        answers: Predictions for the test stills.
        strangers: For each kind of unknown pictures, (n,) `known_scores`.
    """
    known = is_known(answers.truth, answers.labels)
    scores = known_scores(answers.confidences, answers.labels)[known]
    right = answers.right[known]
    of_known = reliability(answers.confidences.max(axis=1)[known], right)
    figures = figures_of(answers)
    rows = []
    for name, of_strangers in strangers.items():
        found = unknown_score(scores, of_strangers)
        if found is not None:
            rows.append(
                f"| {name} | {found.stills} | {found.auroc:.4f} | {found.false_positive_rate:.1%} |"
            )
    head = (
        f"| unknown, against {int(known.sum())} known test stills | pictures | AUROC "
        f"| false positives at {KNOWN_RECALL:.0%} recall |"
    )
    below = (
        f"Expected calibration error ({BINS} bins): {of_known.error:.2%} on the known test "
        f"stills, {figures.reliability.error:.2%} on all {figures.reliability.stills} whose "
        f"label the model can say. Accuracy {figures.score.accuracy:.4f}, macro-F1 "
        f"{figures.score.macro_f1:.4f} on the known."
    )
    return "\n".join([head, "|---|---:|---:|---:|", *rows, "", below])


def known_scores_of(
    recogniser: Recogniser, pictures: Iterable[NDArray[np.uint8]]
) -> NDArray[np.floating]:
    """Return (n,) the largest confidence of a known label in each whole picture."""
    seen = [recogniser.preprocessing.preprocess(picture) for picture in pictures]
    if not seen:
        return np.empty(0)
    return known_scores(recogniser.confidences_of_pictures(np.stack(seen)), recogniser.labels)


def left_out_pictures(stills: Path, labels: Sequence[str]) -> Iterable[NDArray[np.uint8]]:
    """Yield all stills of some labels as a dataset would store them."""
    files = [file for file in find_stills([stills]).files if file.label in labels]
    absent = set(labels) - {file.label for file in files}
    if absent:
        sys.exit(f"--labels: {stills} has no stills of {', '.join(sorted(absent))}; name others")
    for file in files:
        yield read_still(file.path).picture


def episode_pictures(episodes: Sequence[Path]) -> Iterable[NDArray[np.uint8]]:
    """Yield each episode's frames, two per second."""
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as folder, Decoder() as decoder:
        for path in episodes:
            for frame in store_frames(path, decoder, Path(folder)).frames():
                yield frame.picture


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="NAME, NAME@VERSION or a folder")
    parser.add_argument("dataset", type=Path, help="dataset whose test stills are the known ones")
    parser.add_argument("--left-out", type=Path, required=True, help="folder of labelled folders")
    parser.add_argument(
        "--labels", required=True, help="left-out labels in it, separated by commas"
    )
    parser.add_argument(
        "--episodes", nargs="+", type=Path, default=[], help="episodes of other series"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
