from __future__ import annotations

import jsonschema

from relightflow.sources import builtin


def problems(**options: object) -> list[str]:
    (record,) = (r for r in builtin.relightflow_sources() if r.name == "glob")
    return [
        error.message for error in jsonschema.Draft7Validator(record.schema).iter_errors(options)
    ]


def test_a_glob_needs_at_least_one_pattern() -> None:
    assert problems(include=["*.jpg"], exclude=[]) == []
    assert problems()
    assert problems(include=[])
    assert problems(include=[""])
    assert problems(include="*.jpg")
    assert problems(include=["*.jpg"], folder="x")
