"""Writes docs/reference/commands/ and docs/reference/exit-codes.md from the program itself.

    python docs/commands.py

A test fails where the pages are not what this writes.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import click

from relightflow.cli.table import COMMANDS
from relightflow.errors import GRAVEST_FIRST, Exit

REFERENCE = Path(__file__).parent / "reference"
_HELP = ["-h", "--help"]
NOTE = "<!-- Written by docs/commands.py; change the command's own help instead. -->\n"


def pages() -> dict[str, str]:
    """Every page by its path under docs/reference."""
    commands = {f"commands/{name}.md": _page(name) for name in COMMANDS}
    return {"commands/README.md": _index(), **commands, "exit-codes.md": _exit_codes()}


def _page(name: str) -> str:
    command: click.Command = importlib.import_module(f"relightflow.cli.commands.{name}").command
    context = click.Context(command, info_name=f"relightflow {name}", help_option_names=_HELP)
    page = f"{NOTE}# relightflow {name}\n\n{_about(command, context)}"
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        below = click.Context(inner, context, inner.name, help_option_names=_HELP)
        page += f"\n## {below.command_path}\n\n{_about(inner, below)}"
    return page


def _about(command: click.Command, context: click.Context) -> str:
    """Usage, help and options."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = inspect.cleandoc(command.help or "")
    records = (
        option.get_help_record(context)
        for option in command.get_params(context)
        if isinstance(option, click.Option)
    )
    rows = [row(*record) for record in records if record]
    table = "\n".join(["| option | description |", "|---|---|", *rows])
    return f"    {usage}\n\n{text}\n\n{table}\n"


def row(names: str, text: str) -> str:
    """A table row of what click's help shows of an option: its names, and its text, which ends in
    `  [default: …]` where click adds facts of its own."""
    about, _, facts = text.partition("  [")
    if facts:
        about += f" ({facts.removesuffix(']').replace('x>=', 'at least ')})"
    shown = ", ".join(f"`{name}`" for name in names.split(", "))
    return f"| {_cell(shown)} | {_cell(about)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _index() -> str:
    rows = [f"| [`{name}`]({name}.md) | {line} |" for name, line in COMMANDS.items()]
    return NOTE + _INDEX + "\n".join(["| command | description |", "|---|---|", *rows]) + "\n"


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {code.meaning} |" for code in Exit]
    order = " > ".join(str(int(code)) for code in GRAVEST_FIRST)
    return NOTE + _EXITS.format(
        table="\n".join(["| exit code | meaning |", "|---|---|", *rows]), order=order
    )


_INDEX = """# Commands

`RECIPE...` is one or several files; a folder stands for all `*.yaml` and `*.yml` files in it, sorted. A
problem in one recipe does not hide the results for the others, except that `run` starts only if all recipes
are valid. If several exit codes apply, the command ends with the [most severe one](../exit-codes.md).

A command's result goes to standard output; progress and messages go to standard error. With `--json` the
result is one JSON document per recipe, each on one line. For a recipe that cannot be used the document has
the kind `error`, so there are as many lines as recipes. Every document has a `kind` and a `version`; within a
version, fields are only added. `--quiet` omits everything except errors and JSON.

On a terminal `run` shows a progress bar; elsewhere it prints a line from time to time. `NO_COLOR` is
honoured. Untrusted text, such as names and server responses, is printed with control characters escaped, and
cannot act as a workflow command in a GitHub Actions log.

"""

_EXITS = """# Exit codes

{table}

If several apply, the process ends with the first of

    {order}

and the summary lists all of them. A traceback is printed only for a bug in relightflow; the process then ends
with 1, and what was paid for is recorded.

Where the text for people cannot be written (a closed or full standard output or error, a pipe whose
reader has gone), the work goes on and its exit code stays. Only JSON and schemas that a full disk cuts
short end with 6. With `--json`, errors are printed as JSON too, those of the command line included.
What a plugin prints goes to standard error.
"""


def main() -> None:
    for name, text in pages().items():
        path = REFERENCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
