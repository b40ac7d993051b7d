from __future__ import annotations

import subprocess
import sys

import jsonschema
import pytest

from relightflow.sinks import builtin

RECORDS = {record.name: record for record in builtin.relightflow_sinks()}


def valid(sink: str, **options: object) -> bool:
    return jsonschema.Draft7Validator(RECORDS[sink].schema).is_valid(options)


LOCAL = [name for name in RECORDS if name != "s3"]


@pytest.mark.parametrize("name", LOCAL)
def test_a_path_inside_the_recipes_folder_is_allowed(name: str) -> None:
    for path in ("out", "out/", "./a/b", "a..b", "..a", "."):
        assert valid(name, path=path), path


@pytest.mark.parametrize("name", LOCAL)
def test_a_path_out_of_the_recipes_folder_is_not(name: str) -> None:
    for path in ("", "..", "../out", "/tmp", "a/..", "a/../b"):
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
