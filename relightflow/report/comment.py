"""The price of a change as a comment on a pull request: one sentence, a table, the rest folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from relightflow.model.catalog import Price
from relightflow.model.plan import Plan
from relightflow.model.plan_file import PlannedLimit
from relightflow.model.plan_status import PlanStatus
from relightflow.plan.difference import PlanDifference
from relightflow.report.markdown import MarkdownBlock, code, fitted, folded, quoted, row, table
from relightflow.report.text import count, money, price, span

LIMITS = {"github": 60_000, "gitlab": 950_000, "markdown": 30_000}
"""Format → the most characters of a comment: below what GitHub (65,536), GitLab (1,000,000) and, of the
others, Bitbucket Server (32,768) take, with room for what a workflow adds."""


@dataclass(frozen=True, slots=True)
class Comment:
    differences: Sequence[PlanDifference]
    failed: Sequence[tuple[str, str]] = ()
    """(recipe file, problem) of those that cannot be planned."""
    against: str = ""
    """What it is compared with: a commit or a plan file, as the user named it; empty: nothing."""
    warnings: Sequence[str] = ()
    name: str = "default"
    """Tells comments of several workflows apart."""

    @property
    def any(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.failed) or any(found.any for found in self.differences)

    @property
    def price(self) -> Price | None:
        """Of all that is added and must be bought; None: unknown."""
        prices = [found.price for found in self.differences]
        if any(each is None for each in prices):
            return None
        known = [each for each in prices if each]
        return Price(sum(each.low for each in known), sum(each.high for each in known))


def cautions(plan: Plan, plan_status: PlanStatus) -> Iterator[str]:
    """What a run would refuse, or do that a reviewer should know of."""
    name = plan.recipe.name
    if plan.rejected:
        first = plan.rejected[0]
        more = f", and {len(plan.rejected) - 1:,} more" if len(plan.rejected) > 1 else ""
        yield f"{name}: images that cannot be used: {first.name} ({first.reason}){more}"
    if plan_status.new:
        yield from (f"{name}: {said}" for said in plan_status.disclosures)
    if plan_status.elsewhere:
        yield f"{name}: a run would refuse: {plan_status.elsewhere}"
    if plan_status.store_fault:
        yield f"{name}: the shared store could not be read: {plan_status.store_fault}"


def comment(found: Comment, form: str) -> str:
    """The comment in Markdown, within the limit of `form`; see LIMITS. It ends with a hidden marker, by
    which a workflow finds its comment again."""
    marker = f"\n<!-- relightflow:plan:{found.name} -->\n"
    return fitted([*_blocks(found)], LIMITS[form] - len(marker)) + marker


def _blocks(found: Comment) -> Iterator[MarkdownBlock]:
    compared = f"\nCompared with {code(found.against)}.\n" if found.against else ""
    yield MarkdownBlock(f"**{sentence(found)}**\n{compared}")
    for path, problem in found.failed:
        yield MarkdownBlock(
            f"\n{quoted([f'{path} cannot be planned:', '', *problem.splitlines()])}"
        )
    if found.differences:
        head = ("recipe", "backend", "added", "removed", "kept", "to buy", "price", "cap")
        rows = [_row(each) for each in found.differences]
        yield MarkdownBlock(table(head, 6) + (_total(found) if len(rows) > 1 else ""), rows)
    warnings = (
        *found.warnings,
        *(f"{d.plan.recipe}: {d.note}" for d in found.differences if d.note),
    )
    if warnings:
        yield MarkdownBlock("\n", [quoted([line]) + ">\n" for line in warnings])
    for each in found.differences:
        yield from _details(each, bool(found.against))


def sentence(found: Comment) -> str:
    """What the change costs, in one sentence without any untrusted text."""
    differences = found.differences
    if not differences:
        return "no price: no recipe can be planned"
    new, reused, collect, unknown, removed = (
        sum(getattr(each, name) for each in differences)
        for name in ("new", "reused", "collect", "unknown", "removed")
    )
    if found.against and not found.any:
        return "+ 0.00 USD: no job is added or removed"
    parts = [f"{count(new, 'new job')}", f"{reused:,} reused", f"{unknown:,} in doubt"]
    parts += [f"{collect:,} to collect"] if collect else []
    parts += [f"{removed:,} removed"] if removed else []
    cost = _plus(found.price)
    caps = {_cap(each.plan.limits) for each in differences}
    cap = f"; cap {caps.pop()}" if len(caps) == 1 and caps != {""} else ""
    failed = f"; {count(len(found.failed), 'recipe')} cannot be planned" if found.failed else ""
    return f"{cost}: {', '.join(parts)}{cap}{failed}"


def _plus(found: Price | None) -> str:
    if found is None:
        return "price unknown"
    return "+ 0.00 USD" if found.free else f"+ {price(found)}"


def _row(found: PlanDifference) -> str:
    plan = found.plan
    backend = plan.backend if plan.backend == plan.model else f"{plan.backend} {plan.model}"
    if plan.backends:
        backend = ", ".join(each.label for each in plan.backends)
    return row(
        code(plan.recipe), code(backend), f"{found.added:,}", f"{found.removed:,}", f"{found.kept:,}",
        f"{found.new:,}", _cost(found), _cap(plan.limits) or "none",
    )  # fmt: skip


def _cost(found: PlanDifference) -> str:
    """Nothing is only free where every call is."""
    paid = any(each.call is None or not each.call.free for each in found.plan.each_backend)
    return money(0) if paid and not found.new else price(found.price)


def _total(found: Comment) -> str:
    names = ("added", "removed", "kept", "new")
    sums = (f"**{sum(getattr(d, name) for d in found.differences):,}**" for name in names)
    return f"| **total** |  | {' | '.join(sums)} | **{_plus(found.price)}** |  |\n"


def _cap(limits: Sequence[PlannedLimit]) -> str:
    lowest = min(limits, key=lambda limit: limit.amount, default=None)
    if lowest is None:
        return ""
    window = f" in {span(lowest.window)}" if lowest.window else ""
    return f"{money(lowest.amount)}{window}"


def _details(found: PlanDifference, compared: bool) -> Iterator[MarkdownBlock]:
    """Which images and which values of the axes change."""
    plan = found.plan
    if not found.any:
        return
    new = " (new recipe)" if compared and not found.known and not found.note else ""
    jobs = f"{count(found.added, 'job')} added, {found.removed:,} removed"
    for what, changes in (("value", found.values), ("image", found.images)):
        if changes:
            before, after = folded(f"{plan.recipe}{new}: {jobs}, by {what}")
            rows = [row(code(one.name), f"{one.added:,}", f"{one.removed:,}") for one in changes]
            yield MarkdownBlock(before + table((what, "added", "removed"), 2), rows, after)
