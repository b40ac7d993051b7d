"""What a JSON Schema says is wrong, in the words of a recipe.

jsonschema's own messages quote whole values and know no fields; these name what is allowed and what
is near. Where a schema offers several forms, the one that fits best is explained, not all of them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from relightflow.recipe.annotations import FREE, is_annotation
from relightflow.recipe.core import CORE
from relightflow.recipe.paths import is_path
from relightflow.recipe.scalars import NotAValue, resolve
from relightflow.recipe.tree import Step
from relightflow.recipe.wording import describe, listed, nearest, plain, printable, quote

_FAR = 0.6
"""Field names are longer than values, so a suggestion must be nearer to help."""
_WORDS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


class _Error(Protocol):
    """What is used of jsonschema's ValidationError; its own types say `Unset` everywhere."""

    validator: Any
    validator_value: Any
    instance: Any
    schema: Any
    path: Any
    absolute_path: Any
    relative_schema_path: Any
    context: Sequence[Any]


_LIMITS = CORE["properties"]["limits"]["properties"]
_Spelling = Callable[[tuple[Step, ...]], str]


@dataclass(frozen=True, slots=True)
class _Complaint:
    steps: tuple[Step, ...]
    """From where the schema was applied."""
    message: str
    key: bool = False
    """True: the field's name is wrong, not its value."""


def complaints(
    data: Any, schema: dict[str, Any], written: _Spelling = lambda _: ""
) -> Iterator[_Complaint]:
    """Everything that `schema` does not allow in `data`, lazily. `written`: how the file spells the value
    at a place, where that is not text."""
    seen: set[_Complaint] = set()
    for error in _validator()(schema).iter_errors(data):
        for complaint in _explain(error, written):
            # of n missing names there are n errors, and only their words tell which is about which
            if complaint not in seen:
                seen.add(complaint)
                yield complaint


@cache
def _validator() -> Any:
    import jsonschema

    # draft-07 counts 10.0 as a whole number; a recipe does not, because what is read is what is sent
    types = jsonschema.Draft7Validator.TYPE_CHECKER.redefine("integer", _whole)
    extend: Any = jsonschema.validators.extend  # it has no types
    return extend(jsonschema.Draft7Validator, type_checker=types)


def _whole(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _explain(error: _Error, written: _Spelling) -> Iterator[_Complaint]:
    steps = tuple(error.absolute_path)
    rule = str(error.validator)
    if rule == "pattern" and is_path(error.schema):
        return  # told by whoever knows the project
    if rule == "additionalProperties" and error.validator_value is False:
        yield from _unknown(error, steps)
    elif rule == "required":
        yield from (_Complaint(steps, f"'{name}' is missing") for name in _wanted(error))
    elif rule in ("anyOf", "oneOf") and error.context:
        yield from _forms(error, steps, written)
    else:
        yield _Complaint(steps, _MESSAGES.get(rule, _other)(error, written(steps)))


def _unknown(error: _Error, steps: tuple[Step, ...]) -> Iterator[_Complaint]:
    rules = error.schema.get("properties", {})
    fields = [name for name, rule in rules.items() if rule != FREE]
    for name in error.instance:
        if name not in rules and not is_annotation(name):
            near = nearest(name, fields, _FAR)
            if name in _LIMITS and name != "description":
                near = f" (did you mean 'limits.{name}'?)"
            yield _Complaint((*steps, name), f"unknown field; known: {listed(fields)}{near}", True)


def _forms(error: _Error, steps: tuple[Step, ...], written: _Spelling) -> Iterator[_Complaint]:
    branches: dict[int, list[_Error]] = defaultdict(list)
    for one in error.context:
        branches[int(one.relative_schema_path[0])].append(one)
    if all(e.validator == "required" and not e.path for es in branches.values() for e in es):
        names = dict.fromkeys(str(n) for es in branches.values() for e in es for n in _wanted(e))
        yield _Complaint(steps, f"needs one of: {listed(names)}")
        return
    fitting = [es for es in branches.values() if not any(_wrong_kind(e) for e in es)]
    if fitting:
        for one in min(fitting, key=len):
            yield from _explain(one, written)
        return
    kinds = [kind for es in branches.values() for e in es if _wrong_kind(e) for kind in _kinds(e)]
    yield _Complaint(steps, _expected(kinds, error.instance, steps, written(steps)))


def _wrong_kind(error: _Error) -> bool:
    return error.validator == "type" and not error.path


def _kinds(error: _Error) -> Sequence[str]:
    wanted = error.validator_value
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _wanted(error: _Error) -> list[Any]:
    return [name for name in error.validator_value if name not in error.instance]


def _expected(kinds: Sequence[str], found: Any, steps: tuple[Step, ...], written: str) -> str:
    words = " or ".join(dict.fromkeys(_WORDS.get(kind, kind) for kind in kinds))
    part = {"array", "object"} & {*kinds}
    hint = (part and _part_hint(found, steps)) or _hint(kinds, found, written)
    if "include" in steps[-1:] and isinstance(found, str) and found.endswith("/"):
        hint = hint.replace(quote(found), quote(found + "*"))  # a folder alone matches nothing
    return f"expected {words}, found {describe(found, written)}{hint}"


def _part_hint(found: Any, steps: tuple[Step, ...]) -> str:
    """What a part that needs a `type` looks like, where a short form was written in its place."""
    part, inside = (steps[0], len(steps) > 1) if steps else ("", False)
    if len(steps) > 2 or (len(steps) == 2 and not isinstance(steps[1], int)):
        return ""
    if isinstance(found, Mapping) and not inside and part in ("sources", "sinks"):
        return " (write a list: put '- ' before the first line of each, and indent the others)"
    if not isinstance(found, str):
        return ""
    if part == "sources":
        pattern = f"{found.rstrip('/')}/*" if "*" not in found and "." not in found[1:] else found
        entry = f"{{type: glob, include: [{json.dumps(pattern, ensure_ascii=False)}]}}"
    elif part == "sinks":
        entry = f"{{type: directory, path: {json.dumps(found, ensure_ascii=False)}}}"
    elif part == "backend":
        return f" (write {{type: {json.dumps(found, ensure_ascii=False)}}})"
    else:
        return ""
    return f" (write {entry})" if inside else f" (write [{entry}])"


def _hint(kinds: Sequence[str], found: Any, written: str) -> str:
    """How what stands there becomes what is wanted, where one sign would do."""
    if "array" in kinds and isinstance(found, str):
        return f" (write a list: [{quote(found)}])"
    if "string" in kinds and isinstance(found, int | float):
        return f" (in quotes it is text: {quote(plain(found, written))})"
    if not isinstance(found, str):
        return ""
    if "boolean" in kinds and found.casefold() in ("yes", "no", "on", "off", "true", "false"):
        return " (write true or false)"
    try:
        value = resolve(found)
    except NotAValue:
        return ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return " (without quotes it is a number)" if number and {"integer", "number"} & {*kinds} else ""


def _type(error: _Error, written: str) -> str:
    why = error.schema.get("patternErrorMessage")
    if why and not re.search(error.schema["pattern"], _as_text(error.instance, written)):
        return f"{_shown(error.instance, written)} {why}"  # quotes alone would not mend it
    return _expected(_kinds(error), error.instance, tuple(error.absolute_path), written)


def _as_text(value: Any, written: str) -> str:
    return "" if isinstance(value, list | dict) else plain(value, written)


def _enum(error: _Error, written: str) -> str:
    allowed = error.validator_value
    if isinstance(error.instance, list | dict):
        return f"{describe(error.instance)} is not allowed; allowed: {listed(allowed)}"
    near = nearest(error.instance, allowed, written=written)
    return f"{quote(error.instance, written)} is not allowed; allowed: {listed(allowed)}{near}"


def _const(error: _Error, written: str) -> str:
    only = error.validator_value
    near = nearest(error.instance, [only], written=written)
    return f"{_shown(error.instance, written)} is not allowed; allowed: {plain(only)}{near}"


def _pattern(error: _Error, _written: str) -> str:
    schema = error.schema
    why = schema.get("patternErrorMessage") or f"does not match {error.validator_value}"
    return f"{quote(error.instance)} {why}"


def _few(error: _Error, _written: str) -> str:
    least = error.validator_value
    return "is empty" if least == 1 else f"has too few entries; at least {least}"


def _many(error: _Error, _written: str) -> str:
    return f"has too many entries; at most {error.validator_value}"


def _twice(_error: _Error, _written: str) -> str:
    return "contains a duplicate value"


def _small(error: _Error, written: str) -> str:
    return f"{plain(error.instance, written)} is too small; at least {error.validator_value}"


def _large(error: _Error, written: str) -> str:
    return f"{plain(error.instance, written)} is too large; at most {error.validator_value}"


def _short(error: _Error, _written: str) -> str:
    return "is empty" if not error.instance else f"is too short; at least {error.validator_value}"


def _long(error: _Error, _written: str) -> str:
    return f"is too long; at most {error.validator_value} characters"


def _other(error: _Error, written: str) -> str:
    schema = error.schema
    meant = schema.get("description") if isinstance(schema, dict) else None
    return f"{_shown(error.instance, written)} is not allowed here" + (
        f": {printable(meant)}" if meant else ""
    )


def _shown(value: Any, written: str) -> str:
    return describe(value) if isinstance(value, list | dict) else quote(value, written)


_MESSAGES: dict[str, Callable[[_Error, str], str]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minItems": _few,
    "minProperties": _few,
    "maxItems": _many,
    "maxProperties": _many,
    "uniqueItems": _twice,
    "minimum": _small,
    "maximum": _large,
    "minLength": _short,
    "maxLength": _long,
}
