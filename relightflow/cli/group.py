"""`relightflow` itself: knows the names of its commands and loads only the one that is asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from difflib import get_close_matches

import click

from relightflow.cli.table import COMMANDS
from relightflow.errors import UsageError

_PREFIX = "RELIGHTFLOW_"


class Commands(click.Group):
    """A group over the static table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"relightflow.cli.commands.{cmd_name}")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version  # slow, seldom wanted

        try:
            click.echo(f"relightflow {version('relightflow')}")
        except PackageNotFoundError:
            click.echo("relightflow, not installed")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: docs/reference/exit-codes.md. A paid run needs a cap or a budget.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
              help="Show the version and exit.")  # fmt: skip
def relightflow() -> None:
    """Relight images in bulk from YAML recipes.

    relightflow shows the price first, pays for each image at most once, and records what was made
    from what.
    """
    _check_environment(os.environ)


def _check_environment(environ: Mapping[str, str]) -> None:
    """An empty variable of ours is a mistake, such as a CI secret that does not exist, and the limit or
    the place that it was to set would silently be another one. Raises UsageError."""
    empty = sorted(n for n, text in environ.items() if n.startswith(_PREFIX) and not text.strip())
    if empty:
        raise UsageError(
            f"{', '.join(empty)}: the environment variable is set and empty; nothing was sent. Give "
            "it a value or unset it"
        )
