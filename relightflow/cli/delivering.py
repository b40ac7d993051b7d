"""Delivers what a state has and buys nothing, for the commands that do so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import Exit, RelightflowError
from relightflow.model.plan import Plan
from relightflow.model.run_options import RunOptions
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.report import json, progress
from relightflow.report.summary import summary as words
from relightflow.store.state_dir import StateDir


def deliver_stored(
    plan: Plan,
    registry: Registry,
    state_dir: StateDir,
    operator: OperatorPolicy,
    console: Console,
    missing: Exit,
    overwrite: bool = False,
    next_run: Sequence[str] = (),
) -> Exit:
    """How it went, told and returned. `missing`: what it ends with where a job has no result; `next_run`: the
    words of the run that makes those, to be shown. Empty: none is proposed."""
    options = RunOptions(collect_only=True, missing=missing, overwrite=overwrite)
    opening.warn_of(plan.warnings, console)
    watch = progress.silent() if console.quiet else progress.plain(plan.recipe.name, console.say)
    try:
        api.check_complete(plan)
        with watch as callbacks:
            found = asyncio.run(api.run(plan, registry, state_dir, options, operator, callbacks))
    except RelightflowError as problem:
        opening.tell(plan.recipe.path, problem, console)
        return problem.exit_code
    found = params.with_next_run(found, next_run)
    say = console.issue if found.issues else console.answer
    say(words(found, console.columns, str(Path.cwd())))
    console.document(json.text(json.summary(found)))
    return found.exit
