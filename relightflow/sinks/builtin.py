"""The sinks that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import Schema, SinkContext, SinkRecord
from relightflow.plugins.sink import Sink

_PATH = {
    "type": "string",
    "minLength": 1,
    "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$))",
    "patternErrorMessage": "leads out of the recipe's folder; write to a folder in it or below",
    "description": "A folder at or below the recipe's own.",
}

DIRECTORY_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": _PATH,
        "name": {
            "type": "string",
            "minLength": 1,
            "description": "Where each picture goes, such as "
            "`{image.stem}/{light_direction}.{ext}`.",
        },
    },
}


def _directory(context: SinkContext) -> Sink:
    # deferred: a command that only reads recipes writes no pictures
    from relightflow.sinks.directory import Directory

    return Directory(context)


@hookimpl
def relightflow_sinks() -> Iterable[SinkRecord]:
    return (
        SinkRecord(
            name="directory",
            summary="Each picture a file, with a manifest beside them",
            create=_directory,
            schema=DIRECTORY_SCHEMA,
        ),
    )
