"""YAML → fault plan, checked whole: every problem is told at once, with what would be right.

seed: 7
rules:
  - {at: submit, nth: 3, fault: reset-after-body, with: {billed: true}}
  - {at: [status, result], probability: 0.03, fault: status, with: {code: 502}}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from relightflow.backends.emulator.faults import answer, facts, job, wire
from relightflow.backends.emulator.faults.kinds import ANYWHERE, FAULT_KINDS, FaultKind
from relightflow.backends.emulator.faults.plan import FaultPlan, Rule
from relightflow.errors import UsageError

_SECTIONS = (answer, facts, job, wire)
"""The modules whose faults a plan can name; importing them fills the table."""
_FIELDS = ("at", "nth", "every", "probability", "limit", "model", "api", "where", "fault", "with")


def read(path: Path) -> FaultPlan:
    """The plan in a file. Raises UsageError with everything that is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path}: cannot be read: {problem}") from None
    return parse(text, str(path))


def parse(text: str, name: str = "fault plan") -> FaultPlan:
    """The plan in `text` (YAML). Raises UsageError with everything that is wrong in it."""
    try:
        found = yaml.safe_load(text)
    except yaml.MarkedYAMLError as problem:
        mark: Any = problem.problem_mark or problem.context_mark
        raise UsageError(f"{name}:{mark.line + 1}: not valid YAML") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # a control character, 1e999, [[[[…
        raise UsageError(f"{name}: not valid YAML") from None
    problems: list[str] = []
    if not isinstance(found, dict) or not isinstance(found.get("rules"), list):
        raise UsageError(f"{name}: a plan is a mapping with a list of rules")
    problems += [
        f"{key}: not known; known: seed, rules" for key in found.keys() - {"seed", "rules"}
    ]
    seed = found.get("seed")
    if not isinstance(seed, int | None):
        problems.append(f"seed: {seed!r} is not an integer")
    for index, rule in enumerate(found["rules"]):
        problems += [f"rules[{index}]{problem}" for problem in _problems(rule)]
    if problems:
        raise UsageError("\n".join(f"{name}: {problem}" for problem in problems))
    return FaultPlan(tuple(_rule(rule) for rule in found["rules"]), seed)


def _problems(rule: Any) -> Iterator[str]:
    if not isinstance(rule, dict):
        yield f": {rule!r} is not a mapping"
        return
    for key in rule.keys() - set(_FIELDS):
        yield f".{key}: not known{_near(str(key), _FIELDS)}; known: {', '.join(_FIELDS)}"
    kind = FAULT_KINDS.get(str(rule.get("fault")))
    if kind is None:
        given = str(rule.get("fault", "missing"))
        yield f".fault: {given!r} is not a fault{_near(given, FAULT_KINDS)}; known: {', '.join(sorted(FAULT_KINDS))}"
    yield from _at_problems(rule, kind)
    yield from _when_problems(rule)
    options = rule.get("with") or {}
    if not isinstance(options, dict):
        yield ".with: is not a mapping"
    elif kind is not None and (problem := kind.problem(options)):
        yield f".with.{problem}"


def _at_problems(rule: dict[str, Any], kind: FaultKind | None) -> Iterator[str]:
    at = _listed(rule.get("at"))
    if not at:
        yield f".at: missing; known: {', '.join(ANYWHERE)}"
    for phase in at:
        if phase not in ANYWHERE:
            yield f".at: {phase!r} is not a phase; known: {', '.join(ANYWHERE)}"
        elif kind is not None and phase not in kind.phases:
            yield f".at: {kind.name} cannot happen at {phase}; only at {', '.join(kind.phases)}"
    if rule.get("api") not in (None, "v1", "v2"):
        yield f".api: {rule['api']!r} is not v1 or v2"
    if not isinstance(rule.get("model"), str | None):
        yield f".model: {rule['model']!r} is not a model name"
    where = rule.get("where")
    if not isinstance(where, dict | None):
        yield ".where: is not a mapping of a submit's fields"
    elif where and at != ["submit"]:
        yield ".where: only a submit has fields; at must be submit alone"


def _when_problems(rule: dict[str, Any]) -> Iterator[str]:
    given = [key for key in ("nth", "every", "probability") if key in rule]
    if len(given) > 1:
        yield f".{given[1]}: give only one of nth, every and probability"
    for key in ("nth", "every", "limit"):
        values = _listed(rule.get(key)) if key == "nth" else [rule[key]] if key in rule else []
        for value in values:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                yield f".{key}: {value!r} is not an integer of at least 1"
    chance = rule.get("probability", 0)
    if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
        yield f".probability: {chance!r} is not between 0 and 1"


def _rule(rule: dict[str, Any]) -> Rule:
    return Rule(
        kind=FAULT_KINDS[rule["fault"]],
        at=tuple(_listed(rule["at"])),
        nth=tuple(_listed(rule.get("nth"))),
        every=rule.get("every"),
        probability=rule.get("probability"),
        limit=rule.get("limit"),
        model=rule.get("model") or "",
        api=rule.get("api") or "",
        where=dict(rule.get("where") or {}),
        options=dict(rule.get("with") or {}),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""
