"""Reads a picks file, JSON or CSV. It may be a stranger's: bounded, strict, every problem at once.

The JSON form is schemas/picks.schema.json. The CSV form has a row a pick: `image` or `image_sha256`
(or both), a column for each parameter of the cell, and optionally `repeat`, `verdict`, `stars`,
`note`; a parameter called like one of these has `parameter_` before its name.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from relightflow.core.project import Project
from relightflow.errors import InvalidRecipe, Problem, RelightflowError
from relightflow.model.picks import MOST_STARS, PICK, VERDICTS, Pick, Picks
from relightflow.model.spreadsheet import plain_cell
from relightflow.model.values import FrozenMap
from relightflow.recipe.annotations import is_annotation
from relightflow.recipe.wording import describe, nearest, printable, quote
from relightflow.store.atomic import opened_folder

LARGEST = 64 << 20
"""Bytes."""
MOST = 100_000
"""Picks in a file."""
_SHOWN = 20
"""Problems that are told."""
_FIELDS = (
    "image_name", "image_sha256", "cell", "repeat", "verdict", "stars", "note", "job"
)  # fmt: skip
_HEAD = ("kind", "version", "recipe", "manifest_sha256", "picks")
_COLUMNS = ("image", "image_sha256", "repeat", "verdict", "stars", "note", "job")
_SHA256 = re.compile("[0-9a-f]{64}")
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def read_picks(path: Path) -> Picks:
    """The picks in the file at `path`, which the operator named. Raises InvalidRecipe."""
    file = printable(str(path))
    return parse_picks(_bytes(lambda: os.open(path, _READ), file), file)


def read_picks_inside(folder: Path, path: str) -> Picks:
    """The picks in a file that a recipe in `folder` names: in its project, through no symbolic link.

    Raises InvalidRecipe.
    """
    file = printable(str(folder / path))
    project = Project.of(folder)

    def opened() -> int:
        *folders, name = project.parts(path)
        with opened_folder(project.root, folders) as inside:
            return os.open(name, _READ | os.O_NOFOLLOW, dir_fd=inside)

    return parse_picks(_bytes(opened, file), file)


def parse_picks(data: bytes, file: str) -> Picks:
    """The picks in `data`; `file` names it in messages, and `.csv` at its end means CSV.

    Raises InvalidRecipe with the first problems.
    """
    if len(data) > LARGEST:
        raise _wrong(file, f"is larger than {LARGEST >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(file, "is not UTF-8") from None
    problems = _Problems(file)
    as_csv = file.lower().endswith(".csv")
    recipe, entries = ("", _from_csv(text, problems)) if as_csv else _from_json(text, problems)
    problems.settle()
    entries = _distinct(entries, problems)
    problems.settle()
    digest = hashlib.sha256(data).hexdigest()
    return Picks(file, digest, tuple(entries), texts=as_csv, recipe=recipe)


class _Problems:
    """Collects what is wrong; the first few are told, the others counted."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []
        self._more = 0

    def add(self, where: str, message: str) -> None:
        if len(self._found) < _SHOWN:
            self._found.append(Problem(self.file, 0, 0, where, message))
        else:
            self._more += 1

    def settle(self) -> None:
        if not self._found:
            return
        if self._more:
            self._found.append(Problem(self.file, 0, 0, "", f"and {self._more:,} more problems"))
        raise InvalidRecipe(self._found)


def _from_json(text: str, problems: _Problems) -> tuple[str, list[Pick]]:
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        words = f"is not valid JSON: {error.msg}"
        raise InvalidRecipe(
            [Problem(problems.file, error.lineno, error.colno, "", words)]
        ) from None
    except (ValueError, RecursionError) as error:
        words = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _wrong(problems.file, f"is not valid JSON: {words}") from None
    if not isinstance(found, dict) or found.get("kind") != "picks":
        raise _wrong(problems.file, 'is not a picks file: it has no "kind": "picks"')
    version = found.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > 1:
        raise _wrong(problems.file, f"has the newer format {version}; upgrade relightflow")
    if version != 1 or isinstance(version, bool):
        problems.add("version", "must be 1")
    _known(found, _HEAD, "", problems)
    recipe = found.get("recipe", {})
    name = recipe.get("name", "") if isinstance(recipe, dict) else ""
    listed = found.get("picks")
    if not isinstance(listed, list):
        problems.add("picks", f"must be a list, not {describe(listed)}")
        return "", []
    if len(listed) > MOST:
        raise _wrong(problems.file, f"has {len(listed):,} picks; at most {MOST:,} are read")
    made = (_pick(item, f"picks[{n}]", problems) for n, item in enumerate(listed))
    return name if isinstance(name, str) else "", [pick for pick in made if pick]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{quote(twice)} is given twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _known(
    found: Mapping[str, Any], names: tuple[str, ...], where: str, problems: _Problems
) -> None:
    for name in found:
        if name not in names and not is_annotation(name):
            at = f"{where}.{printable(name)}" if where else printable(name)
            problems.add(at, f"is not a known field{nearest(name, list(names))}")


def _pick(item: Any, where: str, problems: _Problems) -> Pick | None:
    if not isinstance(item, dict):
        problems.add(where, f"must be an object, not {describe(item)}")
        return None
    _known(item, _FIELDS, where, problems)
    name, sha256 = item.get("image_name", ""), item.get("image_sha256", "")
    cell = item.get("cell")
    wrong = {
        "image_name": not isinstance(name, str) or len(name) > 4096,
        "image_sha256": sha256 != "" and not _is_hash(sha256),
        "cell": not _is_cell(cell),
        "repeat": not _is_whole(item.get("repeat", 0), 1_000_000),
        "verdict": item.get("verdict", PICK) not in VERDICTS,
        "stars": not _is_whole(item.get("stars", 0), MOST_STARS),
        "note": not isinstance(item.get("note", ""), str) or len(item.get("note", "")) > 10_000,
    }
    return _checked(item, wrong, where, problems)


def _checked(
    item: Mapping[str, Any], wrong: Mapping[str, bool], where: str, problems: _Problems
) -> Pick | None:
    for name, is_wrong in wrong.items():
        if is_wrong:
            problems.add(f"{where}.{name}", f"{_MUST[name]}, not {describe(item.get(name))}")
    if not item.get("image_name") and not item.get("image_sha256"):
        problems.add(where, "names no image: give image_sha256, image_name or both")
    elif not any(wrong.values()):
        return Pick(
            cell=FrozenMap(item["cell"]),
            image_name=item.get("image_name", ""),
            image_sha256=item.get("image_sha256", ""),
            repeat=item.get("repeat", 0),
            verdict=item.get("verdict", PICK),
            stars=item.get("stars", 0),
            note=item.get("note", ""),
            where=where,
        )
    return None


_MUST = {
    "image_name": "must be a text",
    "image_sha256": "must be 64 hex digits",
    "cell": "must map each parameter to one value",
    "repeat": "must be an integer from 0",
    "verdict": f"must be one of {', '.join(VERDICTS)}",
    "stars": f"must be an integer from 0 to {MOST_STARS}",
    "note": "must be a text",
}


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and bool(_SHA256.fullmatch(value))


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _is_cell(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 100
        and all(isinstance(v, str | int | float | bool) for v in value.values())
    )


def _from_csv(text: str, problems: _Problems) -> list[Pick]:
    try:
        rows = csv.reader(text.splitlines(keepends=True), strict=True)
        head = [plain_cell(name.strip()) for name in next(rows, [])]
        if not {"image", "image_sha256"} & {*head}:
            raise _wrong(problems.file, "has no column 'image' or 'image_sha256' in its first line")
        if len(set(head)) < len(head):
            raise _wrong(problems.file, "has two columns of the same name")
        return list(_rows(rows, head, problems))
    except csv.Error as error:
        raise _wrong(problems.file, f"is not valid CSV: {error}") from None


def _rows(rows: Any, head: list[str], problems: _Problems) -> Iterator[Pick]:
    for number, row in enumerate(rows):
        if not any(field.strip() for field in row):
            continue
        if number >= MOST:
            raise _wrong(problems.file, f"has more than {MOST:,} rows")
        where = f"line {rows.line_num}"
        if len(row) != len(head):
            problems.add(where, f"has {len(row)} fields, and the first line has {len(head)}")
            continue
        fields = {name: plain_cell(value) for name, value in zip(head, row, strict=True)}
        pick = _pick(_item(fields), where, problems)
        if pick:
            yield pick


def _item(fields: Mapping[str, str]) -> dict[str, Any]:
    """A row as the JSON form has it."""
    cell = {
        name.removeprefix("parameter_") if name[10:] in _COLUMNS else name: value
        for name, value in fields.items()
        if name not in _COLUMNS and value != ""
    }
    return {
        "image_name": fields.get("image", ""),
        "image_sha256": fields.get("image_sha256", ""),
        "cell": cell,
        "repeat": _number(fields.get("repeat", "")),
        "verdict": fields.get("verdict", "") or PICK,
        "stars": _number(fields.get("stars", "")),
        "note": fields.get("note", ""),
    }


def _number(text: str) -> Any:
    return int(text) if text.isdecimal() and len(text) < 10 else text or 0


def _distinct(entries: list[Pick], problems: _Problems) -> list[Pick]:
    """Each decision once; two different ones about the same thing are a problem."""
    seen: dict[Any, Pick] = {}
    for pick in entries:
        key = (pick.image_sha256, pick.image_name, pick.cell, pick.repeat)
        first = seen.setdefault(key, pick)
        if first.verdict != pick.verdict:
            words = f"says {pick.verdict}, and {first.where} says {first.verdict} of the same"
            problems.add(pick.where, words)
    return list(seen.values())


def _bytes(opening: Any, file: str) -> bytes:
    try:
        descriptor = opening()
    except FileNotFoundError:
        raise _wrong(file, "file not found") from None
    except RelightflowError as error:
        raise _wrong(file, str(error)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise _wrong(file, f"cannot be read: {reason}") from None
    try:
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _wrong(file, "is not a regular file")
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise _wrong(file, f"cannot be read: {error.strerror}") from None


def _wrong(file: str, message: str) -> InvalidRecipe:
    return InvalidRecipe([Problem(file, 0, 0, "", message)])
