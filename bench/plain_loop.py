"""The loop of most published code: OpenCV reads every frame, Keras' `predict` sees the samples.

    python -m bench.plain_loop EPISODE BATCH

BATCH is the number of frames per call of `model.predict`: 1, or 32. Prints the number of frames
classified. `bench.tag_episode` runs it in a process of its own, so that its time includes the same
start-up as any command's.
"""

import sys

import cv2
import numpy as np
from numpy.typing import NDArray

from model.inference.sight import sight_of
from model.networks.named import network_of
from model.pictures.regions import cut
from model.version.artifact import find_model

EVERY_SECONDS = 0.5


def main() -> None:
    path, batch_frames = sys.argv[1], int(sys.argv[2])
    version = find_model(None)
    sight = sight_of(version.manifest, version.manifest.labels)
    network = network_of(version)

    video = cv2.VideoCapture(path)
    rate = video.get(cv2.CAP_PROP_FPS)
    step = round(rate * EVERY_SECONDS)
    views = len(sight.regions)
    waiting: list[NDArray[np.uint8]] = []
    classified = 0
    number = 0
    while True:
        is_read, frame = video.read()
        if not is_read:
            break
        if number % step == 0:
            picture = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
            waiting += [sight.rule.preprocess(cut(picture, region)) for region in sight.regions]
        number += 1
        if len(waiting) == batch_frames * views:
            classified += len(network.predict(np.stack(waiting), verbose=0))
            waiting.clear()
    if waiting:
        classified += len(network.predict(np.stack(waiting), verbose=0))
    print(classified // views)


if __name__ == "__main__":
    main()
