"""The sink itself: gathers each image's outputs, and writes the sheets that would look different."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from relightflow.errors import UsageError
from relightflow.model.image import Image
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap, canonical_json
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, FinishedRun
from relightflow.sinks.base import AggregateSink
from relightflow.sinks.contact_sheet import fallback
from relightflow.sinks.contact_sheet.arrange import REPEAT, SheetImage, Tile, arrange
from relightflow.sinks.contact_sheet.fingerprint import matches, with_fingerprint
from relightflow.sinks.contact_sheet.layout import Heading, Layout, lay_out
from relightflow.sinks.contact_sheet.names import names
from relightflow.sinks.contact_sheet.render import render
from relightflow.sinks.contact_sheet.text import drawable, fonts_of
from relightflow.sinks.output_records import shared_records
from relightflow.sinks.owned import is_sheet

LOOK = 1
"""Raised when sheets are drawn differently, so that old ones are drawn again."""
_EXTENSION = {"jpeg": "jpg", "png": "png"}

Found = tuple[Output, Result | None, str]
"""An output, its image, and the word for what became of it."""


class ContactSheet(AggregateSink):
    """See the package; `options` are those of `RECORD`."""

    def __init__(self, context: SinkContext) -> None:
        super().__init__(context)
        self._options = context.options
        font = context.options.get("font")
        self._fonts = [context.place(font)] if font else []
        if self._fonts and not self._fonts[0].is_file():
            raise UsageError(
                f"the contact sheet's font {font} is not a file in the recipe's project"
            )

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        with fallback.named(self._fonts):
            return self._sheets(run)

    def _sheets(self, run: FinishedRun) -> tuple[Artifact, ...]:
        named = names(output.image for output, _ in run.outputs())
        every = groupby(_told(run), key=lambda found: (found[0].image.name, found[0].image.source))
        sheets = ((named[key], list(found)) for key, found in every)
        return tuple(self._sheet(run, found, name) for name, found in sheets if _begun(found))

    def _sheet(self, run: FinishedRun, found: Sequence[Found], name: str) -> Artifact:
        kind = self._options.get("format", "jpeg")
        path = f"{name}.{_EXTENSION[kind]}"
        first = found[0][0]
        layout = self._layout(run, found)
        shows = _fingerprint(layout, first.image, kind)
        data = self._folder.read(path)
        if data is not None and matches(data, shows):
            return Artifact(path, self._folder.receipt(path, hashlib.sha256(data).hexdigest()))
        self._folder.keep_others(run, path, is_sheet)

        def read(tile: Tile) -> bytes:
            if tile.original:
                return run.original(first)
            assert tile.result
            return run.read(tile.result)

        data = with_fingerprint(render(layout, read, kind, run.shrink), shows)
        return Artifact(path, self._folder.write(path, data, hashlib.sha256(data).hexdigest()))

    def _layout(self, run: FinishedRun, found: Sequence[Found]) -> Layout:
        image = found[0][0].image
        size = next(((r.width, r.height) for _, r, _ in found if r), (image.width, image.height))
        repeats = any(output.repeat for output, _, _ in found)
        grid = arrange(
            [_shot(item, repeats) for item in found],
            run.axes,
            {axis.name: axis.values for axis in run.recipe.matrix.axes},
            self._options.get("rows", ""),
            self._options.get("columns", ""),
            size[0] / size[1],
        )
        return lay_out(grid, self._heading(run, image), size, self._options.get("tile"))

    def _heading(self, run: FinishedRun, image: Image) -> Heading:
        backend, model = run.recipe.backend.type, run.recipe.backend.model.name
        maker = backend if backend == model else f"{backend} {model}"
        if run.recipe.more_backends:
            maker = run.recipe.backend_names
        title = drawable(self._options.get("title", ""))
        shown = drawable(image.name)
        lines = (f"{run.recipe.name} · {maker}", f"{image.width} × {image.height} px")
        return Heading(title or shown, tuple(map(drawable, (shown, *lines)[not title :])))


def _begun(found: Sequence[Found]) -> bool:
    """Whether anything has become of the image: nothing has where a run selected others."""
    return any(word != "missing" for _, _, word in found)


def _told(run: FinishedRun) -> Iterator[Found]:
    """Every output with the manifest's word for it."""
    for output, result, record in shared_records(run):
        yield output, result, _word(record)


def _word(record: dict[str, Any]) -> str:
    return drawable(str(record.get("status", ""))) or "no image"


def _shot(found: Found, repeats: bool) -> SheetImage:
    output, result, word = found
    extra = {REPEAT: output.repeat + 1} if repeats else {}
    return SheetImage(FrozenMap({**output.cell, **extra}), result, word)


def _fingerprint(layout: Layout, image: Image, kind: str) -> str:
    """A hash of all that the sheet shows."""
    words = [(w.x, w.y, w.text, w.face.size, w.face.medium, w.faint) for w in layout.words]
    spots = [
        (s.x, s.y, s.tile.original, s.tile.word, s.tile.result.sha256 if s.tile.result else "")
        for s in layout.spots
    ]
    foreign = fonts_of("".join(w.text for w in layout.words))
    shown = [LOOK, kind, layout.width, layout.height, layout.tile, image.sha256, words, spots]
    shown += [foreign] if foreign else []  # these are not the same on every machine
    return hashlib.sha256(canonical_json(shown).encode()).hexdigest()
