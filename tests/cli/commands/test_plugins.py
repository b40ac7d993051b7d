import json

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
