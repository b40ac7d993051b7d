from __future__ import annotations

import importlib
import pkgutil

import click
import pytest

from relightflow.cli import commands
from relightflow.cli.table import COMMANDS


def test_every_file_of_a_command_is_in_the_table_and_every_line_has_its_file() -> None:
    files = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert files == {name.replace("-", "_") for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_of_help_is_a_short_sentence(name: str) -> None:
    line = COMMANDS[name]
    assert len(line) <= 80
    assert line[0].isupper()
    assert line.endswith(".")
    module = importlib.import_module(f"relightflow.cli.commands.{name.replace('-', '_')}")
    assert isinstance(module.command, click.Command)
