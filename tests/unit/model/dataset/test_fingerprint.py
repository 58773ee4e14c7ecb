"""The fingerprint of stills follows their labels and contents, whatever their order."""

from model.dataset.fingerprint import fingerprint

STILLS = [("apple", "1" * 64), ("apple", "2" * 64), ("pear", "3" * 64)]


def test_fingerprint_follows_content_and_label_but_no_order() -> None:
    whole = fingerprint(STILLS)
    assert fingerprint(STILLS[::-1]) == whole
    assert len(whole) == 64
    others = [
        STILLS[:2],
        [*STILLS, STILLS[0]],
        [*STILLS[:2], ("fig", "3" * 64)],
        [*STILLS[:2], ("pear", "4" * 64)],
    ]
    assert len({whole, *map(fingerprint, others)}) == 5
