"""A sink in use: where it stands in the recipe, and what of it is where it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relightflow.ledger.rows import Delivered
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import Recipe
from relightflow.model.values import FrozenMap
from relightflow.plan.names import output_path
from relightflow.plugins.records import Operator, SinkContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.sink import Presence, Sink, Stamp

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Place:
    sink: Sink
    type: str
    named: bool
    """One file an output; False: the sink gathers."""
    template: str | None
    """Of the file names."""
    recipe: str
    """The recipe's name, for templates."""
    options: FrozenMap

    @property
    def id(self) -> str:
        """What the ledger remembers the sink's files under."""
        return f"{self.type}:{self.sink.place}"

    def path(self, output: Output, result: Result) -> str:
        """Where `output` goes, relative to the sink."""
        ext = EXTENSIONS.get(result.media_type, "bin")
        return output_path(self.template, output, self.recipe, ext)


def places(recipe: Recipe, registry: Registry, operator: Operator) -> tuple[Place, ...]:
    """Every sink of the recipe, made and ready. Raises what their `create` raises."""
    made = []
    for spec in recipe.sinks:
        record = registry.sink(spec.type)
        sink = record.create(SinkContext(recipe.folder, spec.options, recipe.name, operator))
        template = spec.options.get("name") if record.named else None
        made.append(Place(sink, spec.type, record.named, template, recipe.name, spec.options))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of one output at one sink."""

    path: str
    row: Delivered | None = None
    """To be remembered, where something new is known."""
    written: bool = False
    edited: bool = False
    """Somebody's own work is there; it was kept."""
    failed: bool = False


def hand_over(
    place: Place,
    output: Output,
    result: Result,
    known: Delivered | None,
    read: Callable[[Result], bytes],
    overwrite: bool,
) -> Handed:
    """Make sure that the sink has `result` at the output's path. Blocks.

    A file that is as we last wrote it is ours and may be replaced; one that somebody changed is
    kept. Raises SinkFailed or OSError, and DamagedError where the store's own bytes are wrong.
    """
    path = place.path(output, result)
    if known is None:
        presence = place.sink.look(path, None, result.sha256)
    else:
        stamp = Stamp(known.sha256, known.size, known.mark)
        presence = place.sink.look(path, stamp, known.sha256)
        if presence is Presence.SAME and known.sha256 == result.sha256:
            return Handed(path)
        if presence is Presence.EDITED:
            presence = place.sink.look(path, None, result.sha256)
        elif presence is Presence.SAME:
            presence = Presence.MISSING
    if presence is Presence.EDITED and not overwrite:
        return Handed(path, edited=True)
    stamp = place.sink.write(path, read(result), result.media_type)
    row = Delivered(place.id, path, result.sha256, stamp.sha256, stamp.size, stamp.mark)
    return Handed(path, row, written=presence is not Presence.SAME)
