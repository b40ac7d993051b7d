"""The hooks: the plugin author's manual.

A plugin is a Python package that names its module under the entry-point group `relightflow`:

    [project.entry-points.relightflow]
    my-plugin = "my_package.plugin"

and in that module implements any of the hooks below with `@hookimpl`:

    from relightflow.plugins.hookspecs import hookimpl
    from relightflow.plugins.records import SinkRecord

    @hookimpl
    def relightflow_sinks():
        return [SinkRecord(name="ftp", summary="Uploads each image", create=make_ftp_sink)]

Importing that module must be cheap, and `create` is where heavy imports belong. A misspelt hook, a
plugin that cannot be imported, and two plugins that bring the same name are told by name. A
notification that raises costs only itself. `relightflow.testing` has the conformance kits.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from relightflow.model.outcome import Outcome
from relightflow.model.recipe import Recipe
from relightflow.plugins.records import (
    BackendRecord,
    CheckRecord,
    ExecutorRecord,
    SinkRecord,
    SourceRecord,
)

GROUP = "relightflow"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def relightflow_sources() -> Iterable[SourceRecord]:  # type: ignore[empty-body]
    """The sources that this plugin brings. Called once, when a command reads a recipe.

    Example: `return [SourceRecord(name="dropbox", summary="A shared folder", create=Dropbox)]`
    """


@hookspec
def relightflow_backends() -> Iterable[BackendRecord]:  # type: ignore[empty-body]
    """The backends that this plugin brings. Called once, when a command reads a recipe.

    Example: `return [BackendRecord(name="studio", summary="Our own", models=(M,), create=Studio)]`
    """


@hookspec
def relightflow_sinks() -> Iterable[SinkRecord]:  # type: ignore[empty-body]
    """The sinks that this plugin brings. Called once, when a command reads a recipe.

    Example: `return [SinkRecord(name="ftp", summary="Uploads each image", create=Ftp)]`
    """


@hookspec
def relightflow_checks() -> Iterable[CheckRecord]:  # type: ignore[empty-body]
    """The checks that this plugin brings. Called once, when a command reads a recipe.

    Example: `return [CheckRecord(name="faces", summary="As many faces as before", create=Faces)]`
    """


@hookspec
def relightflow_executors() -> Iterable[ExecutorRecord]:  # type: ignore[empty-body]
    """The executors that this plugin brings. Called once, when a command reads a recipe.

    Example: `return [ExecutorRecord(name="ray", summary="A Ray cluster", create=Ray)]`
    """


@hookspec
def relightflow_run_started(recipe: Recipe, run_id: str, jobs: int) -> None:
    """A run begins, with so many jobs in its plan. Example: open a ticket."""


@hookspec
def relightflow_job_finished(run_id: str, outcome: Outcome) -> None:
    """A job has its result or has failed. Called on the event loop: be quick."""


@hookspec
def relightflow_run_finished(run_id: str, exit_code: int) -> None:
    """A run is over, however it ended. Example: send a message."""
