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
NOTE = "<!-- Written by docs/commands.py; change the command's own help instead. -->\n"


def pages() -> dict[str, str]:
    """Every page by its path under docs/reference."""
    commands = {f"commands/{name}.md": _page(name) for name in COMMANDS}
    return {"commands/README.md": _index(), **commands, "exit-codes.md": _exit_codes()}


def _page(name: str) -> str:
    command: click.Command = importlib.import_module(f"relightflow.cli.commands.{name}").command
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join(["relightflow", name, "[OPTIONS]", *(a.metavar or "" for a in arguments)])
    text = inspect.cleandoc(command.help or "")
    rows = [_row(p) for p in command.params if isinstance(p, click.Option)]
    rows.append("| `-h`, `--help` | Show help and exit. |")
    table = "\n".join(["| option | |", "|---|---|", *rows])
    return f"{NOTE}# relightflow {name}\n\n    {usage}\n\n{text}\n\n{table}\n"


def _row(option: click.Option) -> str:
    names = sorted((*option.opts, *option.secondary_opts), key=lambda text: text.startswith("--"))
    value = "" if option.is_flag else f" {option.metavar}"
    shown = ", ".join(f"`{name}{value if name == names[-1] else ''}`" for name in names)
    text = option.help or ""
    if option.show_default:
        text += f" Default: {option.default}."
    return f"| {_cell(shown)} | {_cell(text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _index() -> str:
    rows = [f"| [`{name}`]({name}.md) | {line} |" for name, line in COMMANDS.items()]
    return NOTE + _INDEX + "\n".join(["| command | |", "|---|---|", *rows]) + "\n"


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {code.meaning} |" for code in Exit]
    order = " > ".join(str(int(code)) for code in GRAVEST_FIRST)
    return NOTE + _EXITS.format(
        table="\n".join(["| exit | meaning |", "|---|---|", *rows]), order=order
    )


_INDEX = """# Commands

`RECIPE...` is one or several files; a folder stands for every `*.yaml` and `*.yml` in it, sorted. What
is wrong with one recipe does not hide the verdict on the others, except that `run` starts only when
all are valid. The process ends with the gravest [exit code](../exit-codes.md) of all.

The answer of a command goes to standard output, everything said on the way to standard error. With
`--json` the answer is one JSON document a recipe, each on one line; a recipe that cannot be used gets a
document of kind `error`, so that there are as many lines as recipes. Documents say their `kind` and
`version`; within a version fields are only added. `--quiet` leaves out all but errors and JSON.

On a terminal `run` shows a progress bar, elsewhere now and then a line. `NO_COLOR` is honoured. Names,
server answers and other text from outside are shown with control characters escaped, and in a GitHub
Actions log nothing of them can be taken for a command of the runner.

"""

_EXITS = """# Exit codes

{table}

If several hold, the process ends with the first of

    {order}

and the summary lists all. A traceback is shown for a bug in relightflow only; the process then ends
with 1, and what was paid for is recorded.
"""


def main() -> None:
    for name, text in pages().items():
        path = REFERENCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
