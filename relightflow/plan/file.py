"""Writes and reads plan files. schemas/plan.schema.json is their published form.

Writing is canonical: sorted keys, no spaces, ASCII, one image, cell or pick a line, so that the same
plan gives the same bytes and a change of it a readable difference. Reading trusts nothing: the file may
come with a stranger's pull request. Every field is checked, counts and digest are made again from the
images and cells, and a file that contradicts itself is refused.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.catalog import Price
from relightflow.model.money import Micros, micros, usd
from relightflow.model.plan_file import (
    PlanFile,
    PlannedBackend,
    PlannedCell,
    PlannedCounts,
    PlannedImage,
    PlannedLimit,
    PlannedRequest,
    RecipePlan,
)
from relightflow.model.recipe import BACKEND
from relightflow.model.values import FrozenMap, canonical_json, thaw
from relightflow.plan.checked import Checked, Flawed
from relightflow.plan.job_set import job_set, outputs_count

VERSION = 1
LARGEST = 256 << 20
"""Bytes of a plan file that is read."""
_MOST_PLANS = 1000
_MOST_PLACES = 2_000_000
"""Cells × repeats: what is held in memory."""
_MOST_BACKENDS = 100
_OF_BACKEND = ("backend", "model", "price_list", "reserved_usd")
_CONTRADICTS = (
    "contradicts the plan's images, cells and prices: the file was changed after it was made, or is "
    "damaged. Make it again with 'relightflow plan -o'"
)
_LONG = ("cells", "images", "picked")
"""Lists that are written with an item a line."""


def encode(plans: tuple[RecipePlan, ...]) -> bytes:
    """The file's bytes."""
    return "".join(_pieces(plans)).encode("ascii")


def price_list(backend: str, model: str, call: Price | None) -> dict[str, Any]:
    """What one call costs by the price list, and the hash of that statement."""
    facts: dict[str, Any] = {"backend": backend, "model": model, "call_usd": _price(call)}
    return {
        "call_usd": facts["call_usd"],
        "sha256": sha256(canonical_json(facts).encode()).hexdigest(),
    }


def _pieces(plans: tuple[RecipePlan, ...]) -> Iterator[str]:
    yield '{"kind":"plan-file","plans":[\n'
    for number, plan in enumerate(plans):
        yield ",\n" if number else ""
        yield "{"
        for nth, (name, value) in enumerate(sorted(document(plan).items())):
            yield ",\n" if nth else ""
            if name in _LONG and value:
                yield f'"{name}":[\n' + ",\n".join(map(canonical_json, value)) + "\n]"
            else:
                yield f'"{name}":{canonical_json(value)}'
        yield "}"
    yield f'\n],"version":{VERSION}}}\n'


def document(plan: RecipePlan) -> dict[str, Any]:
    """One recipe's plan as JSON."""
    request, counts = plan.request, plan.counts
    return {
        "recipe": {"name": plan.recipe, "path": request.path, "sha256": plan.recipe_sha256},
        "overrides": list(request.overrides),
        "backend_option": request.backend,
        "selection": {
            "only": {axis: list(values) for axis, values in request.only},
            "limit": request.limit,
            "picks_sha256": request.picks_sha256,
        },
        **_backends(plan),
        "price_usd": _price(plan.price),
        "limits": [
            {"source": limit.source, "usd": usd(limit.amount), "window_seconds": limit.window}
            for limit in plan.limits
        ],
        "axes": list(plan.axes),
        "cells": [_cell(cell) for cell in plan.cells],
        "repeat": plan.repeat,
        "images": [
            {"name": image.name, "sha256": image.sha256, "size": image.size}
            for image in plan.images
        ],
        "rejected": [{"name": name, "reason": reason} for name, reason in plan.rejected],
        "picked": None if plan.picked is None else [list(places) for places in plan.picked],
        "counts": {name: getattr(counts, name) for name in counts.__slots__},
        "unknown_jobs": list(plan.unknown_jobs),
        "jobs_digest": plan.jobs_digest,
    }


def _backends(plan: RecipePlan) -> dict[str, Any]:
    """Which backend makes it and what a call costs; of several each one under `backends`."""

    def facts(each: PlannedBackend) -> dict[str, Any]:
        return {
            "backend": each.backend,
            "model": each.model,
            "price_list": price_list(each.backend, each.model, each.call),
            "reserved_usd": usd(each.reserved),
        }

    if not plan.backends:
        return facts(plan.each_backend[0])
    several = [{"label": e.label, "new": e.new, **facts(e)} for e in plan.backends]
    return {"backends": several}


def _cell(found: PlannedCell) -> dict[str, Any]:
    """What is sent is only written where it is not what the recipe says."""
    facts = {"cell": thaw(found.cell)}
    if found.parameters != found.cell:
        facts["parameters"] = thaw(found.parameters)
    return facts


def _price(price: Price | None) -> dict[str, float] | None:
    return None if price is None else {"low": usd(price.low), "high": usd(price.high)}


def read(path: Path) -> PlanFile:
    """The plan file at `path`, which the operator named. Raises InvalidRecipe with what is wrong."""
    file = str(path)
    return decode(_bytes(path, file), file)


def decode(data: bytes, file: str) -> PlanFile:
    """The plan file in `data`; `file` names it in messages. Raises InvalidRecipe."""
    try:
        plans = _plans(data)
    except Flawed as flaw:
        raise _wrong(file, flaw.message, flaw.where) from None
    return PlanFile(plans, sha256(data).hexdigest(), file)


def _plans(data: bytes) -> tuple[RecipePlan, ...]:
    found = Checked(_json(data), "")
    if found.value.get("kind") != "plan-file":
        raise Flawed("", 'is not a plan file: it has no "kind": "plan-file"')
    version = found.value.get("version")
    if type(version) is int and version > VERSION:
        raise Flawed("version", f"is {version}, a newer format; upgrade relightflow")
    found.only("kind", "version", "plans")
    if type(version) is not int or version != VERSION:
        raise Flawed("version", f"must be {VERSION}")
    plans = tuple(map(_plan, found.items("plans", _MOST_PLANS)))
    if not plans:
        raise Flawed("plans", "is empty")
    return plans


def _plan(at: Checked) -> RecipePlan:
    several = "backends" in at.value
    at.only(
        "recipe", "overrides", "backend_option", "selection", "price_usd", "limits", "axes", "cells",
        "repeat", "images", "rejected", "picked", "counts", "unknown_jobs", "jobs_digest",
        *(("backends",) if several else _OF_BACKEND),
    )  # fmt: skip
    recipe = at.inside("recipe")
    recipe.only("name", "path", "sha256")
    listed = at.items("backends", _MOST_BACKENDS) if several else [at]
    backends = tuple(_planned_backend(one, several) for one in listed)
    dearest = _dearest(at, backends)
    counts = at.inside("counts")
    counts.only(*PlannedCounts.__slots__)
    plan = RecipePlan(
        recipe=recipe.text("name", 200),
        recipe_sha256=recipe.hash("sha256"),
        request=_request(at, recipe),
        backend="" if several else backends[0].backend,
        model="" if several else backends[0].model,
        images=tuple(map(_image, at.items("images"))),
        rejected=tuple(map(_rejected, at.items("rejected"))),
        axes=at.texts("axes", 1000),
        cells=tuple(map(_planned_cell, at.items("cells"))),
        repeat=at.whole("repeat", 1, 1_000_000),
        picked=_picked(at),
        counts=PlannedCounts(**{name: counts.whole(name) for name in PlannedCounts.__slots__}),
        call=dearest.call,
        reserved=dearest.reserved,
        limits=tuple(map(_limit, at.items("limits", 100))),
        unknown_jobs=at.texts("unknown_jobs", 64),
        jobs_digest=at.hash("jobs_digest"),
        backends=backends if several else (),
    )
    _check(plan, at)
    return plan


def _planned_backend(at: Checked, several: bool) -> PlannedBackend:
    """One of the recipe's backends, whose price list is what its hash says."""
    if several:
        at.only("label", "new", *_OF_BACKEND)
    backend, model = at.text("backend", 200), at.text("model", 200)
    prices = at.inside("price_list")
    prices.only("call_usd", "sha256")
    call = _read_price(prices, "call_usd")
    if prices.hash("sha256") != price_list(backend, model, call)["sha256"]:
        raise Flawed(f"{at.where}.price_list.sha256", _CONTRADICTS)
    label, new = (at.text("label", 200), at.whole("new")) if several else (backend, 0)
    return PlannedBackend(label, backend, model, new, call, _money(at, "reserved_usd"))


def _dearest(at: Checked, backends: tuple[PlannedBackend, ...]) -> PlannedBackend:
    """What `RecipePlan.call` and `reserved` tell of."""
    if not backends:
        raise Flawed(f"{at.where}.backends", "is empty")
    if len({each.label for each in backends}) < len(backends):
        raise Flawed(f"{at.where}.backends", "have a label twice")
    return max(backends, key=lambda each: (each.call is None, each.reserved))


def _request(at: Checked, recipe: Checked) -> PlannedRequest:
    selection = at.inside("selection")
    selection.only("only", "limit", "picks_sha256")
    only = selection.inside("only")
    limit = selection.value.get("limit")
    return PlannedRequest(
        path=recipe.relative_path("path"),
        overrides=at.texts("overrides", 10_000),
        backend=at.text("backend_option", 200, empty=True),
        only=tuple((axis, only.texts(axis, 4096)) for axis in sorted(only.value)),
        limit=None if limit is None else selection.whole("limit", 1),
        picks_sha256=selection.hash("picks_sha256", empty=True),
    )


def _image(at: Checked) -> PlannedImage:
    at.only("name", "sha256", "size")
    return PlannedImage(at.text("name", 4096), at.hash("sha256"), at.whole("size"))


def _rejected(at: Checked) -> tuple[str, str]:
    at.only("name", "reason")
    return at.text("name", 4096), at.text("reason", 10_000)


def _planned_cell(at: Checked) -> PlannedCell:
    at.only("cell", "parameters")
    cell = FrozenMap(at.scalars("cell"))
    sent = FrozenMap(at.scalars("parameters")) if "parameters" in at.value else cell
    return PlannedCell(cell, sent)


def _limit(at: Checked) -> PlannedLimit:
    at.only("source", "usd", "window_seconds")
    window = at.value.get("window_seconds")
    seconds = None if window is None else at.number("window_seconds")
    return PlannedLimit(at.text("source", 200), _money(at, "usd"), seconds)


def _picked(at: Checked) -> tuple[tuple[int, ...], ...] | None:
    listed = at.value.get("picked")
    if listed is None:
        return None
    rows = at.list("picked")
    for number, row in enumerate(rows):
        ints = isinstance(row, list) and all(type(n) is int for n in row)
        if not ints or any(a >= b for a, b in pairwise(row)):
            raise Flawed(f"{at.where}.picked[{number}]", "must be rising integers")
    return tuple(map(tuple, rows))


def _read_price(at: Checked, name: str) -> Price | None:
    if at.value.get(name) is None:
        return None
    price = at.inside(name)
    price.only("low", "high")
    return Price(_money(price, "low"), _money(price, "high"))


def _money(at: Checked, name: str) -> Micros:
    return micros(str(at.number(name)))


def _check(plan: RecipePlan, at: Checked) -> None:
    """Raises Flawed where the plan contradicts itself."""
    counts, places = plan.counts, len(plan.cells) * plan.repeat
    labels = {each.label for each in plan.backends}
    if labels and not all(cell.cell.get(BACKEND) in labels for cell in plan.cells):
        raise Flawed(f"{at.where}.cells", "have a backend that the plan does not have")
    if plan.picked is not None and (
        len(plan.picked) != len(plan.images)
        or any(row and not 0 <= row[0] <= row[-1] < places for row in plan.picked)
    ):
        raise Flawed(f"{at.where}.picked", "does not fit the images and cells")
    if places > _MOST_PLACES:
        raise Flawed(at.where, f"has more than {_MOST_PLACES:,} cells and repeats per image")
    made = job_set(plan)
    parts = counts.new + counts.in_place + counts.shared + counts.collect
    expected = {
        "counts.outputs": (counts.outputs, outputs_count(plan)),
        "counts.jobs": (counts.jobs, len(made)),
        "counts": (parts + counts.unknown + counts.failed, counts.jobs),
        "jobs_digest": (plan.jobs_digest, made.digest),
        "backends": (counts.new, sum(each.new for each in plan.each_backend)),
        "price_usd": (_read_price(at, "price_usd"), plan.price),
        "unknown_jobs": (len(plan.unknown_jobs), counts.unknown),
    }
    for name, (said, real) in expected.items():
        if said != real:
            raise Flawed(f"{at.where}.{name}", _CONTRADICTS)


def _json(data: bytes) -> Mapping[str, Any]:
    """Raises Flawed."""
    if len(data) > LARGEST:
        raise Flawed("", f"is larger than {LARGEST >> 20} MiB")
    try:
        found = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except UnicodeDecodeError:
        raise Flawed("", "is not UTF-8") from None
    except RecursionError:
        raise Flawed("", "is not valid JSON: nested too deeply") from None
    except ValueError as error:
        raise Flawed("", f"is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise Flawed("", 'is not a plan file: it has no "kind": "plan-file"')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _bytes(path: Path, file: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _wrong(file, "is not a regular file")
            return stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise _wrong(file, "file not found") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise _wrong(file, f"cannot be read: {reason}") from None


def _wrong(file: str, message: str, where: str = "") -> InvalidRecipe:
    return InvalidRecipe([Problem(file, 0, 0, where.removeprefix("."), message)])
