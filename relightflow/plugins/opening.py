"""Makes the sources of a recipe, and reads an image through the one that found it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from relightflow.model.image import Image, Rejected
from relightflow.model.recipe import Recipe
from relightflow.plugins.records import Operator, SourceContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.source import Source


class Sources:
    """All sources of one recipe, in its order. Methods block."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def scan(self) -> Iterator[Image | Rejected]:
        for source in self._sources:
            yield from source.scan()

    def read(self, image: Image) -> bytes:
        """The image's bytes. Raises StaleImage, RefusedError or OSError."""
        return self._sources[image.source].read(image)


@contextmanager
def opened_sources(
    recipe: Recipe, registry: Registry, operator: Operator, cache: Path | None
) -> Iterator[Sources]:
    """`cache`: where sources may keep what can be forgotten; None: nowhere."""
    avoid = tuple(
        recipe.folder / path
        for spec in recipe.sinks
        if isinstance(path := spec.options.get("path"), str)
    )
    with ExitStack() as stack:
        made = []
        for index, spec in enumerate(recipe.sources):
            context = SourceContext(recipe.folder, spec.options, index, operator, cache, avoid)
            made.append(registry.source(spec.type).create(context))
            stack.callback(made[-1].close)
        yield Sources(made)
