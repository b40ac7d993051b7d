"""Models that the operator declared as data: files in the user's configuration or the project's state, one
for each model.

They come from the operator alone, never from a recipe, and are offered beside the models that a backend has
itself. What a file says is checked when it is added; one that has become unreadable offers nothing.

    {"backend": "segmind", "model": "bg-removal", "image": "image", "price": 0.01,
     "parameters": [{"name": "mode", "type": "choice", "values": ["fast", "fine"], "default": "fast"}]}
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relightflow.errors import StorageError, UsageError
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.money import micros
from relightflow.model.values import FrozenMap

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
_LARGEST = 1 << 20
_FIELDS = frozenset(
    ("backend", "model", "summary", "image", "price", "typical_seconds", "parameters", "workflow", "output", "inputs")
)  # fmt: skip
_OF_A_PARAMETER = frozenset(
    ("name", "type", "values", "default", "required", "minimum", "maximum", "step", "summary")
)
WORKFLOW = (
    "a workflow can run any code that the server's nodes can, so only your own configuration may "
    "declare one, and no project"
)
_KINDS = ("choice", "integer", "number", "text")


@dataclass(frozen=True, slots=True)
class DeclaredModel:
    """One model of a file."""

    backend: str
    """The backend's name."""
    model: Model
    """Its `wire` has all that only the adapter needs."""


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the files of declared models are."""
    base = environ.get("XDG_CONFIG_HOME", "") or os.path.join(os.path.expanduser("~"), ".config")  # noqa: PTH111, PTH118  no home is no error here
    return Path(base) / "relightflow" / "models"


def _file_of(declared: DeclaredModel) -> str:
    """The name of its file: the model's name may have slashes."""
    return f"{declared.backend}--{declared.model.name.replace('/', '--')}.json"


def declared_models(where: Path) -> Iterator[tuple[Path, DeclaredModel | str]]:
    """Every file in `where`, in the order of names, with its model or with what is wrong with it."""
    try:
        paths = sorted(where.iterdir())
    except OSError:
        return
    for path in paths:
        if path.suffix == ".json":
            yield path, _read(path)


def _read(path: Path) -> DeclaredModel | str:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        return f"cannot be read: {error}"
    model, problems = parse(found)
    return model or "; ".join(problems)


def declares(path: Path, model: DeclaredModel) -> bool:
    """Whether the file at `path` declares just this, however it is written."""
    found = _read(path)
    return isinstance(found, DeclaredModel) and document(found) == document(model)


def parse(found: Any) -> tuple[DeclaredModel | None, list[str]]:
    """The model that `found` declares; else everything that is wrong with it, as `field: what`."""
    if not isinstance(found, dict):
        return None, ["must be a mapping"]
    problems = [f"{name}: unknown field" for name in sorted(found.keys() - _FIELDS)]
    backend, name = found.get("backend"), found.get("model")
    if not isinstance(backend, str) or not backend:
        problems.append("backend: must name a backend, such as segmind")
    if not isinstance(name, str) or not _SLUG.fullmatch(name) or len(name) > 100:
        problems.append("model: must be the model's name in lower case, such as bg-removal")
    image = found.get("image")
    if not isinstance(image, str) or not image:
        problems.append("image: must say which input takes the image")
    price = _price(found.get("price"), problems)
    parameters = tuple(_parameters(found.get("parameters", []), problems))
    seconds = found.get("typical_seconds")
    if seconds is not None and (not _is_number(seconds) or seconds <= 0):
        problems.append("typical_seconds: must be a positive number")
    summary = found.get("summary", "")
    if not isinstance(summary, str) or "\n" in summary or len(summary) > 120:
        problems.append("summary: must be one short line")
    wire = {key: found[key] for key in ("image", "workflow", "output", "inputs") if key in found}
    if problems or price is None:
        return None, problems
    model = Model(
        str(name), parameters, price, seconds, summary, wire=FrozenMap({"file": json.dumps(wire)})
    )
    return DeclaredModel(str(backend), model), []


def wire(model: Model) -> dict[str, Any]:
    """What a declared model says that only its adapter needs: `image`, and with a workflow the graph."""
    found: dict[str, Any] = json.loads(str(model.wire.get("file", "{}")))
    return found


def document(declared: DeclaredModel) -> dict[str, Any]:
    """What a file of it holds."""
    model = declared.model
    assert model.price is not None
    low, high = (amount / 1_000_000 for amount in (model.price.low, model.price.high))
    found = {
        "backend": declared.backend,
        "model": model.name,
        "summary": model.summary,
        "price": high if low == high else [low, high],
        "parameters": [_document_of(parameter) for parameter in model.parameters],
        **wire(model),
    }
    return (
        found
        if model.typical_seconds is None
        else {**found, "typical_seconds": model.typical_seconds}
    )


def with_workflow(found: Any, beside: Path) -> Any:
    """`found` with the graph itself where it names a file of one, which is taken from `beside`. Raises
    UsageError where that cannot be read."""
    if not isinstance(found, dict) or not isinstance(found.get("workflow"), str):
        return found
    path = beside / found["workflow"]
    try:
        with path.open("rb") as file:
            return {**found, "workflow": json.loads(file.read(_LARGEST))}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"workflow: {path} cannot be read: {error}") from None


def add(declared: DeclaredModel, where: Path) -> Path:
    """Write it down in `where`; the same model is replaced. Raises StorageError."""
    path = where / _file_of(declared)
    text = json.dumps(document(declared), indent=2, ensure_ascii=False) + "\n"
    try:
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = path.with_suffix(".tmp")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _document_of(parameter: Parameter) -> dict[str, Any]:
    facts = {
        "values": list(parameter.values) or None,
        "default": parameter.default,
        "required": parameter.required or None,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "step": parameter.step,
        "summary": parameter.summary or None,
    }
    given = {name: value for name, value in facts.items() if value is not None}
    return {"name": parameter.name, "type": parameter.kind, **given}


def _price(found: Any, problems: list[str]) -> Price | None:
    """USD of a call: a number, or [lowest, highest]."""
    pair = found if isinstance(found, list) else [found, found]
    if len(pair) == 2 and all(_is_number(one) and one >= 0 for one in pair) and pair[0] <= pair[1]:
        return Price(micros(pair[0]), micros(pair[1]))
    problems.append("price: must be the price of a call in USD, or [lowest, highest]")
    return None


def _parameters(found: Any, problems: list[str]) -> Iterator[Parameter]:
    if not isinstance(found, list):
        problems.append("parameters: must be a list")
        return
    seen: set[str] = set()
    for index, one in enumerate(found):
        where = f"parameters[{index}]"
        if not isinstance(one, dict):
            problems.append(f"{where}: must be a mapping")
            continue
        problems += [
            f"{where}.{name}: unknown field" for name in sorted(one.keys() - _OF_A_PARAMETER)
        ]
        name, kind = one.get("name"), one.get("type", "text")
        if not isinstance(name, str) or not _PARAMETER.fullmatch(name) or name in seen:
            problems.append(f"{where}.name: must be a name of its own, such as light_direction")
        elif kind not in _KINDS:
            problems.append(f"{where}.type: must be one of {', '.join(_KINDS)}")
        else:
            seen.add(name)
            yield from _parameter(name, kind, one, where, problems)


def _parameter(
    name: str, kind: Any, one: Mapping[str, Any], where: str, problems: list[str]
) -> Iterator[Parameter]:
    values, bounds = one.get("values", []), [one.get(n) for n in ("minimum", "maximum", "step")]
    listed = isinstance(values, list) and all(isinstance(v, str | int | float) for v in values)
    if not listed or bool(values) != (kind == "choice"):
        problems.append(f"{where}.values: a choice has a list of values, and nothing else has")
        return
    if any(bound is not None and not _is_number(bound) for bound in bounds):
        problems.append(f"{where}: minimum, maximum and step must be numbers")
        return
    low, high, step = bounds
    parameter = Parameter(
        name, kind, tuple(values), one.get("default"), bool(one.get("required")), low, high, step,
        str(one.get("summary", "")),
    )  # fmt: skip
    if parameter.default is not None and (problem := parameter.problem(parameter.default)):
        problems.append(f"{where}.default: {parameter.default!r} {problem}")
        return
    yield parameter


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
