"""A run for GitHub: the summary of a step, and annotations at the recipe's lines.

Limits of the platform: a step summary larger than 1 MiB is dropped whole; of a step's annotations, ten
errors and ten warnings are shown and the others silently left out (docs.github.com, "Workflow commands
for GitHub Actions"). So rows are cut, and the last annotation says how many more there are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from relightflow.errors import Exit, Problem
from relightflow.model.money import dollars, micros
from relightflow.model.recipe import Recipe
from relightflow.report.junit import BILLED, axis_place
from relightflow.report.markdown import MarkdownBlock, code, fitted, folded, quoted, row, table
from relightflow.report.text import count, duration

MOST_BYTES = 900_000
_MOST_ANNOTATIONS = 10
"""Of a kind."""
_LONGEST = 4000
"""Characters of one annotation's message."""
_WARNING = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)
_STATUSES = {
    "done": "in place",
    "failed": "failed",
    "unknown": "unknown: may have been billed",
    "pending": "to collect",
    "missing": "not started",
}
_PLACES = {
    Exit.BUDGET: "limits.max_cost",
    Exit.ACCOUNT: "backend",
    Exit.STORAGE: "",
    Exit.EARLY: "",
}
"""Exit code of an issue that concerns no output → where in the recipe it is told."""

_Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What a run left behind."""

    name: str
    """The recipe's."""
    manifest: Path
    summary: Mapping[str, Any] = field(default_factory=dict)
    """The run's summary.json; empty where there is only a manifest."""
    recipe: Recipe | None = None
    """For the lines; None: unknown."""

    def records(self) -> Iterator[dict[str, Any]]:
        """The manifest's. Raises OSError, ValueError."""
        with self.manifest.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def step_summary(
    runs: Sequence[RecordedRun], problems: Sequence[Problem] = (), link: str = ""
) -> str:
    """Markdown of at most MOST_BYTES. `problems`: of recipes that are invalid. `link`: URL of the
    gallery or the artifact, checked by the caller."""
    return fitted([*_blocks(runs, problems, link)], MOST_BYTES, lambda text: len(text.encode()))


def _blocks(
    runs: Sequence[RecordedRun], problems: Sequence[Problem], link: str
) -> Iterator[MarkdownBlock]:
    if problems:
        title = f"### {count(len(problems), 'problem')} in the recipes; nothing was sent\n\n"
        yield MarkdownBlock(title, [quoted([str(problem)]) + ">\n" for problem in problems])
    told = [_Told(run) for run in runs]
    for each in told:
        yield MarkdownBlock(f"### {code(each.run.name)}: {each.sentence}\n")
        yield MarkdownBlock(table(("outputs", "number"), 1), [row(*pair) for pair in each.counts])
        money = each.money
        if money:
            yield MarkdownBlock(table(("money", "USD"), 1), [row(*pair) for pair in money])
        if each.plan:
            yield MarkdownBlock(each.plan)
    if link:
        yield MarkdownBlock(f"\n[Results]({link})\n")
    for each in told:
        issues = [quoted([line]) + ">\n" for line in each.issues]
        if issues:
            yield MarkdownBlock("\n", issues)
    for each in told:
        yield from each.tables()


class _Told:
    """What is said of one run, gathered in one pass over its manifest."""

    def __init__(self, run: RecordedRun) -> None:
        self.run = run
        self._statuses: Counter[str] = Counter()
        self._failed: list[str] = []
        self._checks: list[str] = []
        for record in run.records():
            if record.get("record") == "rejected":
                self._statuses["rejected"] += 1
                self._failed.append(
                    _failed_row(
                        record["source"]["name"], "", "rejected", record["error"], "not billed"
                    )
                )
            elif record.get("record") == "output":
                self._output(record)

    def _output(self, record: Mapping[str, Any]) -> None:
        status, image = record["status"], record["source"]["name"]
        self._statuses[status] += 1
        if status in ("failed", "unknown"):
            error = record.get("error", {})
            billed = BILLED.get(error.get("billed", "unknown"), "")
            reason = error.get("message", "no answer")
            self._failed.append(_failed_row(image, _cell(record), status, reason, billed))
        for check in record.get("checks", ()):
            if check.get("verdict") in ("fail", "error"):
                facts = (check.get("name", ""), check["verdict"], check.get("value", ""))
                self._checks.append(
                    row(code(image), code(_cell(record)), *(code(str(f)) for f in facts))
                )

    @property
    def sentence(self) -> str:
        total = sum(n for status, n in self._statuses.items() if status != "rejected")
        text = f"{self._statuses['done']:,} of {count(total, 'output')} in place"
        parts = [f"{n:,} {_WORDS[s]}" for s in _WORDS if (n := self._statuses[s])]
        summary = self.run.summary
        if summary:
            parts.append(f"{_usd(summary['money']['spent_usd'])} USD spent")
            parts.append(duration(summary["seconds"]))
        return ", ".join((text, *parts))

    @property
    def counts(self) -> list[tuple[str, str]]:
        listed = [(word, f"{self._statuses[status]:,}") for status, word in _STATUSES.items()]
        listed.append(("image not usable", f"{self._statuses['rejected']:,}"))
        made = self.run.summary.get("counts", {})
        listed += [
            (f"jobs {name}", f"{made[name]:,}") for name in ("made", "reused") if name in made
        ]
        return [pair for pair in listed if pair[1] != "0"]

    @property
    def money(self) -> list[tuple[str, str]]:
        found = self.run.summary.get("money", {})
        names = ("spent_usd", "in_flight_usd", "unknown_usd", "cap_usd", "balance_usd")
        listed = [(n.removesuffix("_usd").replace("_", " "), found.get(n)) for n in names]
        return [(name, _usd(amount)) for name, amount in listed if amount]

    @property
    def plan(self) -> str:
        """Which plan file was applied; empty: none."""
        sha256 = self.run.summary.get("plan_sha256")
        return f"\nApplied plan {code(sha256)}.\n" if sha256 else ""

    @property
    def issues(self) -> Iterator[str]:
        for issue in self.run.summary.get("issues", ()):
            times = f"{issue['count']:,} × " if issue["count"] > 1 else ""
            yield f"exit {issue['exit']}: {times}{issue['message']}"
        if self.run.summary.get("next_command"):
            yield f"next: {self.run.summary['next_command']}"

    def tables(self) -> Iterator[MarkdownBlock]:
        name = self.run.name
        if self._failed:
            before, after = folded(f"{name}: {len(self._failed):,} without a result")
            head = ("image", "cell", "status", "reason", "billed")
            yield MarkdownBlock(before + table(head), self._failed, after)
        if self._checks:
            before, after = folded(f"{name}: {len(self._checks):,} failed checks")
            yield MarkdownBlock(
                before + table(("image", "cell", "check", "verdict", "value")), self._checks, after
            )


def _usd(amount: float) -> str:
    return dollars(micros(amount))


_WORDS = {
    "failed": "failed",
    "unknown": "unknown",
    "pending": "to collect",
    "missing": "not started",
    "rejected": "images not usable",
}


def _failed_row(image: str, cell: str, status: str, reason: str, billed: str) -> str:
    return row(code(image), code(cell), status, code(reason), billed)


def _cell(record: Mapping[str, Any]) -> str:
    values = ", ".join(f"{name}={value}" for name, value in record["cell"].items())
    return f"{values}; repeat {record['repeat'] + 1}" if record["repeat"] else values


@dataclass(frozen=True, slots=True)
class _Annotation:
    level: _Level
    title: str
    message: str
    problem: Problem | None
    """Where it stands; None: nowhere in particular."""


def workflow_commands(
    runs: Sequence[RecordedRun],
    problems: Sequence[Problem] = (),
    located: Callable[[str], str] = str,
) -> Iterator[str]:
    """Workflow commands, at most MOST_ANNOTATIONS of a kind; the last of a kind counts the others.

    `located`: a file as the user named it → as GitHub does, from the root of the repository.
    """
    found = [_Annotation("error", "relightflow", p.message, p) for p in problems]
    for run in runs:
        found += _of_run(run)
    for level in ("error", "warning"):
        of_kind = [one for one in found if one.level == level]
        shown = of_kind if len(of_kind) <= _MOST_ANNOTATIONS else of_kind[: _MOST_ANNOTATIONS - 1]
        yield from (_command(one, located) for one in shown)
        hidden = len(of_kind) - len(shown)
        if hidden:
            more = f"and {count(hidden, f'more {level}')}: see the step's summary"
            yield f"::{level} title=relightflow::{_data(more)}"


def _of_run(run: RecordedRun) -> Iterator[_Annotation]:
    yield from _of_outputs(run)
    told = (Exit(issue["exit"]) for issue in run.summary.get("issues", ()))
    for code_, issue in zip(told, run.summary.get("issues", ()), strict=True):
        if code_ in _PLACES:
            place = run.recipe.problem(_PLACES[code_], "") if run.recipe else None
            yield _Annotation("error", f"{run.name}: exit {int(code_)}", issue["message"], place)
    for warning in run.recipe.warnings if run.recipe else ():
        parts = _WARNING.fullmatch(warning)
        if parts:
            at = Problem(parts["file"], int(parts["line"]), int(parts["column"]), "", "")
            yield _Annotation("warning", run.name, parts["message"], at)


def _of_outputs(run: RecordedRun) -> Iterator[_Annotation]:
    """Outputs with one cause are one annotation, at the line of the value that they have in common."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for record in run.records():
        status = record.get("status", record.get("record"))
        if status in ("failed", "unknown", "pending", "missing", "rejected"):
            groups.setdefault((status, _reason(record)), []).append(record)
    for (status, reason), records in sorted(groups.items(), key=lambda group: _RANK[group[0][0]]):
        level: _Level = "warning" if status in ("pending", "missing") else "error"
        first = records[0]["source"]["name"]
        more = f" and {len(records) - 1:,} more" if len(records) > 1 else ""
        title = f"{run.name}: {len(records):,} {_WORDS[status]}"
        yield _Annotation(level, title, f"{reason}: {first}{more}", _common(run.recipe, records))


_RANK = {
    status: rank
    for rank, status in enumerate(("failed", "unknown", "rejected", "pending", "missing"))
}


def _reason(record: Mapping[str, Any]) -> str:
    error = record.get("error", {})
    if isinstance(error, str):
        return error
    billed = BILLED.get(error.get("billed", ""), "")
    default = _STATUSES.get(record.get("status", ""), "")
    return " ".join(filter(None, (error.get("message", default), f"({billed})" if billed else "")))


def _common(recipe: Recipe | None, records: Sequence[Mapping[str, Any]]) -> Problem | None:
    """The line of the value that all have, of an axis with several; else of the matrix."""
    if recipe is None:
        return None
    if records[0].get("record") == "rejected":
        return recipe.problem("sources", "")
    cells = [record["cell"] for record in records]
    for axis in recipe.matrix.axes:
        values = {cell.get(axis.name) for cell in cells}
        if len(axis.values) > 1 and len(values) == 1:
            return recipe.problem(axis_place(recipe, {axis.name: values.pop()}), "")
    return recipe.problem("matrix", "")


def _command(found: _Annotation, located: Callable[[str], str]) -> str:
    at = found.problem
    facts = {"file": located(at.file), "line": at.line, "col": at.column} if at and at.line else {}
    given = {**facts, "title": found.title}.items()
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in given if value)
    return f"::{found.level} {properties}::{_data(found.message[:_LONGEST])}"


def _data(text: str) -> str:
    """`text` after the `::` of a workflow command, in which it can end nothing."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
