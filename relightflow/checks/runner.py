"""Runs checks over results: one input image at a time, in constant memory however long the plan.

Verdicts depend on the results, the input image and the checks' options alone, so those of an input
image are kept in the cache until one of them changes: a second run decodes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from relightflow.checks.measuring import ImageReader, MadeCheck, Measuring, in_words, make_check
from relightflow.errors import InvalidRecipe, RelightflowError
from relightflow.executors.workers import Workers
from relightflow.model.check import CheckResult, CheckSpec, Verdict
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import Recipe
from relightflow.model.values import canonical_json
from relightflow.plugins.check import Measured
from relightflow.plugins.registry import Registry
from relightflow.store.atomic import write_atomic

_FORMAT = 1
"""Of what is kept. Another one where a built-in check measures differently."""

Results = Iterable[tuple[Output, Result | None]]
Verdicts = tuple[CheckResult, ...]


class Checker:
    """The checks of a recipe, ready."""

    def __init__(self, made: Sequence[MadeCheck]) -> None:
        self._made = tuple(made)

    def __bool__(self) -> bool:
        """Whether there is anything to check."""
        return bool(self._made)

    def verdicts(
        self,
        results: Results,
        images: ImageReader,
        stop: Callable[[], bool] = lambda: False,
        workers: Workers | None = None,
    ) -> Iterator[Verdicts]:
        """For each output its verdicts, in the recipe's order of checks; none for an output without
        a result. `results`: in plan order. `stop`: asked before each input image; nothing is checked
        from then on. `workers`: who measures; None: threads of this process. Blocks."""
        with ExitStack() as stack:
            if workers is None:
                workers = stack.enter_context(closing(Workers()))
            for _, group in groupby(results, key=lambda item: item[0].image):
                items = list(group)
                if not self._made or stop():
                    yield from ((),) * len(items)
                else:
                    yield from self._group(items, images, workers)

    def _group(
        self,
        items: Sequence[tuple[Output, Result | None]],
        images: ImageReader,
        workers: Workers,
    ) -> list[Verdicts]:
        """The verdicts on all outputs of one input image."""
        present = [(output, result) for output, result in items if result is not None]
        found: Iterator[Verdicts] = iter(self._known(present, images, workers))
        return [next(found) if result is not None else () for _, result in items]

    def _known(
        self,
        present: Sequence[tuple[Output, Result]],
        images: ImageReader,
        workers: Workers,
    ) -> list[Verdicts]:
        if not present:
            return []
        name = self._digest(present)
        held = _held(images.cache, name, len(present), len(self._made))
        if held is None:
            held, whole = self._judged(present, images, workers)
            if whole:
                _keep(images.cache, name, held)
        return [self._named(verdicts) for verdicts in held]

    def _named(self, verdicts: Sequence[CheckResult | None]) -> Verdicts:
        return tuple(
            replace(verdict, name=made.spec.type, severity=made.spec.severity)
            for made, verdict in zip(self._made, verdicts, strict=True)
            if verdict is not None
        )

    def _judged(
        self,
        present: Sequence[tuple[Output, Result]],
        images: ImageReader,
        workers: Workers,
    ) -> tuple[list[list[CheckResult | None]], bool]:
        """Verdicts by output, and whether everything could be read."""
        measuring = Measuring(self._made, images, workers, present[0][0].image)
        values = list(measuring.values(present))
        table = [_judge(made, column, present, values) for column, made in enumerate(self._made)]
        whole = measuring.has_source and not any(isinstance(value, str) for value in values)
        return [list(row) for row in zip(*table, strict=True)], whole

    def _digest(self, present: Sequence[tuple[Output, Result]]) -> str:
        facts = {
            "format": _FORMAT,
            "checks": [made.identity for made in self._made],
            "source": present[0][0].image.sha256,
            "results": [
                [result.sha256, output.cell, output.job.parameters, output.repeat]
                for output, result in present
            ],
        }
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()


def open_checks(recipe: Recipe, registry: Registry) -> Checker:
    """The recipe's checks. Raises InvalidRecipe where one cannot be made."""
    made = []
    for index, spec in enumerate(recipe.checks):
        try:
            made.append(make_check(spec, registry, recipe.folder))
        except Exception as problem:  # a check may be anybody's
            words = f"the check cannot be made: {in_words(problem)}"
            raise InvalidRecipe([recipe.problem(f"checks[{index}]", words)]) from problem
    return Checker(made)


def make_checks(specs: Sequence[CheckSpec], registry: Registry, folder: Path) -> Checker:
    """The checks `specs`, none of which names a file. Raises what their `create` raises."""
    return Checker([make_check(spec, registry, folder) for spec in specs])


def _guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, or the exception: a check may be anybody's, and costs itself only."""
    try:
        return function(*arguments)
    except Exception as problem:
        return problem


def _judge(
    made: MadeCheck,
    column: int,
    present: Sequence[tuple[Output, Result]],
    values: Sequence[list[Any] | str],
) -> list[CheckResult | None]:
    """One check's verdicts on all results of an input image."""
    found: list[CheckResult | None] = [None] * len(present)
    sound: list[tuple[int, Measured]] = []
    for index, ((output, result), value) in enumerate(zip(present, values, strict=True)):
        if isinstance(value, str):
            found[index] = _error(value)
        elif isinstance(value[column], Exception):
            found[index] = _error(in_words(value[column]))
        else:
            sound.append((index, Measured(output, result.sha256, value[column])))
    if not sound:
        return found
    verdicts = _guarded(made.check.judge, [item for _, item in sound])
    problem = _problem(verdicts, len(sound))
    for place, (index, _) in enumerate(sound):
        found[index] = _error(problem) if problem else verdicts[place]
    return found


def _problem(verdicts: Any, count: int) -> str:
    """What is wrong with a check's answer; empty where nothing is."""
    if isinstance(verdicts, Exception):
        return in_words(verdicts)
    if not isinstance(verdicts, Sequence) or len(verdicts) != count:
        return "the check did not give one verdict for each result"
    if not all(verdict is None or isinstance(verdict, CheckResult) for verdict in verdicts):
        return "the check gave something else than verdicts"
    return ""


def _error(words: str) -> CheckResult:
    return CheckResult(Verdict.ERROR, message=words)


def _file(name: str) -> str:
    return f"checks/{name[:2]}/{name}.json"


def _held(
    cache: Path | None, name: str, outputs: int, checks: int
) -> list[list[CheckResult | None]] | None:
    """The verdicts in the cache; None where they are not there, or make no sense."""
    if cache is None:
        return None
    try:
        rows = json.loads((cache / _file(name)).read_bytes())
        found = [[None if cell is None else _revived(cell) for cell in row] for row in rows]
    except (OSError, ValueError, TypeError):
        return None
    return found if len(found) == outputs and all(len(row) == checks for row in found) else None


def _revived(cell: Any) -> CheckResult:
    verdict, value, bound, unit, message = cell
    return CheckResult(Verdict(verdict), value, bound, str(unit), str(message))


def _keep(cache: Path | None, name: str, rows: Sequence[Sequence[CheckResult | None]]) -> None:
    if cache is None or not cache.is_dir():
        return
    cells = [
        [None if v is None else [v.verdict, v.value, v.bound, v.unit, v.message] for v in row]
        for row in rows
    ]
    try:
        write_atomic(cache, _file(name), json.dumps(cells).encode(), durable=False)
    except (OSError, RelightflowError):
        return  # judged again next time
