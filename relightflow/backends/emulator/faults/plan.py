"""A fault plan: which call goes wrong, and how; the choice depends on the calls and the seed alone.

The first rule that hits plays; every rule counts all the calls that its `at`, `model`, `api` and
`where` match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from relightflow.backends.emulator.faults.kinds import FaultKind
from relightflow.backends.emulator.provider import EmulatedCall


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a plan."""

    kind: FaultKind
    at: tuple[str, ...]
    nth: tuple[int, ...] = ()
    """Counted from 1 over the calls that match."""
    every: int | None = None
    probability: float | None = None
    limit: int | None = None
    """At most so many times."""
    model: str = ""
    api: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a submit's body, and the values they must have: one cell, one image."""
    options: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, call: EmulatedCall) -> bool:
        return (
            call.phase in self.at
            and (not self.model or call.name == self.model)
            and (not self.api or call.api == self.api)
            and all(call.fields.get(name) == value for name, value in self.where.items())
        )


@dataclass(frozen=True, slots=True)
class FaultPlan:
    rules: tuple[Rule, ...] = ()
    seed: int | None = None
    """None: the emulator's own."""

    @property
    def reads_body(self) -> bool:
        """Whether a body must be read before it is known which rule the call meets."""
        return any(rule.where for rule in self.rules)


class Chooser:
    """Says of each call which rule of the plan it meets. The same calls and seed, the same faults."""

    def __init__(self, plan: FaultPlan, seed: int) -> None:
        seed = seed if plan.seed is None else plan.seed
        self._rules = plan.rules
        self.reads_body = plan.reads_body
        self._seen = [0] * len(plan.rules)
        self._played = [0] * len(plan.rules)
        self._dice = [Random(f"{seed}/{n}") for n in range(len(plan.rules))]  # noqa: S311

    def choose(self, call: EmulatedCall) -> Rule | None:
        chosen = None
        for index, rule in enumerate(self._rules):
            if not rule.matches(call):
                continue
            self._seen[index] += 1
            if self._hits(index, rule) and chosen is None:
                chosen = rule
                self._played[index] += 1
        return chosen

    def _hits(self, index: int, rule: Rule) -> bool:
        count = self._seen[index]
        if rule.limit is not None and self._played[index] >= rule.limit:
            return False
        if rule.nth:
            return count in rule.nth
        if rule.every is not None:
            return count % rule.every == 0
        return rule.probability is None or self._dice[index].random() < rule.probability
