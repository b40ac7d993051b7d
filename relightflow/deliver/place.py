"""A sink in use: where it stands in the recipe, and what of it is where it should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from relightflow.errors import InvalidRecipe
from relightflow.ledger.rows import Delivered
from relightflow.model.form import Copy, Form, extension, form_of
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import Recipe
from relightflow.model.values import FrozenMap
from relightflow.pictures.bad import BadPicture
from relightflow.pictures.derive import derive
from relightflow.plan.names import output_path
from relightflow.plugins.records import Operator, SinkContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.sink import CanStamp, Presence, Sink, SinkFailed, Stamp, width_of

FAULTS = Exception
"""A sink may be anybody's: whatever it raises, bugs included, costs it alone and no call in the air."""


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
    form: Form | None = None
    """Of the copies that are delivered; None: the pictures as they were made."""

    @property
    def id(self) -> str:
        """What the ledger remembers the sink's files under."""
        return f"{self.type}:{self.sink.place}"

    def path(self, output: Output, result: Result) -> str:
        """Where `output` goes, relative to the sink."""
        return output_path(self.template, output, self.recipe, extension(self.media_type(result)))

    def media_type(self, result: Result) -> str:
        """Of what is delivered."""
        return self.form.media_type if self.form else result.media_type

    def basis(self, result: Result) -> str:
        """What the delivered file is made from, for the ledger: the blob, and how it is changed."""
        return self.form.basis(result.sha256, result.media_type) if self.form else result.sha256

    def bytes_of(self, result: Result, read: Callable[[Result], bytes]) -> bytes:
        """What is to be delivered. Raises SinkFailed where no copy can be made of it."""
        data = read(result)
        try:
            return derive(data, result.media_type, self.form) if self.form else data
        except BadPicture as error:
            raise SinkFailed(f"no copy in another format could be made: {error.reason}") from error


def places(recipe: Recipe, registry: Registry, operator: Operator) -> tuple[Place, ...]:
    """Every sink of the recipe, made and ready. Raises what their `create` raises, and InvalidRecipe
    where two would write the same files, over and over."""
    made: list[Place] = []
    for index, spec in enumerate(recipe.sinks):
        record = registry.sink(spec.type)
        sink = record.create(SinkContext(recipe.folder, spec.options, recipe.name, operator))
        template = spec.options.get("name") if record.takes_names else None
        form = form_of(spec.options) if record.derives else None
        place = Place(sink, spec.type, record.named, template, recipe.name, spec.options, form)
        twin = next((n for n, other in enumerate(made) if other.id == place.id), None)
        if twin is not None:
            words = f"writes to the same place as sinks[{twin}]: give it a folder of its own"
            raise InvalidRecipe([recipe.problem(f"sinks[{index}]", words)])
        made.append(place)
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
    copy: Copy | None = None
    """What is there in the picture's place; None: the very picture, or nobody knows."""


def hand_over(
    place: Place,
    path: str,
    result: Result,
    known: Delivered | None,
    read: Callable[[Result], bytes],
    overwrite: bool,
) -> Handed:
    """Make sure that the sink has `result`, or its copy, at `path`. Blocks.

    A file that is as we last wrote it is ours and may be replaced; one that somebody changed is
    kept. A copy is only made where none was, or another one is wanted now. Raises SinkFailed or
    OSError, and DamagedError where the store's own bytes are wrong.
    """
    basis = place.basis(result)
    presence = Presence.EDITED  # until it is found to be ours
    if known is not None:
        stamp = Stamp(known.sha256, known.size, known.mark)
        presence = place.sink.look(path, stamp, known.sha256)
        if presence is Presence.SAME and known.basis == basis:
            return Handed(path, copy=_copy(place, result, stamp))
    sha256, size, data = _wanted(place, result, known, read)
    if presence is Presence.EDITED:
        presence = place.sink.look(path, None, sha256)
    elif presence is Presence.SAME and known is not None and known.sha256 != sha256:
        presence = Presence.MISSING  # ours, and out of date
    copy = _copy(place, result, Stamp(sha256, size, ""))
    if presence is Presence.EDITED and not overwrite:
        return Handed(path, edited=True, copy=copy)
    media_type = place.media_type(result)
    held = None
    if presence is Presence.SAME and isinstance(place.sink, CanStamp):
        held = place.sink.stamp(path, sha256)
    if held is None:
        held = place.sink.write(path, data or place.bytes_of(result, read), media_type)
    row = Delivered(place.id, path, basis, held.sha256, held.size, held.mark)
    written = presence is not Presence.SAME
    return Handed(path, row, written=written, copy=_copy(place, result, held))


def _wanted(
    place: Place, result: Result, known: Delivered | None, read: Callable[[Result], bytes]
) -> tuple[str, int, bytes | None]:
    """sha256 and size of what is to be delivered; its bytes too, where only they tell."""
    basis = place.basis(result)
    if basis == result.sha256:
        return result.sha256, result.size, None
    if known is not None and known.basis == basis:
        return known.sha256, known.size, None
    data = place.bytes_of(result, read)
    return hashlib.sha256(data).hexdigest(), len(data), data


def _copy(place: Place, result: Result, stamp: Stamp) -> Copy | None:
    """None where the file is the result itself."""
    if stamp.sha256 == result.sha256:
        return None
    return Copy(stamp.sha256, stamp.size, place.media_type(result))


def hand_over_all(
    place: Place,
    items: Sequence[tuple[str, Result]],
    known: Mapping[str, Delivered],
    read: Callable[[Result], bytes],
    overwrite: bool,
) -> Iterator[Handed | Exception]:
    """`hand_over` for each path and result, in their order, as many at a time as the sink wants.

    A fault of one is its answer and stops no other. `known`: by path, what the sink was given.
    """

    def one(item: tuple[str, Result]) -> Handed | Exception:
        path, result = item
        try:
            return hand_over(place, path, result, known.get(path), read, overwrite)
        except FAULTS as error:
            return error

    width = min(width_of(place.sink), len(items))
    if width < 2:
        yield from map(one, items)
        return
    with ThreadPoolExecutor(width, thread_name_prefix="sink") as pool:
        yield from pool.map(one, items)
