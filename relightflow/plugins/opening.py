"""Makes the sources of a recipe, and reads an image through the one that found it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from relightflow.core.project import Project
from relightflow.errors import InvalidRecipe
from relightflow.model.image import Found, Image
from relightflow.model.recipe import Recipe, SinkSpec, SourceSpec
from relightflow.model.values import FrozenMap
from relightflow.plugins.executor import Ask
from relightflow.plugins.records import BackendRecord, OperatorPolicy, Schema, SourceContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.source import HasPublicUrl, HasReader, Remembers, Source


class Sources:
    """All sources of one recipe, in its order. Methods block."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def scan(self) -> Iterator[Found]:
        for source in self._sources:
            yield from source.scan()

    def read(self, image: Image) -> bytes:
        """The image's bytes. Raises StaleImage, SourceUnavailable, RefusedError or OSError."""
        return self._sources[image.source].read(image)

    def public_url(self, image: Image) -> str:
        """Where the backend may fetch the image now, if its source lets it. A secret."""
        source = self._sources[image.source]
        return source.public_url(image) if isinstance(source, HasPublicUrl) else image.url

    def reader(self, image: Image) -> Callable[[], bytes] | None:
        """What reads the image in another process; None: only this one can."""
        source = self._sources[image.source]
        return source.reader(image) if isinstance(source, HasReader) else None

    def remember(self, images: Sequence[Image]) -> None:
        """Let the sources note what the plan was made from."""
        for index, source in enumerate(self._sources):
            if isinstance(source, Remembers):
                source.remember(image for image in images if image.source == index)


def check_delivery(recipe: Recipe, registry: Registry) -> None:
    """Raises InvalidRecipe where the backend is to fetch the images itself (`delivery: presign`) and a
    source has none that it could reach."""
    problems = [
        recipe.problem(
            f"sources[{index}]",
            f"'{spec.type}' has no image that a provider can fetch, and the backend's `delivery` is "
            "presign: add `delivery: upload` or `delivery: inline` to this source, or put the images "
            "into an object store",
        )
        for index, spec in enumerate(recipe.sources)
        if _wants_links(recipe) and "delivery" not in spec.options
        if not _link(registry.source(spec.type).schema)
    ]
    links = [spec.options.get("delivery") == "presign" for spec in recipe.backends]
    for number, spec in enumerate(recipe.backends):
        if any(links) and not links[number] and _has_delivery(registry.backend(spec.type)):
            words = (
                "another backend of this recipe gets the images by signed links, and so would this one: "
                "add `delivery: presign` here too, or take it out there"
            )
            problems.append(recipe.problem(f"backend[{number}]", words))
    if problems:
        raise InvalidRecipe(problems)


def _has_delivery(backend: BackendRecord) -> bool:
    """Whether a recipe can say how the images get there."""
    return "delivery" in backend.schema.get("properties", {})


def _wants_links(recipe: Recipe) -> bool:
    return any(spec.options.get("delivery") == "presign" for spec in recipe.backends)


def _link(schema: Schema) -> str:
    """How a source lets a provider fetch its images; empty: it cannot."""
    known = schema.get("properties", {}).get("delivery", {}).get("enum", ())
    return next((word for word in ("presign", "url") if word in known), "")


def _options(recipe: Recipe, spec: SourceSpec, schema: Schema) -> FrozenMap:
    """Those of the recipe, and `delivery` where the backend's applies to the source."""
    if not _wants_links(recipe) or "delivery" in spec.options:
        return spec.options
    return FrozenMap({**spec.options, "delivery": _link(schema)})


@contextmanager
def open_sources(
    recipe: Recipe,
    registry: Registry,
    operator: OperatorPolicy,
    cache: Path | None,
    notice: Callable[[str], None] = lambda _: None,
    ask: Ask | None = None,
) -> Iterator[Sources]:
    """`cache`: where sources may keep what can be forgotten; None: nowhere. `notice`: hears what is worth
    saying about the images. `ask`: has workers read them. Raises InvalidRecipe as `check_delivery` does."""
    project = Project.of(recipe.folder)
    every = tuple(dict.fromkeys((*recipe.sinks, *recipe.written_sinks)))
    avoid = tuple(_written_to(every, project))
    avoid_uris = tuple(uri for spec in every if isinstance(uri := spec.options.get("uri"), str))
    check_delivery(recipe, registry)
    with ExitStack() as stack:
        made = []
        shared: dict[str, object] = {}
        for index, spec in enumerate(recipe.sources):
            record = registry.source(spec.type)
            options = _options(recipe, spec, record.schema)
            context = SourceContext(
                recipe.folder,
                options,
                index,
                operator,
                cache,
                avoid,
                avoid_uris,
                project,
                notice,
                shared,
                ask,
            )
            made.append(record.make(context))
            stack.callback(made[-1].close)
        yield Sources(made)


def _written_to(sinks: Sequence[SinkSpec], project: Project) -> Iterator[Path]:
    """The folders of sinks; one with a path that may not be used is not written to."""
    for spec in sinks:
        path = spec.options.get("path")
        if isinstance(path, str):
            with suppress(ValueError):
                yield project.place(path)
