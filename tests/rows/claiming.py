"""Claims as another machine's worker makes them."""

from db.queue.claims import claim_chunks
from db.records import Claim
from db.states import ChunkState
from worker.installation import Installation

ELSEWHERE = "another-machine/1/1.0"
"""Its identity."""


def claim(installation: Installation, state: str, lease_seconds: float = 60) -> Claim:
    """Claim the one chunk that waits in this state."""
    with installation.database.write() as connection:
        [found] = claim_chunks(connection, ChunkState(state), ELSEWHERE, lease_seconds)
    return found
