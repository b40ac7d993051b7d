import json
from pathlib import Path

from tests.cli.program import Relightflow


def test_the_built_ins_are_listed_with_where_they_come_from(relightflow: Relightflow) -> None:
    lines = [line.split()[:3] for line in relightflow("plugins").stdout.splitlines()]
    assert ["backend", "preview", "relightflow"] in lines
    assert ["source", "glob", "relightflow"] in lines
    assert ["sink", "directory", "relightflow"] in lines


def test_plugins_for_programs(relightflow: Relightflow) -> None:
    found = json.loads(relightflow("plugins", "--json").stdout)
    assert "preview" in [backend["name"] for backend in found["backends"]]
    assert found["left_out"] == []


def test_a_new_plugin_is_of_the_kind_that_was_asked_for(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    made = relightflow("plugins", "new", "tray", "--kind", "source")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "relightflow-tray/src/relightflow_tray/source.py").is_file()
    wrong = relightflow("plugins", "new", "tray", "--kind", "sauce")
    assert wrong.returncode == 2
    assert "source" in wrong.stderr
