"""The sinks that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.plugins.form import FORMAT_SCHEMA
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
        "format": FORMAT_SCHEMA,
    },
}

_AXIS = {"type": "string", "minLength": 1}

CONTACT_SHEET_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": _PATH,
        "format": {
            "enum": ["jpeg", "png"],
            "default": "jpeg",
            "description": "A JPEG is a fifth of the size; a PNG loses nothing.",
        },
        "rows": {
            **_AXIS,
            "description": "The axis that runs down; else one of the first two that vary.",
        },
        "columns": {
            **_AXIS,
            "description": "The axis that runs across; else the longer of those two.",
        },
        "tile": {
            "type": "integer",
            "minimum": 32,
            "maximum": 1024,
            "description": "The longer side of each picture in pixels; else what fits well.",
        },
        "title": {
            "type": "string",
            "maxLength": 200,
            "description": "The words at the top; else the image's name.",
        },
    },
}


def _directory(context: SinkContext) -> Sink:
    # deferred: a command that only reads recipes writes no pictures
    from relightflow.sinks.directory import Directory

    return Directory(context)


def _contact_sheet(context: SinkContext) -> Sink:
    # deferred: it loads Pillow
    from relightflow.sinks.contact_sheet.sink import ContactSheet

    return ContactSheet(context)


@hookimpl
def relightflow_sinks() -> Iterable[SinkRecord]:
    return (
        SinkRecord(
            name="directory",
            summary="Each picture a file, with a manifest beside them",
            create=_directory,
            schema=DIRECTORY_SCHEMA,
            derives=True,
        ),
        SinkRecord(
            name="contact-sheet",
            summary="One labelled picture of the whole sweep for each image",
            create=_contact_sheet,
            schema=CONTACT_SHEET_SCHEMA,
            named=False,
        ),
    )
