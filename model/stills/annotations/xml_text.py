"""Parse untrusted XML incrementally, without entities or document types, to a limited depth."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from model.errors import StillsError
from model.stills.annotations.entries import read_bytes

MAX_DEPTH: Final = 32
"""Files of boxes have five levels."""

MAX_ELEMENTS: Final = 100_000
"""Most elements in one picture's element: nobody draws so many boxes in a picture."""

_PART_BYTES: Final = 1 << 16  # bytes; the next part is read when the previous one is processed


class _RefusedError(Exception):
    """Content that no file of boxes has."""


class _Reader:
    """Collects the children of the root as complete elements."""

    def __init__(self) -> None:
        self.root = ""
        self.done: list[Element] = []
        self._depth = 0
        self._elements = 0
        self._builder = TreeBuilder()
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_type
        self._parser.EntityDeclHandler = self._refuse_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, content: bytes, is_last: bool) -> None:
        self._parser.Parse(content, is_last)

    def check_root(self, name: str) -> None:
        if self.root not in ("", name):
            raise _RefusedError(f"holds <{self.root[:40]}>, not <{name}>")

    def _refuse_type(self, *_declared: object) -> None:
        raise _RefusedError("declares a document type or entities, which no file of boxes needs")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.root = name
            return
        if self._depth == 2:
            self._builder, self._elements = TreeBuilder(), 0
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _RefusedError("is deeper or larger than files of boxes are")
        self._builder.start(name, attributes)

    def _text(self, text: str) -> None:
        if self._depth >= 2:
            self._builder.data(text)

    def _end(self, name: str) -> None:
        if self._depth >= 2:
            self._builder.end(name)
        if self._depth == 2:
            self.done.append(self._builder.close())
        self._depth -= 1


def children(path: Path, root: str) -> Iterator[Element]:
    """Yield the children of the root of an XML file, one at a time.

    Args:
        path: The file.
        root: The name that its root must have.

    Raises:
        StillsError: The file cannot be read, is not XML, has another root, or refused content.
    """
    content = read_bytes(path)
    reader = _Reader()
    for start in range(0, max(len(content), 1), _PART_BYTES):
        end = start + _PART_BYTES
        with _named(path):
            reader.feed(content[start:end], is_last=end >= len(content))
            reader.check_root(root)
        yield from reader.done
        reader.done.clear()


def root_of(path: Path) -> str:
    """Return the name of an XML file's root.

    Raises:
        StillsError: The file is not XML, or begins with refused content.
    """
    reader = _Reader()
    content = read_bytes(path)[:_PART_BYTES]
    with _named(path):
        reader.feed(content, is_last=False)
    return reader.root


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except (expat.ExpatError, _RefusedError, LookupError, ValueError) as error:
        # the latter two: an encoding that does not exist, or is not one of text
        raise StillsError(f"{path}: {error}; export the boxes again") from error
