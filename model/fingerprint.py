"""What identifies a collection of labelled stills."""

import hashlib
from collections.abc import Iterable


def fingerprint(stills: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of the sorted lines `label SHA-256-of-content`, whatever the files' names.

    Args:
        stills: the label and the content's SHA-256 of each.
    """
    lines = sorted(f"{label} {sha256}\n" for label, sha256 in stills)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
