"""Options that several commands share, gathered into nouns before a command sees them.

Each decorator adds its options and hands the command one frozen value, so that a command's signature
says what it needs.
"""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from relightflow.cli import types
from relightflow.cli.console import Console
from relightflow.errors import StorageError, UsageError
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import Allowance, SpendLimit
from relightflow.model.summary import Summary
from relightflow.plugins.records import OperatorPolicy
from relightflow.recipe import read_picks
from relightflow.store.state_dir import StateDir, locate

_Function = Callable[..., Any]
_MAX_COST = "RELIGHTFLOW_MAX_COST"
BUDGET = "RELIGHTFLOW_BUDGET"
FILE = click.Path(path_type=Path)
_SHOWN = 8
"""Recipes that a message lists."""


@dataclass(frozen=True, slots=True)
class RecipeArguments:
    """Which recipes, and what the command line changes in them."""

    paths: tuple[Path, ...]
    overrides: tuple[str, ...]
    backend: str


def output(json: bool = True) -> Callable[[_Function], _Function]:
    """`console`: --json and --quiet."""

    def decorate(command: _Function) -> _Function:
        @functools.wraps(command)
        def gathered(*args: Any, quiet: bool, **rest: Any) -> Any:
            as_json = rest.pop("as_json", False)
            return command(*args, console=Console(json=as_json, quiet=quiet), **rest)

        gathered = click.option(
            "--quiet", "-q", is_flag=True, help="Print errors only; JSON is still printed."
        )(gathered)
        if json:
            gathered = click.option(
                "--json", "as_json", is_flag=True, help="Print JSON, one line per recipe."
            )(gathered)
        return gathered

    return decorate


def recipes(command: _Function) -> _Function:
    """`reading`: RECIPE…, --set, --backend."""

    @click.argument("recipe", nargs=-1, type=FILE, metavar="[RECIPE]...")
    @click.option(
        "--set", "overrides", multiple=True, metavar="KEY=VALUE",
        help="Override a field of the recipe, such as limits.concurrency=4. Repeatable.",
    )  # fmt: skip
    @click.option(
        "--backend", default="", metavar="NAME",
        help="Use this backend instead of the recipe's; 'preview' is free.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(
        *args: Any, recipe: tuple[Path, ...], overrides: tuple[str, ...], backend: str, **rest: Any
    ) -> Any:
        reading = RecipeArguments(found_or_only(recipe), overrides, backend)
        return command(*args, reading=reading, **rest)

    return gathered


def selection(command: _Function) -> _Function:
    """`selection`: --only, --limit, --picks."""

    @click.option(
        "--only", multiple=True, callback=types.reads(types.only), metavar="AXIS=VALUE[,VALUE]",
        help="Select cells with one of these values; image=PATTERN selects images. Repeatable.",
    )  # fmt: skip
    @click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="Select the first N outputs."
    )
    @click.option(
        "--picks", type=FILE, metavar="FILE",
        help="Select what was picked in a gallery: a picks file, JSON or CSV.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(
        *args: Any,
        only: tuple[tuple[str, tuple[str, ...]], ...],
        limit: int | None,
        picks: Path | None,
        **rest: Any,
    ) -> Any:
        together: dict[str, tuple[str, ...]] = {}
        for axis, texts in only:
            together[axis] = together.get(axis, ()) + texts
        chosen = read_picks(picks) if picks else None
        selected = Selection(tuple(together.items()), limit, chosen)
        return command(*args, selection=selected, **rest)

    return gathered


def shard(command: _Function) -> _Function:
    """`shard`: --shard."""
    return click.option(
        "--shard", callback=types.reads(types.shard), metavar="K/N",
        help="Make the jobs of one of N shards, with its share of the cap, the budget and the "
        "rate; 'merge' unites and delivers them.",
    )(command)  # fmt: skip


def state(command: _Function) -> _Function:
    """`state`: --state."""
    return click.option(
        "--state", type=FILE, metavar="DIR",
        help="State folder with ledger and results; default: .relightflow in the project."
        " [env: RELIGHTFLOW_STATE]",
    )(command)  # fmt: skip


def store(command: _Function) -> _Function:
    """`store`: the URL of the shared store, empty where there is none."""
    return click.option(
        "--store", default="", envvar="RELIGHTFLOW_STORE", metavar="URL",
        help="Shared store, such as s3://bucket/prefix/: reuse results that other machines "
        "bought. [env: RELIGHTFLOW_STORE]",
    )(command)  # fmt: skip


def operator(command: _Function) -> _Function:
    """`operator`: what a recipe may never say about the network."""

    @store
    @click.option(
        "--store-mode", type=click.Choice(["rw", "r", "off"]), default="rw", show_default=True,
        help="Shared store: read and write (rw), read only (r), unused (off).",
    )  # fmt: skip
    @click.option(
        "--allow-private-network", is_flag=True,
        help="Allow images and results from private and loopback addresses.",
    )  # fmt: skip
    @click.option(
        "--output-host", "output_hosts", multiple=True, metavar="HOST",
        help="Allow downloads of results from this host too. Repeatable.",
    )  # fmt: skip
    @click.option(
        "--offline", is_flag=True,
        help="Make no network requests; use cached images and list missing ones.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(
        *args: Any,
        allow_private_network: bool,
        output_hosts: tuple[str, ...],
        offline: bool,
        store: str,
        store_mode: str,
        **rest: Any,
    ) -> Any:
        store = "" if store_mode == "off" else store
        writes = store_mode == "rw"
        operator = OperatorPolicy(allow_private_network, output_hosts, offline, store, writes)
        return command(*args, operator=operator, **rest)

    return gathered


def spending(command: _Function) -> _Function:
    """`run_options`: the operator's limits and --price."""

    @click.option(
        "--max-cost", callback=types.reads(types.usd), metavar="USD",
        help="Hard cap on what the recipe may cost over all its runs; the lowest of this, "
        f"limits.max_cost and the environment's applies. [env: {_MAX_COST}]",
    )  # fmt: skip
    @click.option(
        "--budget", callback=types.reads(types.budget), metavar="USD/WINDOW",
        help="Limit on what all recipes of the state may spend in any window, such as 20/7d (h, "
        f"d, w); applies in addition to limits.budget and the environment's. [env: {BUDGET}]",
    )  # fmt: skip
    @click.option(
        "--price", callback=types.reads(types.price), metavar="USD",
        help="Highest price of one call, if the model's price is unknown.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(
        *args: Any, max_cost: int | None, budget: Allowance | None, price: int | None, **rest: Any
    ) -> Any:
        caps = {"--max-cost": max_cost, _MAX_COST: _variable(_MAX_COST, types.usd)}
        budgets = {"--budget": budget, BUDGET: _variable(BUDGET, types.budget)}
        limits = [SpendLimit(cap, source) for source, cap in caps.items() if cap is not None]
        limits += [SpendLimit(a.amount, source, a.seconds) for source, a in budgets.items() if a]
        run_options = RunOptions(limits=tuple(limits), price=price)
        return command(*args, run_options=run_options, **rest)

    return gathered


def executor(command: _Function) -> _Function:
    """Adds --executor and --scheduler to the `run_options` of `spending`, which stands above it."""

    @click.option(
        "--executor", default="local", show_default=True, metavar="NAME",
        help="What reads, decodes, uploads, downloads, checks and delivers: threads of this process (local), "
        "or a cluster (dask). Nothing is bought through it.",
    )  # fmt: skip
    @click.option(
        "--scheduler", default="", metavar="ADDRESS",
        help="Address of the cluster's scheduler, such as tcp://host:8786.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(
        *args: Any, executor: str, scheduler: str, run_options: RunOptions, **rest: Any
    ) -> Any:
        run_options = replace(run_options, executor=executor, scheduler=scheduler)
        return command(*args, run_options=run_options, **rest)

    return gathered


def _variable(name: str, parse: Callable[[str], Any]) -> Any:
    """Raises UsageError where it says no amount."""
    text = os.environ.get(name)
    try:
        return None if text is None else parse(text)
    except ValueError as problem:
        raise UsageError(f"{name}: {problem}") from None


def found(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """The recipe files that `given` names: a folder stands for every *.yaml and *.yml in it, sorted.

    Raises UsageError for a folder without any.
    """
    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        inside = _recipes_in(path)
        if not inside:
            raise UsageError(f"{path}: no *.yaml or *.yml file in this folder")
        files += inside
    return tuple(dict.fromkeys(files))


def found_or_only(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """The same; where none is given `recipe.yaml`, or the only recipe in `recipes/`.

    Raises UsageError where neither is there, with the recipes that are.
    """
    if given:
        return found(given)
    near, inside = _recipes_in(Path()), _recipes_in(Path("recipes"))
    default = _default(near, inside)
    if default:
        return (default,)
    there = [shlex.quote(str(path)) for path in (*near, *inside)]
    if not there:
        raise UsageError(
            "no recipe was named, and there is none here; write one with: relightflow init"
        )
    more = f" and {len(there) - _SHOWN:,} more" if len(there) > _SHOWN else ""
    raise UsageError(
        f"no recipe was named, and here are {', '.join(there[:_SHOWN])}{more}; name one: "
        f"{shlex.join(typed())} {there[0]}"
    )


def _default(near: list[Path], inside: list[Path]) -> Path | None:
    """Which of the recipes in the current folder and in `recipes/` is meant where none is named."""
    named = [path for path in near if path.stem == "recipe"]
    if named:
        return named[0]
    return inside[0] if len(inside) == 1 else None


def _recipes_in(folder: Path) -> list[Path]:
    """The *.yaml and *.yml files in a folder, sorted; none where there is no such folder."""
    try:
        files = [path for path in folder.iterdir() if path.suffix.lower() in (".yaml", ".yml")]
    except OSError:
        return []
    return sorted(path for path in files if path.is_file())


def typed() -> tuple[str, ...]:
    """The command as it was typed, so that it can be shown again, with more or as it is."""
    return ("relightflow", *(click.get_current_context().find_root().obj or ()))


def with_next_run(found: Summary, command: Sequence[str]) -> Summary:
    """`found`, where the next thing to type is a run, with `command` for that: this command's recipe and options.
    An empty one: none is proposed."""
    if not found.next_command.startswith("relightflow run "):
        return found
    waits = command and found.next_command.endswith(" --wait") and "--wait" not in command
    return replace(found, next_command=shlex.join([*command, *(["--wait"] if waits else [])]))


def state_dir(recipe: Path | None, state: Path | None, *, may_be_new: bool = False) -> StateDir:
    """The state of `recipe`, or of the recipe that is meant where none is named, or of this folder.

    Raises StorageError where the operator named one that is not there, unless it `may_be_new`: an answer
    about it would be one about nothing."""
    beside = recipe / "recipe.yaml" if recipe and recipe.is_dir() else recipe
    if beside is None:
        inside = _recipes_in(Path("recipes"))
        beside = _default(_recipes_in(Path()), inside[:1])  # all in one folder have one state
    found = locate(beside or Path("recipe.yaml"), state, os.environ)
    if found.named and not may_be_new and not found.root.is_dir():
        raise StorageError(
            f"the state folder {found.root} does not exist: it is not mounted, or its name is wrong. "
            "Nothing is known of what was bought with it"
        )
    return found
