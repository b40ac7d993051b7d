import importlib

import click
import pytest
from click.testing import CliRunner

from relightflow.cli.group import relightflow as group
from relightflow.cli.table import COMMANDS
from tests.cli.program import Relightflow, loaded

HEAVY = {"aiohttp", "numpy", "PIL", "obstore", "rich", "jsonschema"}
"""What a command that only reads must never load; jsonschema and rich come late as well."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_and_begins_with_its_line(name: str) -> None:
    command = importlib.import_module(f"relightflow.cli.commands.{name}").command
    assert isinstance(command, click.Command)
    assert (command.help or "").split("\n\n")[0].replace("\n", " ") == COMMANDS[name]


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_h_works_everywhere(arguments: list[str]) -> None:
    result = CliRunner().invoke(group, [*arguments, "-h"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


def test_help_lists_every_command() -> None:
    lines = CliRunner().invoke(group, ["--help"]).output.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line.split()]
    assert set(COMMANDS) <= set(listed)


def test_help_loads_no_command_and_nothing_heavy() -> None:
    names = loaded("--help")
    assert not names & (HEAVY | {"yaml", "pluggy", "asyncio", "sqlite3"})
    assert not any(name.startswith("relightflow.cli.commands") for name in names)


def test_naming_the_plugins_loads_none_of_their_parts() -> None:
    parts = {"relightflow.gallery.entries", "relightflow.executors.dask"}
    assert not loaded("plugins") & (parts | {"relightflow.model.maintenance"})


def test_a_command_that_is_misspelt_is_told_the_nearest(relightflow: Relightflow) -> None:
    done = relightflow("statis")
    assert done.returncode == 2
    assert done.stderr.startswith("error: No such command 'statis'. Did you mean 'status'?\n")


def test_an_unknown_option_ends_with_2(relightflow: Relightflow) -> None:
    assert relightflow("status", "--jsn").returncode == 2


def test_no_command_shows_help(relightflow: Relightflow) -> None:
    done = relightflow()
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: ")
    assert "Commands:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_of_ours_is_an_error(relightflow: Relightflow, value: str) -> None:
    for name in ("RELIGHTFLOW_MAX_COST", "RELIGHTFLOW_STATE", "RELIGHTFLOW_STORE"):
        done = relightflow("status", env={name: value})
        assert done.returncode == 2
        assert f"{name}: the environment variable is set and empty" in done.stderr
