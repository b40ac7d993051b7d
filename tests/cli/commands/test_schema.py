import json

import pytest
from jsonschema import Draft7Validator

from tests.cli.program import Relightflow


@pytest.mark.parametrize("part", ["recipe", "manifest", "summary", "picks", "plan"])
def test_every_schema_is_printed_and_is_one(relightflow: Relightflow, part: str) -> None:
    Draft7Validator.check_schema(json.loads(relightflow("schema", "--part", part).stdout))


def test_the_recipe_s_schema_is_the_default(relightflow: Relightflow) -> None:
    assert "matrix" in json.loads(relightflow("schema").stdout)["properties"]


def test_another_part_is_refused(relightflow: Relightflow) -> None:
    assert relightflow("schema", "--part", "nosuch").returncode == 2
