"""What identifies a collection of labelled stills."""

import hashlib
from collections.abc import Iterable


def fingerprint(stills: Iterable[tuple[str, ...]]) -> str:
    """Return the SHA-256 of the sorted lines `label SHA-256-of-content`, whatever the files' names.

    Args:
        stills: the label and the content's SHA-256 of each; and what else is known of it, if
            anything, which goes into its line too.
    """
    lines = sorted(" ".join(words) + "\n" for words in stills)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
