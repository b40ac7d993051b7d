"""`relightflow plan`: what a run would make and cost, without making anything."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from relightflow import pipeline
from relightflow.cli import opening, options
from relightflow.cli.consent import forecast
from relightflow.cli.console import Console
from relightflow.cli.options import Reading
from relightflow.cli.paying import Paying, committed, paying
from relightflow.errors import Exit, gravest
from relightflow.model.forecast import Forecast
from relightflow.model.plan import Plan, Selection
from relightflow.model.survey import Survey
from relightflow.plan.outputs import outputs
from relightflow.plugins.records import Operator
from relightflow.plugins.registry import Registry
from relightflow.report import json
from relightflow.report import plan as words
from relightflow.store.home import locate


@dataclass(frozen=True, slots=True)
class _Seen:
    plan: Plan
    survey: Survey
    forecast: Forecast


@click.command
@options.recipes
@options.selection
@options.state
@options.operator
@paying
@click.option("--jobs", is_flag=True, help="List every job as a table.")
@click.option("--exit-code", is_flag=True, help="End with 3 where a run would have work to do.")
@options.output()
def command(
    reading: Reading,
    selection: Selection,
    state: Path | None,
    operator: Operator,
    paying: Paying,
    jobs: bool,
    exit_code: bool,
    console: Console,
) -> Exit:
    """Show what a run would make, and its price.

    Nothing is sent, bought or written. With --json, one document a recipe, each on a line.
    """
    registry = opening.registry(console)
    exits = []

    def step(path: Path) -> _Seen:
        return _look(path, registry, reading, selection, state, operator, paying)

    for _, seen in opening.each(reading, console, step):
        if isinstance(seen, Exit):
            exits.append(seen)
            continue
        opening.warn_of(seen.plan.warnings, console)
        _show(seen, jobs, console)
        if exit_code and (seen.survey.work or seen.forecast.calls):
            exits.append(Exit.WORK_TO_DO)
    return gravest(exits)


def _look(
    path: Path,
    registry: Registry,
    reading: Reading,
    selection: Selection,
    state: Path | None,
    operator: Operator,
    paying: Paying,
) -> _Seen:
    recipe = pipeline.load(path, registry, reading.overrides, reading.backend)
    home = locate(path, state, os.environ)
    plan = pipeline.expand(recipe, registry, selection, operator, home)
    survey = pipeline.survey(plan, home)
    terms = paying.terms(recipe)
    return _Seen(plan, survey, forecast(plan, survey, terms, committed(home, plan.recipe.name)))


def _show(seen: _Seen, jobs: bool, console: Console) -> None:
    console.answer(words.plan(seen.plan, seen.survey, seen.forecast, console.columns))
    if jobs:
        console.answer("")
        for line in words.jobs(seen.plan, outputs(seen.plan), console.columns):
            console.answer(line)
    document = json.plan(seen.plan, seen.survey, seen.forecast)
    listed = map(json.output, outputs(seen.plan))
    console.document(json.stream(document, "outputs", listed) if jobs else json.text(document))
