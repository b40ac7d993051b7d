"""`relightflow models`: what can be asked of each backend, and models that the operator declares."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import UsageError
from relightflow.plugins import declared as declarations
from relightflow.plugins.declared import DeclaredModel
from relightflow.plugins.registry import Registry
from relightflow.recipe.reading import read
from relightflow.recipe.tree import value
from relightflow.report import json
from relightflow.report.plugins import price_of


@click.group()
def command() -> None:
    """List the models of all backends, or declare one of your own.

    Declared models belong to you and this machine, never to a recipe: a recipe only names them.
    """


@command.command("list")
@params.output()
def _list_(console: Console) -> None:
    """List every model with its price."""
    registry = opening.registry(console)
    rows = [
        (name, model)
        for name, loaded in registry.backends.items()
        for model in loaded.record.models
    ]
    mine = _mine()
    for name, model in rows:
        own = " (declared)" if (name, model.name) in mine else ""
        console.answer(f"{name}  {model.name}  {price_of(model)}{own}")
    console.document(
        json.text(
            {
                "kind": "models",
                "version": json.VERSION,
                "models": [
                    {"backend": name, "model": m.name, "declared": (name, m.name) in mine}
                    for name, m in rows
                ],
            }
        )
    )


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@params.output()
def add(file: Path, console: Console) -> None:
    """Declare the model that FILE (YAML or JSON) describes.

    FILE names backend, model, the input that takes the image, the price of a call and the parameters.
    Every mistake is reported. A declared model of the same name is replaced.
    """
    registry = opening.registry(console)
    found = _checked(file, registry)
    path = declarations.add(found, declarations.folder())
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
@params.output()
def remove(backend: str, model: str, console: Console) -> None:
    """Forget a declared model. Results that were made with it stay."""
    for path, found in declarations.declared_models(declarations.folder()):
        if isinstance(found, DeclaredModel) and (found.backend, found.model.name) == (
            backend,
            model,
        ):
            path.unlink()
            console.answer(f"{backend}: {model} is no longer declared")
            return
    raise UsageError(f"{backend} has no declared model '{model}'; `relightflow models list`")


def _mine() -> set[tuple[str, str]]:
    """(backend, model) of everything that is declared."""
    return {
        (found.backend, found.model.name)
        for _, found in declarations.declared_models(declarations.folder())
        if isinstance(found, DeclaredModel)
    }


def _checked(file: Path, registry: Registry) -> DeclaredModel:
    """The model of `file`. Raises UsageError with everything that is wrong."""
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
    if record.model(found.model.name) and (found.backend, found.model.name) not in _mine():
        raise UsageError(f"{file}: model: {found.backend} has a model '{found.model.name}' itself")
    if record.declares:
        try:
            record.declares(found.model)
        except ValueError as error:
            raise UsageError(f"{file}: {error}") from None
    return found
