"""Makes the sources of a recipe, and reads an image through the one that found it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from relightflow.core.project import Project
from relightflow.model.image import Image, Rejected
from relightflow.model.recipe import Recipe
from relightflow.plugins.records import OperatorPolicy, SourceContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.source import HasPublicUrl, Remembers, Source


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

    def public_url(self, image: Image) -> str:
        """Where the backend may fetch the image now, if its source lets it. A secret."""
        source = self._sources[image.source]
        return source.public_url(image) if isinstance(source, HasPublicUrl) else image.url

    def remember(self, images: Sequence[Image]) -> None:
        """Let the sources note what the plan was made from."""
        for index, source in enumerate(self._sources):
            if isinstance(source, Remembers):
                source.remember(image for image in images if image.source == index)


@contextmanager
def open_sources(
    recipe: Recipe, registry: Registry, operator: OperatorPolicy, cache: Path | None
) -> Iterator[Sources]:
    """`cache`: where sources may keep what can be forgotten; None: nowhere."""
    project = Project.of(recipe.folder)
    avoid = tuple(_written_to(recipe, project))
    avoid_uris = tuple(
        uri for spec in recipe.sinks if isinstance(uri := spec.options.get("uri"), str)
    )
    with ExitStack() as stack:
        made = []
        for index, spec in enumerate(recipe.sources):
            context = SourceContext(
                recipe.folder, spec.options, index, operator, cache, avoid, avoid_uris, project
            )
            made.append(registry.source(spec.type).make(context))
            stack.callback(made[-1].close)
        yield Sources(made)


def _written_to(recipe: Recipe, project: Project) -> Iterator[Path]:
    """The folders of sinks; one with a path that may not be used is not written to."""
    for spec in recipe.sinks:
        path = spec.options.get("path")
        if isinstance(path, str):
            with suppress(ValueError):
                yield project.place(path)
