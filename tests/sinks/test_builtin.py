from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from relightflow.core.project import Project
from relightflow.recipe.paths import outside
from relightflow.recipe.schema import part
from relightflow.sinks import builtin

RECORDS = {record.name: record for record in builtin.relightflow_sinks()}


PROJECT = Project(Path("/shop/recipes"), Path("/shop"), ".git")


def valid(sink: str, **options: object) -> bool:
    schema = part(RECORDS[sink])
    data = {"type": sink, **options}
    return jsonschema.Draft7Validator(schema).is_valid(data) and not [
        *outside(data, schema, PROJECT)
    ]


LOCAL = [name for name in RECORDS if name != "s3"]


@pytest.mark.parametrize("name", LOCAL)
def test_a_path_inside_the_project_is_allowed(name: str) -> None:
    for path in ("out", "out/", "./a/b", "a..b", "..a", ".", "..", "../out", "a/../b"):
        assert valid(name, path=path), path


@pytest.mark.parametrize("name", LOCAL)
def test_a_path_out_of_the_project_is_not(name: str) -> None:
    for path in ("", "../..", "../../out", "/tmp", "~/out", "a/../../../b"):
        assert not valid(name, path=path), path
    assert not valid(name)


def test_reading_the_records_loads_nothing_heavy() -> None:
    code = (
        "import sys, relightflow.sinks.builtin as b, relightflow.sources.builtin as s\n"
        "list(b.relightflow_sinks()), list(s.relightflow_sources())\n"
        "print(sorted({'PIL', 'numpy', 'aiohttp', 'obstore'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
