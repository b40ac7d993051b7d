"""The sources that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import Schema, SourceContext, SourceRecord
from relightflow.plugins.source import Source

_PATTERNS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "uniqueItems": True,
}

GLOB_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["include"],
    "properties": {
        "include": {
            **_PATTERNS,
            "minItems": 1,
            "description": "Patterns of files to take, relative to the recipe's folder; "
            "`**` stands for any number of folders.",
        },
        "exclude": {
            **_PATTERNS,
            "description": "Patterns of files or folders to leave out.",
        },
    },
}


def _glob(context: SourceContext) -> Source:
    # deferred: a command that only reads recipes has no use for hashing and pictures
    from relightflow.sources.glob import Glob

    return Glob(context)


@hookimpl
def relightflow_sources() -> Iterable[SourceRecord]:
    return (
        SourceRecord(
            name="glob",
            summary="Image files beside the recipe, by pattern",
            create=_glob,
            schema=GLOB_SCHEMA,
        ),
    )
