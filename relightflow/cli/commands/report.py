"""`relightflow report`: a gallery of recipes and manifests, to look, compare and pick."""

from __future__ import annotations

import os
import time
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import github, opening, params
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.deliver.run_folder import MANIFEST
from relightflow.errors import Exit, UsageError
from relightflow.gallery.run import Full, GalleryRun, ListPrice
from relightflow.model.plan import Selection
from relightflow.plugins.opening import open_sources
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.report import escape, json
from relightflow.report.text import count, duration
from relightflow.store.state_dir import StateDir, locate


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What only `report` can be told."""

    out: Path
    failed: bool
    thumbs: int
    full: Full | None
    as_zip: bool
    open_page: bool
    price_with: str
    overwrite: bool


@click.command
@click.argument("recipe", nargs=-1, type=params.FILE, metavar="[RECIPE|MANIFEST]...")
@click.option(
    "-o", "--out", type=params.FILE, default="report", show_default=True, metavar="DIR",
    help="Where the gallery goes.",
)  # fmt: skip
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="Override a field of the recipe. Repeatable.",
)  # fmt: skip
@click.option("--backend", default="", metavar="NAME", help="Show this backend's results instead.")
@params.selection
@params.state
@click.option("--failed", is_flag=True, help="Select cells without a result.")
@click.option(
    "--thumbs", type=click.IntRange(64, 1024), default=256, show_default=True, metavar="PIXELS",
    help="Long side of a thumbnail.",
)  # fmt: skip
@click.option(
    "--full", type=click.Choice(["link", "copy", "none"]), metavar="HOW",
    help="Full images: link (to the local files), copy (to publish the gallery) or none."
    "  [default: link; copy with --zip]",
)  # fmt: skip
@click.option("--zip", "as_zip", is_flag=True, help="Write one file, DIR.zip.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--price-with", default="", metavar="BACKEND",
    help="Show what the picks would cost with this backend, or BACKEND/MODEL.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["html", "github"]), default="html", show_default=True,
    metavar="FORMAT", help="html: a page. github: print what the last run came to, for a step's "
    "summary, and annotations to standard error.",
)  # fmt: skip
@click.option(
    "--link", default="", metavar="URL", help="With --format github: a link to the results."
)
@click.option("--overwrite", is_flag=True, help="Replace an index.html that is not a gallery.")
@params.output()
def command(
    recipe: tuple[Path, ...],
    overrides: tuple[str, ...],
    backend: str,
    selection: Selection,
    state: Path | None,
    form: str,
    link: str,
    console: Console,
    **options: object,
) -> Exit | None:
    """Write a page for viewing, comparing and picking results.

    Each RECIPE is shown as it stands now, each MANIFEST (a manifest.jsonl, or a folder that holds
    one) as it was written; several are shown together, as one more axis. Makes no network requests
    and buys nothing. The page works from the disk: docs/how-to/pick.md says how to use it.

    With --format github, prints what the last run of each RECIPE came to as Markdown, at most 900 kB.
    """
    if form == "github":
        return _github(_found(recipe), overrides, backend, state, link, console)
    from relightflow.report import gallery  # deferred: it loads Pillow

    reading = RecipeArguments(_found(recipe), overrides, backend)
    wishes = _Wishes(**options)  # type: ignore[arg-type]  # click hands over exactly these options
    registry = opening.registry(console, state)
    wanted = gallery.ImageRequest(
        out=Path(f"{wishes.out}.zip") if wishes.as_zip else wishes.out,
        full=wishes.full or ("copy" if wishes.as_zip else "link"),
        thumbs=wishes.thumbs,
        as_zip=wishes.as_zip,
        only=selection.only,
        failed=wishes.failed,
        price=_price(registry, wishes.price_with),
        overwrite=wishes.overwrite,
    )
    with ExitStack() as stack:
        shown = _Shown(registry, reading, selection, state, stack)
        runs = [
            shown.manifest(path) if _is_manifest(path) else shown.recipe(path)
            for path in reading.paths
        ]
        if len(runs) == 1 and not _is_manifest(reading.paths[0]):
            wanted = replace(wanted, file=str(reading.paths[0]))
        made = gallery.write(runs, wanted, shown.cache, _progress(console))
    console.say(f"{count(made.cells, 'cell')}, {count(made.images, 'image')}")
    console.answer(escape.terminal(str(made.page)))
    console.document(json.text(json.gallery(made.page, made.cells, made.images)))
    if wishes.open_page and not wishes.as_zip:
        webbrowser.open(made.page.as_uri())
    return None


def _github(
    paths: tuple[Path, ...],
    overrides: tuple[str, ...],
    backend: str,
    state: Path | None,
    link: str,
    console: Console,
) -> Exit:
    reading = RecipeArguments(paths, overrides, backend)
    return github.write(reading, state, link, opening.registry(console, state), console)


@dataclass(slots=True)
class _Shown:
    """Opens what is to be shown; the sources stay open until `stack` closes."""

    registry: Registry
    reading: RecipeArguments
    selection: Selection
    state: Path | None
    stack: ExitStack
    cache: Path | None = None
    """Where thumbnails are kept: in the first state folder that there is."""

    def recipe(self, path: Path) -> GalleryRun:
        from relightflow.report import gallery

        recipe = api.load(path, self.registry, self.reading.overrides, self.reading.backend)
        state_dir = self._state_dir(path)
        operator = OperatorPolicy(offline=True)
        plan = api.plan(recipe, self.registry, self.selection, operator, state_dir)
        cache = state_dir.cache if state_dir.cache.is_dir() else None
        sources = self.stack.enter_context(open_sources(recipe, self.registry, operator, cache))
        return gallery.run_of_recipe(plan, sources, self.registry, state_dir)

    def manifest(self, path: Path) -> GalleryRun:
        from relightflow.report import gallery

        if self.selection.picks or self.selection.limit:
            raise UsageError("--picks and --limit select from a recipe; a manifest is shown whole")
        file = path / MANIFEST if path.is_dir() else path
        return gallery.run_of_manifest(file, self._state_dir(file))

    def _state_dir(self, path: Path) -> StateDir:
        found = locate(path, self.state, os.environ)
        if self.cache is None and found.cache.is_dir():
            self.cache = found.cache / "thumbnails"
        return found


def _is_manifest(path: Path) -> bool:
    return path.suffix == ".jsonl" or (path / MANIFEST).is_file()


def _found(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Manifests as they are, and recipes as other commands take them."""
    paths: list[Path] = []
    for path in given or params.found_or_only(()):
        paths += (path,) if _is_manifest(path) else params.found((path,))
    return tuple(dict.fromkeys(paths))


def _price(registry: Registry, named: str) -> ListPrice | None:
    """The list price of BACKEND or BACKEND/MODEL. Raises UsageError for one that is unknown."""
    if not named:
        return None
    backend, _, name = named.partition("/")
    record = registry.backend(backend)
    model = record.model(name) if name else record.models[0]
    if model is None:
        known = ", ".join(model.name for model in record.models)
        raise UsageError(
            f"--price-with {named}: {backend} has no model of this name; models: {known}"
        )
    if model.price is None or model.by_size:
        why = "depends on the size of each image" if model.by_size else "is unknown"
        raise UsageError(f"--price-with {named}: the price of {model.name} {why}")
    return ListPrice(backend, model.name, model.price.low, model.price.high)


def _progress(console: Console) -> Callable[[int, int], None]:
    """Says how long thumbnails take, where that is more than a moment."""
    started = last = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < 2 or done == of:
            return
        last = now
        left = (now - started) / done * (of - done)
        console.say(f"{done:,} of {of:,} thumbnails made, {duration(left)} left")

    return progress
