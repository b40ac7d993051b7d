"""`relightflow plan`: what a run would make and cost, without making anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from relightflow import api
from relightflow.cli import opening, params, streams, types
from relightflow.cli.against import Baseline
from relightflow.cli.console import Console, error
from relightflow.cli.params import RecipeArguments
from relightflow.cli.types import reads, usd
from relightflow.errors import Exit, RelightflowError, StorageError, UsageError, gravest
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.money import Micros
from relightflow.model.plan import Plan, Selection, Shard
from relightflow.model.plan_file import PlanFile, PlannedRequest, RecipePlan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.planned_output import PlannedOutput
from relightflow.model.recipe import Recipe
from relightflow.model.run_options import RunOptions
from relightflow.plan import file as plan_file
from relightflow.plan.chained import chained, manifests
from relightflow.plan.difference import PlanDifference
from relightflow.plan.planned import path_in_project, recipe_plan
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.report import consent as asking
from relightflow.report import json
from relightflow.report import plan as words
from relightflow.report import plan_file as file_words
from relightflow.report.comment import LIMITS, Comment, cautions, comment
from relightflow.run.limits.spend import with_recipe_limits
from relightflow.run.plan_status import open_view
from relightflow.run.plan_status import plan_status as status_of
from relightflow.run.restoring import open_state_reader
from relightflow.store.atomic import write_atomic
from relightflow.store.state_dir import StateDir, locate

_SHOW = Path("show")
"""`relightflow plan show FILE…`"""


@dataclass(frozen=True, slots=True)
class _PlannedRecipe:
    plan: Plan
    plan_status: PlanStatus
    estimate_cost: CostEstimate
    request: PlannedRequest
    state_dir: StateDir
    chained: bool = False
    """It goes on from what an earlier recipe of the command has still to make."""

    @property
    def record(self) -> RecipePlan:
        """As a plan file has it."""
        return recipe_plan(self.plan, self.plan_status, self.estimate_cost, self.request)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says of every recipe."""

    registry: Registry
    reading: RecipeArguments
    selection: Selection
    state: Path | None
    operator: OperatorPolicy
    run_options: RunOptions


@click.command
@params.recipes
@params.selection
@params.shard
@params.state
@params.operator
@params.spending
@params.executor
@click.option(
    "--jobs",
    is_flag=True,
    help="List every output: what would be done about it and why, and its file.",
)
@click.option(
    "-o", "--out", type=params.FILE, metavar="FILE",
    help="Write the plan to a file, for review and for 'relightflow apply'.",
)  # fmt: skip
@click.option(
    "--against", default="", metavar="COMMIT|FILE",
    help="Show the difference to a commit of git, such as origin/main, or to a plan file.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(tuple(LIMITS)), metavar="FORMAT",
    help="Print a comment for a pull request: github, gitlab or markdown.",
)  # fmt: skip
@click.option("--skip-no-diff", is_flag=True, help="Print no comment if nothing differs.")
@click.option(
    "--comment-above", callback=reads(usd), metavar="USD",
    help="Print no comment if the price is not above this.",
)  # fmt: skip
@click.option(
    "--comment-name", default="default", show_default=True, metavar="NAME",
    callback=reads(types.slug), help="Name in the comment's hidden marker.",
)  # fmt: skip
@click.option(
    "--fail-above", callback=reads(usd), metavar="USD",
    help="End with exit code 9 if what is to be bought costs more than this.",
)  # fmt: skip
@click.option("--exit-code", is_flag=True, help="End with exit code 3 if there is work to do.")
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    shard: Shard | None,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
    jobs: bool,
    out: Path | None,
    exit_code: bool,
    console: Console,
    **wishes: Any,
) -> Exit:
    """Show what a run would make, and its price.

    Nothing is bought, and nothing is written but the file of -o and a cache of downloads. With --json,
    prints one document per recipe, one per line. Where no RECIPE is named it is recipe.yaml, or the only
    recipe in recipes/. `relightflow plan show FILE` shows a plan file, and says whether
    it is stale.
    """
    if shard and (out or wishes["against"] or wishes["form"]):
        why = "plan files and comparisons are of the whole plan; --shard belongs to apply"
        raise UsageError(why)
    selection, registry = replace(selection, shard=shard), opening.registry(console, state)
    asked = _Asked(registry, reading, selection, state, operator, run_options)
    if reading.paths[0] == _SHOW:
        return _show_files(reading.paths[1:], asked, console)
    wanted = _ChangeFlags(**wishes)
    exits = []
    planned: list[_PlannedRecipe] = []
    with ExitStack() as stack:
        changes = _Changes(asked, wanted, stack, bool(out))
        for _, seen in opening.each(reading, console, lambda path: changes.look(path)):
            if isinstance(seen, Exit):
                exits.append(seen)
                continue
            planned.append(seen)
            opening.warn_of(seen.plan.warnings, console)
            found = changes.found(seen)
            if not wanted.form:
                listed = partial(
                    api.output_actions, seen.plan, asked.registry, operator, seen.state_dir
                )
                _show(seen, found, listed if jobs else None, console)
            if any(item.passing for item in seen.plan.described.rejected):
                exits.append(Exit.EARLY)
            if exit_code and (seen.plan_status.work or seen.estimate_cost.calls):
                exits.append(Exit.WORK_TO_DO)
    if any(seen.chained for seen in planned):
        console.answer(words.together([seen.estimate_cost for seen in planned]))
    exits += _shared_files(planned, asked, console)
    if out and not {*exits} - {Exit.WORK_TO_DO}:
        _write(out, planned, console)
    if wanted.form and wanted.commented(changes.comment):
        console.answer(comment(changes.comment, wanted.form).rstrip())
    if wanted.too_dear(changes.comment):
        error(asking.too_dear(changes.comment.price, wanted.fail_above or 0))
        exits.append(Exit.REFUSED)
    return gravest(exits)


@dataclass(frozen=True, slots=True)
class _ChangeFlags:
    """What `plan` can be told about the difference and the comment."""

    against: str
    form: str | None
    skip_no_diff: bool
    comment_above: Micros | None
    comment_name: str
    fail_above: Micros | None

    def commented(self, found: Comment) -> bool:
        if found.failed:
            return True
        if self.skip_no_diff and not found.any:
            return False
        above, total = self.comment_above, found.price
        return above is None or total is None or total.high > above

    def too_dear(self, found: Comment) -> bool:
        """An unknown price is dearer than any."""
        if self.fail_above is None or not found.differences:
            return False
        return found.price is None or found.price.high > self.fail_above


@dataclass(slots=True)
class _Changes:
    """The recipes of the command, compared one after the other."""

    asked: _Asked
    wanted: _ChangeFlags
    stack: ExitStack
    writes: bool
    """Whether a plan file is asked for."""
    differences: list[PlanDifference] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    earlier: list[Plan] = field(default_factory=list)
    """Plans of the recipes before, for those that go on from what they make."""
    _baseline: Baseline | None = None

    def look(self, path: Path) -> _PlannedRecipe:
        alone = bool(self.wanted.against or self.wanted.form or self.writes)
        try:
            seen = _look(path, self.asked, () if alone else self.earlier)
        except RelightflowError as problem:
            self.failed.append((str(path), str(problem)))
            raise
        self.earlier.append(seen.plan)
        return seen

    def found(self, seen: _PlannedRecipe) -> PlanDifference | None:
        """The difference of one recipe; None where nobody asked. Raises UsageError."""
        wanted, asked = self.wanted, self.asked
        if not wanted.against and not wanted.form and wanted.fail_above is None:
            return None
        before, note = None, ""
        if wanted.against:
            if self._baseline is None:
                self._baseline = Baseline(
                    wanted.against, asked.registry, asked.operator, self.stack
                )
            before, note = self._baseline.before(
                seen.plan.recipe.path, seen.request, asked.selection, seen.state_dir
            )
        made = api.compare_plans(
            seen.plan, seen.record, before, seen.state_dir, asked.operator, note
        )
        self.differences.append(made)
        self.warnings += dict.fromkeys(
            (*seen.plan.warnings, *cautions(seen.plan, seen.plan_status))
        )
        return made if wanted.against else None

    @property
    def comment(self) -> Comment:
        return Comment(
            self.differences, self.failed, self.wanted.against, self.warnings,
            self.wanted.comment_name,
        )  # fmt: skip


def _planned(
    recipe: Recipe, state_dir: StateDir, asked: _Asked, earlier: Sequence[Plan]
) -> tuple[Plan, bool]:
    """The recipe's plan; on what `earlier` recipes of the command will have made, where a manifest that it
    reads is not there yet, and whether that is so. Raises what `api.plan` raises."""
    try:
        plan = api.plan(
            recipe, asked.registry, asked.selection, asked.operator, state_dir, asked.run_options
        )
    except UsageError:
        found = None
        if any(not os.path.lexists(path) for path in manifests(recipe)):
            found = chained(recipe, earlier, asked.selection)
        if found is None:
            raise
        return found, True
    return plan, False


def _look(path: Path, asked: _Asked, earlier: Sequence[Plan]) -> _PlannedRecipe:
    registry, operator = asked.registry, asked.operator
    recipe = api.load(path, registry, asked.reading.overrides, asked.reading.backend)
    state_dir = locate(path, asked.state, os.environ)
    plan, follows = _planned(recipe, state_dir, asked, earlier)
    with open_state_reader(state_dir) as state:
        plan_status = status_of(plan, state, open_view(recipe, operator))
        missing = plan_status.done < plan_status.jobs
        plan_status = replace(
            plan_status,
            disclosures=api.disclosures(plan, registry),
            elsewhere=api.bought_elsewhere(plan, registry, operator, state) if missing else "",
        )
        options = with_recipe_limits(asked.run_options, recipe)
        estimate = api.estimate_cost(plan, plan_status, options, state, operator)
    reading, selection = asked.reading, asked.selection
    request = PlannedRequest(
        path_in_project(path),
        reading.overrides,
        reading.backend,
        tuple(sorted(selection.only)),
        selection.limit,
        selection.picks.sha256 if selection.picks else "",
    )
    return _PlannedRecipe(plan, plan_status, estimate, request, state_dir, follows)


def _show(
    seen: _PlannedRecipe,
    changed: PlanDifference | None,
    planned: Callable[[], Iterator[PlannedOutput]] | None,
    console: Console,
) -> None:
    """`planned`: what would be done about each output; None: nobody asked."""
    console.answer(words.plan(seen.plan, seen.plan_status, seen.estimate_cost, console.columns))
    if changed:
        console.answer(words.changed(changed, console.columns))
    if planned and not console.json:
        console.answer("")
        for line in words.jobs(seen.plan, planned(), console.columns):
            if streams.unread():
                break
            console.answer(line)
    document = json.plan(seen.plan, seen.plan_status, seen.estimate_cost)
    if changed:
        document["difference"] = json.difference(changed)
    if console.json:
        listed = planned and map(json.planned_output, planned())
        text = json.stream(document, "outputs", listed) if listed else json.text(document)
        console.document(text)


def _shared_files(
    planned: list[_PlannedRecipe], asked: _Asked, console: Console
) -> tuple[Exit, ...]:
    """The exit code where a run would refuse to write what another sink writes."""
    places = [(seen.plan, seen.state_dir) for seen in planned]
    try:
        api.check_places(places, asked.registry, asked.operator)
    except RelightflowError as problem:
        opening.tell(Path(), problem, console)
        return (problem.exit_code,)
    return ()


def _write(out: Path, planned: list[_PlannedRecipe], console: Console) -> None:
    """Write the plan file. Raises StorageError."""
    data = plan_file.encode(tuple(seen.record for seen in planned))
    try:
        write_atomic(out.absolute().parent, out.name, data, durable=False)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}") from error
    console.say(f"plan written to {out}; 'relightflow apply {out}' buys exactly this")


def _show_files(paths: tuple[Path, ...], asked: _Asked, console: Console) -> Exit:
    if not paths:
        raise UsageError("name the plan file: relightflow plan show FILE")
    for path in paths:
        file = plan_file.read(path)
        stale = list(_stale(file, asked))
        for line in file_words.plan_file(file, stale, console.columns):
            console.answer(line)
        document = {"kind": "plan-file", "sha256": file.sha256, "stale": stale}
        plans = map(plan_file.document, file.plans)
        console.document(json.stream(document, "plans", plans))
    return Exit.OK


def _stale(file: PlanFile, asked: _Asked) -> Iterator[str]:
    """For each plan of the file what differs by now, in words; a plan can be shown whatever differs."""
    for planned in file.plans:
        try:
            found = api.compare(
                planned, file, asked.registry, asked.operator, asked.run_options, asked.state
            )
        except RelightflowError as problem:
            yield f"cannot be compared with what there is now: {problem}"
        else:
            yield file_words.stale(found.drift)
