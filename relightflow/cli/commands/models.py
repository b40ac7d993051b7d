"""`relightflow models`: what can be asked of each backend, and models that the operator declares."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import UsageError
from relightflow.plugins import declared as declarations
from relightflow.plugins.declared import DeclaredModel
from relightflow.plugins.registry import Registry, with_project
from relightflow.recipe.reading import read
from relightflow.recipe.tree import value
from relightflow.report import json
from relightflow.report.plugins import price_of
from relightflow.store.trust import check_models

_project = click.option(
    "--project", is_flag=True, help="Of the project's state folder, not of your configuration."
)


@click.group()
def command() -> None:
    """List the models of all backends, or declare one of your own.

    Declared models belong to you and this machine, or to the state of a project on it, never to a recipe: a
    recipe only names them.
    """


@command.command("list")
@params.state
@params.output()
def _list_(state: Path | None, console: Console) -> None:
    """List every model with its price, and the file of each that is declared."""
    registry = _registry(state, console)
    rows = [
        (name, model, registry.declared.get((name, model.name)))
        for name, loaded in registry.backends.items()
        for model in loaded.record.models
    ]
    for name, model, file in rows:
        own = f" (declared for {_whose(file)} in {file})" if file else ""
        console.answer(f"{name}  {model.name}  {price_of(model)}{own}")
    console.document(
        json.text(
            {
                "kind": "models",
                "version": json.VERSION,
                "models": [
                    {
                        "backend": name,
                        "model": m.name,
                        "declared": file is not None,
                        "from": _whose(file) if file else "backend",
                        "file": str(file) if file else None,
                    }
                    for name, m, file in rows
                ],
            }
        )
    )


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_project
@params.state
@params.output()
def add(file: Path, project: bool, state: Path | None, console: Console) -> None:
    """Declare the model that FILE (YAML or JSON) describes.

    FILE names backend, model, the input that takes the image, the price of a call and the parameters.
    Every mistake is reported. A declared model of the same name is replaced, in the same place; one that
    is declared otherwise in the other place is an error.
    """
    where = _folder(project, state)
    found = _checked(file, _registry(state, console), where)
    if project:
        params.state_dir(None, state, may_be_new=True).create()
    path = declarations.add(found, where)
    console.answer(f"{found.backend}: {found.model.name} declared in {path}")
    console.document(
        json.text(
            {
                "kind": "model-added",
                "version": json.VERSION,
                "backend": found.backend,
                "model": found.model.name,
                "file": str(path),
            }
        )
    )


@command.command()
@click.argument("backend")
@click.argument("model")
@_project
@params.state
@params.output()
def remove(backend: str, model: str, project: bool, state: Path | None, console: Console) -> None:
    """Forget a declared model. Results that were made with it stay."""
    for path, found in declarations.declared_models(_folder(project, state)):
        if isinstance(found, DeclaredModel) and (found.backend, found.model.name) == (
            backend,
            model,
        ):
            path.unlink()
            console.answer(f"{backend}: {model} is no longer declared")
            return
    whose = "this project has" if project else "you have"
    raise UsageError(f"{whose} declared no model '{model}' of {backend}; `relightflow models list`")


def _folder(project: bool, state: Path | None) -> Path:
    """Where declared models are, or would be. Raises RefusedError for a state that may not be trusted."""
    if not project:
        return declarations.folder()
    state_dir = params.state_dir(None, state, may_be_new=True)
    if os.path.lexists(state_dir.models):
        check_models(state_dir.models, state_dir.named)
    return state_dir.models


def _registry(state: Path | None, console: Console) -> Registry:
    """With the models of the project here. Raises UsageError, RefusedError."""
    return with_project(opening.registry(console, state), _folder(True, state))


def _whose(file: Path) -> str:
    return "you" if file.parent == declarations.folder() else "the project"


def _checked(file: Path, registry: Registry, where: Path) -> DeclaredModel:
    """The model of `file`, which is to be declared in `where`. Raises UsageError with everything that is
    wrong."""
    node, flaws = read(file.read_text(encoding="utf-8"), str(file))
    if flaws:
        raise UsageError("\n".join(map(str, flaws)))
    given = declarations.with_workflow(value(node), file.parent)
    found, problems = declarations.parse(given)
    if found is None:
        raise UsageError("\n".join(f"{file}: {problem}" for problem in problems))
    record = registry.backend(found.backend)
    if not record.declarable:
        takes = [name for name, one in registry.backends.items() if one.record.declarable]
        raise UsageError(
            f"{file}: backend: {found.backend} takes no declared models; these do: {', '.join(takes)}"
        )
    if where != declarations.folder() and "workflow" in declarations.wire(found.model):
        raise UsageError(f"{file}: workflow: {declarations.WORKFLOW}: add it without --project")
    there = registry.declared.get((found.backend, found.model.name))
    if record.model(found.model.name) and there is None:
        raise UsageError(f"{file}: model: {found.backend} has a model '{found.model.name}' itself")
    if there and there.parent != where and not declarations.declares(there, found):
        raise UsageError(
            f"{file}: {found.backend} has a declared model '{found.model.name}' that differs, for "
            f"{_whose(there)}, in {there}. Remove that one first"
        )
    if record.declares:
        try:
            record.declares(found.model)
        except ValueError as error:
            raise UsageError(f"{file}: {error}") from None
    return found
