"""What queries show, in a few lines of Python: what the database is compared with."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

DEFAULT_EVERY = Fraction(1, 2)

GONE = ""
"""A model that was removed."""


@dataclass
class MadeRun:
    """A run, and what is known of it."""

    episode: str
    model: str
    every: Fraction
    state: str = "queued"
    asked: int = 0
    answer: str = ""
    """`done` or `partial` once it ended so; nothing while there is nothing to be shown."""

    @property
    def is_open(self) -> bool:
        """Whether work on it is left."""
        return self.state == "queued"


@dataclass
class ShownLibrary:
    """Runs and promotions, and the sentence: the model in use, with the parameters in use."""

    promoted: list[str]
    """The models whose promotion stands, the one in use last."""
    known: list[str]
    """All models that ran here or were promoted, in the order in which they came."""
    runs: dict[int, MadeRun] = field(default_factory=dict)
    asked: int = 0

    @property
    def in_use(self) -> str:
        """The model in use."""
        return self.promoted[-1]

    def ask(self, run_id: int, episode: str, model: str, every: Fraction) -> MadeRun:
        """Somebody asks for a run, old or new."""
        self.meet(model)
        run = self.runs.setdefault(run_id, MadeRun(episode, model, every))
        self.asked += 1
        run.asked = self.asked
        return run

    def meet(self, model: str) -> None:
        """A model comes to be known."""
        if model not in self.known:
            self.known.append(model)

    def forget(self, models: Collection[str]) -> None:
        """Models are removed; that something was promoted then is known still."""
        self.known = [model for model in self.known if model not in models]
        self.promoted = [GONE if model in models else model for model in self.promoted]

    def offer_again(self, run: MadeRun) -> None:
        """What it left undone is to be done; what it found stays to be seen."""
        if run.state != "done":
            run.state = "queued"

    def end(self, run: MadeRun, state: str) -> None:
        """A run ends; one that is cancelled keeps what an earlier end found."""
        run.state = state
        if state != "cancelled":
            run.answer = state if state in ("done", "partial") else ""

    def every_in_use(self, episode: str) -> Fraction:
        """As it was asked for last of the model in use, or of those that were in use before it."""
        for model in reversed(self.promoted):
            if runs := self.of(episode, model):
                return max(runs, key=lambda run: run.asked).every
        return DEFAULT_EVERY

    def shown(self, episode: str, promoted: list[str] | None = None) -> MadeRun | None:
        """The run that queries show."""
        promoted = self.promoted if promoted is None else promoted
        for model in [*reversed(promoted), *self.known]:
            if found := self.best(self.of(episode, model)):
                return found
        return None

    def of(self, episode: str, model: str) -> list[MadeRun]:
        """All runs of a model over an episode."""
        return [run for run in self.runs.values() if (run.episode, run.model) == (episode, model)]

    @staticmethod
    def best(runs: Iterable[MadeRun]) -> MadeRun | None:
        """Of one model's runs: a whole one before a part, and what was asked for last."""
        answering = [run for run in runs if run.answer]
        return max(answering, key=lambda run: (run.answer == "done", run.asked), default=None)
