"""What every record must be, whether it brings a source, a backend, a sink or a check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from relightflow.plugins.records import (
    BackendRecord,
    CheckRecord,
    SinkRecord,
    SourceRecord,
    imported,
)

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_SUMMARY = 120
_OWN = {BackendRecord: {"model"}, CheckRecord: {"severity"}}
"""Options beside `type` that belong to relightflow."""


def check_record(
    record: SourceRecord | BackendRecord | SinkRecord | CheckRecord,
    kind: type[SourceRecord] | type[BackendRecord] | type[SinkRecord] | type[CheckRecord],
    options: Mapping[str, Any],
) -> None:
    """`record` is of `kind`, well named, and its schema is sound and takes `options`."""
    import jsonschema  # deferred: a tenth of a second

    assert isinstance(record, kind), f"{record!r} is no {kind.__name__}: return one from the hook"
    assert _NAME.fullmatch(record.name), (
        f"the name {record.name!r} is what recipes write as `type`: use lower-case letters, digits "
        "and single dashes"
    )
    summary = record.summary
    assert summary.strip() == summary != "", f"{record.name}: the summary is empty or padded"
    assert "\n" not in summary, f"{record.name}: the summary is more than one line"
    assert len(summary) <= _LONGEST_SUMMARY, f"{record.name}: the summary is no short line"
    try:
        create = imported(record.create)
    except (ImportError, AttributeError, ValueError) as error:
        raise AssertionError(f"{record.name}: `create` names nothing: {error}") from error
    assert callable(create), f"{record.name}: `create` cannot be called"
    schema = dict(record.schema)
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema.get("type") == "object", f"{record.name}: the schema must be of type object"
    assert schema.get("additionalProperties") is False, (
        f"{record.name}: the schema must say `additionalProperties: False`, so that a misspelt "
        "option is told and not ignored"
    )
    own = {"type"} | _OWN.get(type(record), set())
    clash = own & set(schema.get("properties", {}))
    assert not clash, (
        f"{record.name}: {', '.join(sorted(clash))} belongs to relightflow's own schema"
    )
    problems = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(options)]
    assert not problems, f"{record.name}: its own schema refuses the options: {'; '.join(problems)}"
