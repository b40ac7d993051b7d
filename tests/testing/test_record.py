from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from relightflow.plugins.records import SinkContext, SinkRecord, SourceRecord
from relightflow.plugins.sink import Sink
from relightflow.testing.record import check_record


def create(context: SinkContext) -> Sink:
    raise NotImplementedError


SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"path": {"type": "string"}},
}
RECORD = SinkRecord("good-name-2", "One line", create, SCHEMA)


def test_a_sound_record_passes() -> None:
    check_record(RECORD, SinkRecord, {"path": "x"})


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (replace(RECORD, name="Bad Name"), "lower-case"),
        (replace(RECORD, summary="two\nlines"), "more than one line"),
        (replace(RECORD, summary=" padded"), "padded"),
        (replace(RECORD, summary=""), "empty"),
        (replace(RECORD, summary="x" * 200), "short line"),
        (replace(RECORD, schema={**SCHEMA, "additionalProperties": True}), "misspelt"),
        (replace(RECORD, schema={**SCHEMA, "type": "array"}), "of type object"),
        (replace(RECORD, schema={**SCHEMA, "properties": {"type": {}}}), "own schema"),
        (replace(RECORD, schema={**SCHEMA, "required": ["host"]}), "refuses the options"),
        (replace(RECORD, create="no_such_package.sink:Sink"), "names nothing"),
        (replace(RECORD, create="relightflow.sinks.zip:Zap"), "names nothing"),
        (replace(RECORD, create="relightflow.sinks.zip"), "names nothing"),
        (replace(RECORD, create="relightflow.sinks.zip:RECORD.name"), "cannot be called"),
    ],
)
def test_a_faulty_record_is_told_what_is_wrong(record: SinkRecord, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_record(record, SinkRecord, {"path": "x"})


def test_a_schema_that_is_none_is_an_error() -> None:
    with pytest.raises(jsonschema.SchemaError):
        check_record(replace(RECORD, schema={"type": 7}), SinkRecord, {})


def test_a_record_of_another_kind_is_told() -> None:
    with pytest.raises(AssertionError, match="no SourceRecord"):
        check_record(RECORD, SourceRecord, {})
