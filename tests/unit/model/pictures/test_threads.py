"""Work shared among all cores: everything is done, in order, and errors are heard."""

import pytest

from model.pictures.threads import on_all_cores


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    assert on_all_cores(lambda number: number * number, range(count)) == [
        number * number for number in range(count)
    ]


def test_error_reaches_who_asked() -> None:
    def fail_at_seven(number: int) -> None:
        if number == 7:
            raise ValueError("seven")

    with pytest.raises(ValueError, match="seven"):
        on_all_cores(fail_at_seven, range(10))
