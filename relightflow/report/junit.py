"""JUnit XML: one form for what a run made (a case per output and check) and for whatever else has cases.

There is no standard; this is what GitLab, Jenkins and the actions that read such files agree on
(docs.gitlab.com, "Unit test reports"): `testsuites`, `testsuite`, `testcase` with `classname`, `name`,
`file` and `line`, and in it at most one of `failure`, `error` and `skipped`. No times and no host, so
that the same manifest gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from relightflow.model.check import CheckResult, Verdict
from relightflow.model.recipe import Recipe
from relightflow.model.values import Scalar
from relightflow.report.escape import lines, terminal

_Verdict = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class JunitCase:
    """Texts may be untrusted."""

    classname: str
    """The input image."""
    name: str
    verdict: _Verdict = "passed"
    type: str = ""
    """Of a failure: its kind."""
    message: str = ""
    """On one line: what happened, billed or not."""
    details: str = ""
    file: str = ""
    line: int = 0
    """1-based; 0: none."""
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class JunitSuite:
    name: str
    """The recipe."""
    cases: Sequence[JunitCase]
    properties: tuple[tuple[str, str], ...] = ()


def document(suites: Sequence[JunitSuite]) -> Iterator[str]:
    """The file, a piece at a time."""
    counts = [Counter(case.verdict for case in suite.cases) for suite in suites]
    whole = sum(counts, Counter())
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{_counts(whole)}>\n'
    for suite, count in zip(suites, counts, strict=True):
        yield f"  <testsuite{_attributes(name=suite.name)}{_counts(count)}>\n"
        yield _properties(suite.properties, "    ")
        yield from map(_case, suite.cases)
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def of_run(recipe: Recipe, manifest: Path) -> JunitSuite:
    """What a run came to by its manifest, in the manifest's order. Raises OSError."""
    with manifest.open(encoding="utf-8") as records:
        head, *rest = map(json.loads, records)
    cases = [case for record in rest for case in _of_record(recipe, record)]
    facts = (("backend", head["backend"]), ("model", head["model"]))
    return JunitSuite(recipe.name, cases, facts)


def _of_record(recipe: Recipe, record: Mapping[str, Any]) -> Iterator[JunitCase]:
    image = record.get("source", {}).get("name", "")
    if record.get("record") == "rejected":
        at = recipe.problem("sources", "")
        yield JunitCase(
            image, "image", "failure", "rejected",
            f"image not used: {record['error']} (not billed)", file=at.file, line=at.line,
        )  # fmt: skip
    elif record.get("record") == "output":
        at = recipe.problem(axis_place(recipe, record["cell"]), "")
        verdict, kind, message = _verdict(record)
        known = (
            ("job", record["job"]),
            ("path", record.get("path")),
            ("cost_usd", record.get("cost")),
        )
        facts = tuple((name, str(value)) for name, value in known if value is not None)
        case = JunitCase(
            image, _name(record), verdict, kind, message,
            file=at.file, line=at.line, properties=facts,
        )  # fmt: skip
        yield case
        for found in record.get("checks", ()):
            check = CheckResult(**{**found, "verdict": Verdict(found["verdict"])})
            yield check_case(case, check, record["job"])


def check_case(of: JunitCase, check: CheckResult, job: str) -> JunitCase:
    """A check of a result as a case of its own, beside the output's case `of`. Only `fail` fails; what is
    unsure is skipped, and what cannot be checked is an error."""
    facts = (
        ("job", job),
        ("severity", check.severity),
        ("value", "" if check.value is None else _number(check.value)),
        ("bound", "" if check.bound is None else _number(check.bound)),
        ("unit", check.unit),
    )
    verdict: _Verdict = "passed" if check.verdict is Verdict.PASS else "skipped"
    if check.failed:
        verdict = "failure"
    elif check.verdict is Verdict.ERROR:
        verdict = "error"
    return JunitCase(
        classname=of.classname,
        name=f"{check.name}: {of.name}" if of.name else check.name,
        verdict=verdict,
        type=check.name if check.failed else "",
        message=measured(check) if check.verdict is not Verdict.PASS else "",
        file=of.file,
        line=of.line,
        properties=tuple((name, value) for name, value in facts if value),
    )


def measured(check: CheckResult) -> str:
    """The message with what was measured and what was wanted."""
    if check.value is None:
        return check.message
    unit = f" {check.unit}" if check.unit else ""
    bound = "" if check.bound is None else f", bound {_number(check.bound)}"
    return f"{check.message} ({_number(check.value)}{unit}{bound})"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _verdict(record: Mapping[str, Any]) -> tuple[_Verdict, str, str]:
    """What the case says, the failure's kind, and its message."""
    status, error = record["status"], record.get("error", {})
    if status == "done":
        return "passed", "", ""
    if status == "failed":
        billed = BILLED.get(error.get("billed", ""), "")
        return "failure", error.get("kind", status), f"{error.get('message', status)} ({billed})"
    if status == "unknown":
        reason = error.get("message", "no answer")
        return "error", status, f"{reason} (may have been billed; it is held and not called again)"
    words = {"pending": "accepted or paid, not collected yet", "missing": "not started"}
    return "skipped", "", words.get(status, status)


BILLED = {"no": "not billed", "yes": "billed", "unknown": "may have been billed"}


def axis_place(recipe: Recipe, cell: Mapping[str, Scalar]) -> str:
    """Where in the recipe a cell comes from: its value of the first axis that has several, or the
    matrix. For `Recipe.problem`."""
    for axis in recipe.matrix.axes:
        if len(axis.values) > 1 and cell.get(axis.name) in axis.values:
            return f"matrix.{axis.name}[{axis.values.index(cell[axis.name])}]"
    return "matrix"


def _name(record: Mapping[str, Any]) -> str:
    values = ", ".join(f"{name}={value}" for name, value in record["cell"].items())
    repeat = f"repeat {record['repeat'] + 1}" if record["repeat"] else ""
    return "; ".join(filter(None, (values, repeat))) or "image"


def _case(case: JunitCase) -> str:
    place = {"file": case.file, "line": case.line} if case.line else {}
    head = f"    <testcase{_attributes(classname=case.classname, name=case.name, **place)}"
    body = _properties(case.properties, "      ")
    if case.verdict != "passed":
        kind = {"type": case.type} if case.type else {}
        said = _attributes(message=case.message, **kind)
        details = escape(lines(case.details))
        body += f"      <{case.verdict}{said}>{details}</{case.verdict}>\n"
    return f"{head}>\n{body}    </testcase>\n" if body else f"{head}/>\n"


def _properties(facts: Iterable[tuple[str, str]], indent: str) -> str:
    listed = [f"{indent}  <property{_attributes(name=n, value=v)}/>\n" for n, v in facts]
    return f"{indent}<properties>\n{''.join(listed)}{indent}</properties>\n" if listed else ""


def _counts(count: Counter[_Verdict]) -> str:
    return _attributes(
        tests=count.total(), failures=count["failure"], errors=count["error"], skipped=count["skipped"]
    )  # fmt: skip


def _attributes(**named: object) -> str:
    """Controls, which XML cannot say at all, become visible escapes."""
    return "".join(f" {name}={quoteattr(terminal(str(value)))}" for name, value in named.items())
