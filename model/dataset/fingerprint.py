"""Identify a collection of labelled stills."""

import hashlib
from collections.abc import Iterable


def fingerprint(stills: Iterable[tuple[str, ...]]) -> str:
    """Return the SHA-256 of the sorted lines `label SHA-256-of-content`, independent of file names.

    Args:
        stills: The label and the content's SHA-256 of each still, then further facts about it, if
            any, which become part of its line.
    """
    lines = sorted(" ".join(words) + "\n" for words in stills)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
