"""Words that callers choose among."""

from enum import StrEnum
from typing import get_args

import pytest

import castline
from castline.choices import AnyDevice, AnyLane, chosen
from castline.tagging.work import _steps
from db.states import Step


@pytest.mark.parametrize(
    ("words", "either"), [(castline.Device, AnyDevice), (castline.Lane, AnyLane)]
)
def test_plain_text_may_be_given_for_each_word(words: type[StrEnum], either: object) -> None:
    kind: type[StrEnum]
    kind, texts = get_args(either)
    assert kind is words
    assert set(get_args(texts)) == {str(word) for word in kind}
    assert [chosen(kind, text) for text in get_args(texts)] == list(kind)


def test_a_misspelt_word_is_refused_in_one_line_that_names_the_others() -> None:
    with pytest.raises(castline.RequestError) as caught:
        chosen(castline.Device, "abacus")
    assert str(caught.value) == "device 'abacus' is unknown: use one of auto, cpu, gpu"


@pytest.mark.parametrize("queues", ["", "tag", "extract,", "extract;classify"])
def test_queues_that_do_not_exist_are_refused(queues: str) -> None:
    with pytest.raises(castline.RequestError, match="--queues: extract or classify"):
        _steps(queues)


def test_queues_are_steps_each_once() -> None:
    assert _steps(None) == (Step.EXTRACT, Step.CLASSIFY)
    assert _steps("classify,classify,extract") == (Step.CLASSIFY, Step.EXTRACT)
