"""Verdicts of checks in words, as JSON and as cases of a JUnit report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from relightflow.model.check import CheckResult, Verdict
from relightflow.model.check_report import CheckedOutput, CheckReport
from relightflow.model.values import thaw
from relightflow.plan.spelling import text
from relightflow.report import escape
from relightflow.report.json import VERSION
from relightflow.report.junit import JunitCase, JunitSuite, axis_place, check_case, measured
from relightflow.report.text import count, listing

_SHOWN = 10
"""Results that are named for one check and verdict; `--json` has all."""
_TOLD = (Verdict.FAIL, Verdict.ERROR, Verdict.UNSURE)


def in_words(found: CheckReport) -> str:
    """How many passed, then each check that did not, the gravest verdicts first."""
    made = [item for item in found.outputs if item.made]
    if not made:
        return f"{escape.terminal(found.name)}: no results to check yet"
    tally = Counter(check.verdict for item in made for check in item.checks)
    said = [f"{count(tally[Verdict.PASS], 'check')} passed"]
    said += [f"{tally[verdict]:,} {_WORDS[verdict]}" for verdict in _TOLD if tally[verdict]]
    missing = len(found.outputs) - len(made)
    left = f" ({missing:,} not made yet)" if missing else ""
    lines = [
        f"{escape.terminal(found.name)}: {count(len(made), 'result')}{left}, {', '.join(said)}"
    ]
    for verdict in _TOLD:
        for (name, severity), items in _by_check(made, verdict).items():
            mark = "!" if verdict is not Verdict.UNSURE else "?"
            level = f" ({severity})" if verdict is Verdict.FAIL and severity != "fail" else ""
            lines.append(f"{mark} {name}: {count(len(items), 'result')} {_WORDS[verdict]}{level}")
            lines += listing([_line(*item) for item in items[:_SHOWN]], len(items))
    return "\n".join(lines)


_WORDS = {Verdict.FAIL: "failed", Verdict.UNSURE: "unsure", Verdict.ERROR: "could not be checked"}


def _by_check(
    made: Sequence[CheckedOutput], verdict: Verdict
) -> dict[tuple[str, str], list[tuple[CheckedOutput, CheckResult]]]:
    found: dict[tuple[str, str], list[tuple[CheckedOutput, CheckResult]]] = defaultdict(list)
    for item in made:
        for check in item.checks:
            if check.verdict is verdict:
                found[check.name, check.severity].append((item, check))
    return found


def _line(item: CheckedOutput, check: CheckResult) -> str:
    return escape.terminal(f"{_name(item)}: {measured(check)}")


def _name(item: CheckedOutput) -> str:
    values = [text(value) for value in item.output.cell.values()]
    again = [f"repeat {item.output.repeat + 1}"] if item.output.repeat else []
    cell = ", ".join([*values, *again])
    return f"{item.output.image.name} ({cell})" if cell else item.output.image.name


def as_document(path: str, found: CheckReport) -> dict[str, Any]:
    """For programs: every output with its verdicts."""
    tally = Counter(str(check.verdict) for item in found.outputs for check in item.checks)
    return {
        "kind": "checks",
        "version": VERSION,
        "path": path,
        "recipe": found.name,
        "counts": {
            "outputs": len(found.outputs),
            "results": sum(item.made for item in found.outputs),
            "failed_results": sum(item.failed for item in found.outputs),
            **{str(verdict): tally[verdict] for verdict in Verdict},
        },
        "outputs": [
            {
                "index": item.output.index,
                "job": item.output.job.id,
                "image": item.output.image.name,
                "cell": thaw(item.output.cell),
                "repeat": item.output.repeat,
                "checks": [_verdict(check) for check in item.checks],
            }
            for item in found.outputs
        ],
    }


def _verdict(check: CheckResult) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": str(check.verdict),
        "severity": check.severity,
        "value": check.value,
        "bound": check.bound,
        "unit": check.unit,
        "message": check.message,
    }


def as_suite(found: CheckReport) -> JunitSuite:
    """A case for each output and check; only `fail` fails, what is unsure or cannot be checked is
    skipped or an error."""
    cases = [case for item in found.outputs for case in _cases(found, item)]
    return JunitSuite(f"{found.name}: checks", cases)


def _cases(found: CheckReport, item: CheckedOutput) -> Iterator[JunitCase]:
    file, line = "", 0
    if found.recipe is not None:
        at = found.recipe.problem(axis_place(found.recipe, item.output.cell), "")
        file, line = at.file, at.line
    cell = ", ".join(f"{name}={text(value)}" for name, value in item.output.cell.items())
    again = f"; repeat {item.output.repeat + 1}" if item.output.repeat else ""
    of = JunitCase(item.output.image.name, f"{cell}{again}", file=file, line=line)
    yield from (check_case(of, check, item.output.job.id) for check in item.checks)
