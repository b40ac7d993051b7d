from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from relightflow.errors import InvalidRecipe, UsageError
from relightflow.model.image import Image, Rejected
from relightflow.model.recipe import Recipe, SourceSpec
from relightflow.model.values import FrozenMap
from relightflow.plugins.opening import check_delivery, open_sources
from relightflow.plugins.records import OperatorPolicy, SourceContext, SourceRecord
from relightflow.plugins.registry import Loaded, load
from relightflow.recipe import load_text
from tests.conftest import Stage


class Tap:
    """A source that remembers whether it was closed."""

    closed: list[int]

    def __init__(self, context: SourceContext) -> None:
        if context.options.get("broken"):
            raise UsageError("cannot be opened")
        self.index = context.index
        self.sticky = context.options.get("sticky")

    def scan(self) -> Iterator[Image | Rejected]:
        yield Rejected(f"from {self.index}", "no image", self.index)

    def read(self, image: Image) -> bytes:
        return str(self.index).encode()

    def close(self) -> None:
        Tap.closed.append(self.index)
        if self.sticky:
            raise OSError("it breaks while it closes")


def recipe_with(stage: Stage, *options: dict[str, bool]) -> Recipe:
    Tap.closed = []
    record = SourceRecord("tap", "For tests", Tap)
    sources = {**stage.registry.sources, "tap": Loaded(record, "test")}
    stage.registry = replace(stage.registry, sources=sources)
    plan = stage.plan()
    return replace(plan.recipe, sources=tuple(SourceSpec("tap", FrozenMap(o)) for o in options))


def test_an_image_is_read_by_the_source_that_found_it(stage: Stage) -> None:
    recipe = recipe_with(stage, {}, {})
    with open_sources(recipe, stage.registry, OperatorPolicy(), None) as sources:
        assert [item.name for item in sources.scan() if isinstance(item, Rejected)] == [
            "from 0",
            "from 1",
        ]
        image = Image("x", "0" * 64, 1, 1, 1, "image/png", 1, "x")
        assert sources.read(image) == b"1"
    assert sorted(Tap.closed) == [0, 1]


def test_where_one_cannot_be_opened_those_before_are_closed(stage: Stage) -> None:
    recipe = recipe_with(stage, {}, {"broken": True})
    with (
        pytest.raises(UsageError, match="cannot be opened"),
        open_sources(recipe, stage.registry, OperatorPolicy(), None),
    ):
        raise AssertionError
    assert Tap.closed == [0]


def test_one_that_breaks_while_it_closes_leaves_no_other_open(stage: Stage) -> None:
    recipe = recipe_with(stage, {}, {"sticky": True})
    with (
        pytest.raises(OSError, match="breaks"),
        open_sources(recipe, stage.registry, OperatorPolicy(), None),
    ):
        pass
    assert sorted(Tap.closed) == [0, 1]


def linked(stage: Stage, words: list[str], **options: object) -> Recipe:
    """A recipe whose backend is to fetch images itself, from a source that can hand them over so."""
    delivery = {"properties": {"delivery": {"enum": words}}}
    record = SourceRecord("tap", "For tests", _Noting, delivery)
    sources = {**stage.registry.sources, "tap": Loaded(record, "test")}
    stage.registry = replace(stage.registry, sources=sources)
    recipe = stage.plan().recipe
    backend = replace(recipe.backend, options=FrozenMap({"delivery": "presign"}))
    return replace(recipe, backend=backend, sources=(SourceSpec("tap", FrozenMap(options)),))


class _Noting(Tap):
    given: FrozenMap

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        _Noting.given = context.options


@pytest.mark.parametrize(
    ("words", "options", "given"),
    [
        (["upload", "inline", "presign"], {}, "presign"),
        (["upload", "inline", "url"], {}, "url"),
        (["upload", "inline"], {"delivery": "inline"}, "inline"),
        (["upload", "presign"], {"delivery": "upload"}, "upload"),
    ],
)
def test_a_backend_that_fetches_images_gets_the_links_that_a_source_has(
    words: list[str], options: dict[str, object], given: str, stage: Stage
) -> None:
    Tap.closed = []
    with open_sources(linked(stage, words, **options), stage.registry, OperatorPolicy(), None):
        assert _Noting.given["delivery"] == given


def test_a_source_without_links_is_named_where_the_backend_needs_them(stage: Stage) -> None:
    recipe = linked(stage, ["upload", "inline"])
    with pytest.raises(InvalidRecipe, match=r"sources\[0\]: 'tap' has no image that a provider"):
        check_delivery(recipe, stage.registry)


def test_a_second_backend_that_would_get_links_unasked_is_named(stage: Stage) -> None:
    plugins = load(found=lambda: ())
    head = "version: 1\nname: x\nsources: [{type: s3, uri: s3://bucket/x/}]\nsinks: [{type: directory, path: out/}]\n"
    text = head + "backend: [{type: segmind, delivery: presign}, {type: preview}, {type: fal%s}]\n"
    matrix = "matrix: {light_direction: top}\non_unsupported: near\n"
    with pytest.raises(InvalidRecipe, match=r"backend\[2\]: another backend of this recipe gets"):
        check_delivery(load_text(text % "" + matrix, plugins), plugins)
    check_delivery(load_text(text % ", delivery: presign" + matrix, plugins), plugins)
