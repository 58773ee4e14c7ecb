"""What a model version says of where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """Where a model version comes from, as its manifest and its model card say."""

    licence: str = "The terms of the stills that it was trained on."
    """The terms under which the weights may be used."""
    about_stills: str = "Labelled stills."
    """The source of the stills, in a sentence or two."""
    command: str = "castline train"
    """The command that made the version."""
