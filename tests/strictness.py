"""What becomes of a test that needs a server which cannot be started here."""

import os
from typing import NoReturn

import pytest


def cannot_start(what: str, why: object) -> NoReturn:
    """Skips on a person's machine; fails where CASTLINE_TEST_STRICT=1 promises all servers."""
    reason = f"{what} cannot be started here: {' '.join(str(why).split())}"
    if os.environ.get("CASTLINE_TEST_STRICT") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
