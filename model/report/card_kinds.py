"""Sentences of model cards that depend on the kind of network: regional or dense."""

from model.labels import UNKNOWN
from model.version.manifest import Manifest


def looks_at(manifest: Manifest) -> str:
    """Return the parts of a frame that the network sees."""
    if manifest.is_dense:
        return "whole frames, each seen once"
    return f"regions {', '.join(manifest.regions)}"


def wrong_answer(manifest: Manifest) -> str:
    """Return the clause about an output that is never correct, if there is one."""
    return "" if manifest.is_dense else f", where `{UNKNOWN}` is a wrong answer"


def all_labels(manifest: Manifest) -> str:
    """Return the labels that the score for known characters covers."""
    return "all labels" if manifest.is_dense else f"all labels but `{UNKNOWN}`"


def about_confidence(manifest: Manifest) -> str:
    """Return the sentence about the computation of confidences."""
    if manifest.is_dense:
        return (
            f"Confidence is sigmoid(logit / {manifest.temperature:.3f}) of a label's most likely "
            "place, independent of\nother labels; the temperature, and a shift of all logits, were "
            "fitted on the shots below\n(Platt, 1999)."
        )
    return (
        f"Confidence is softmax(logits / {manifest.temperature:.3f}), the temperature fitted on the"
        " validation\nstills (Guo et al., 2017)."
    )


def limits_of_looks(manifest: Manifest) -> str:
    """Return the sentence about the network's limits."""
    if manifest.is_dense:
        return (
            "- It sees a frame once, with the pixels that its preprocessing keeps. The smaller a"
            " figure is,\n  or the more of it is covered or cut off, the more often it is missed."
        )
    return (
        "- It sees full frames and their left and right halves. It mostly misses three characters "
        "side by\n  side, and small ones far away."
    )
