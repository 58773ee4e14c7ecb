"""The Celery app, and what workers are told."""

from pathlib import Path

import pytest

from db.states import Step
from model.inference.device import Device
from worker.cluster.app import lane_of, make_app
from worker.cluster.celery_process import CeleryOrder
from worker.errors import WorkerError
from worker.gpus import usable_gpus
from worker.settings import Settings

ENVIRONMENT = {
    "CASTLINE_BROKER_URL": "redis://castline:secret@broker:6379/0",
    "CASTLINE_CHUNKS_AHEAD": "12",
    "CASTLINE_BATCH_SIZE": "96",
    "CASTLINE_MEDIA_ROOTS": "/films:/series",
    "CUDA_VISIBLE_DEVICES": "1,3",
}


def settings(**changed: str) -> Settings:
    return Settings.from_environment(Path("/home/of/castline"), ENVIRONMENT | changed)


def test_the_environment_sets_broker_batches_and_how_far_extraction_may_be_ahead() -> None:
    found = settings()
    assert found.broker_url == "redis://castline:secret@broker:6379/0"
    assert (found.chunks_ahead, found.batch_size) == (12, 96)
    assert found.visible_gpus == ("1", "3")


@pytest.mark.parametrize("name", ["CASTLINE_CHUNKS_AHEAD", "CASTLINE_BATCH_SIZE"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "9" * 12])
def test_a_number_out_of_bounds_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(WorkerError, match=f"{name}: a whole number from 1 to"):
        settings(**{name: value})


def test_an_order_comes_back_from_its_line_as_it_was() -> None:
    order = CeleryOrder(settings(), Step.CLASSIFY, 2, Device.GPU, until_idle=True)
    assert "\n" not in order.to_json()
    assert CeleryOrder.from_json(order.to_json()) == order


@pytest.mark.parametrize(
    "url", ["amqp://broker", "broker:6379", "sqla+sqlite:///x", "filesystem://"]
)
def test_a_broker_that_may_lose_messages_is_refused_with_its_remedy(url: str) -> None:
    with pytest.raises(WorkerError, match=r"CASTLINE_BROKER_URL: .* redis://") as caught:
        make_app(settings(CASTLINE_BROKER_URL=url))
    assert url not in str(caught.value), "it may hold a password"


def test_queues_are_in_the_order_in_which_they_are_worked_on() -> None:
    app = make_app(settings())
    assert list(app.amqp.queues) == [
        "classify.interactive",
        "extract.interactive",
        "classify.bulk",
        "extract.bulk",
    ]
    assert lane_of("extract.interactive") == "interactive"


def test_only_json_comes_in_and_no_result_goes_out() -> None:
    conf = make_app(settings()).conf
    assert conf.accept_content == ["json"]
    assert (conf.task_serializer, conf.result_backend, conf.task_ignore_result) == (
        "json",
        None,
        True,
    )


def test_gpus_are_those_that_are_visible_or_all_that_the_driver_has(tmp_path: Path) -> None:
    for name in ("0000:41:00.0", "0000:61:00.0"):
        (tmp_path / name).mkdir()
    assert usable_gpus(settings(), Device.AUTO, tmp_path) == ("1", "3")
    assert usable_gpus(settings(CUDA_VISIBLE_DEVICES=""), Device.GPU, tmp_path) == ("0", "1")
    assert usable_gpus(settings(), Device.CPU, tmp_path) == ()
    assert usable_gpus(settings(CUDA_VISIBLE_DEVICES=""), Device.AUTO, tmp_path / "none") == ()
