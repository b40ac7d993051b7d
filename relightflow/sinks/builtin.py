"""The sinks that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.objects.address import PATTERN as ADDRESS
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.output_format import FORMAT_SCHEMA
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
            "description": "Where each image goes, such as `{image.stem}/{light_direction}.{ext}`.",
        },
        "format": FORMAT_SCHEMA,
    },
}

_NAME = DIRECTORY_SCHEMA["properties"]["name"]

WEBDATASET_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": _PATH,
        "prefix": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$",
            "patternErrorMessage": "is no plain name: letters, digits, `-` and `_`, at most 64",
            "description": "What the shards' names begin with; else the recipe's name.",
        },
        "samples": {
            "type": "integer",
            "minimum": 1,
            "default": 1000,
            "description": "Samples in a shard.",
        },
        "bytes": {
            "type": "integer",
            "minimum": 1,
            "description": "Instead of `samples`: a shard's largest size, unless one sample is "
            "larger.",
        },
        "sources": {
            "type": "boolean",
            "default": True,
            "description": "Whether each sample holds its input image too.",
        },
        "format": FORMAT_SCHEMA,
    },
    "dependencies": {
        "bytes": {
            "not": {"required": ["samples"]},
            "description": "a shard is full by `samples` or by `bytes`, not by both",
        }
    },
}

IMAGEFOLDER_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": _PATH,
        "name": _NAME,
        "sources": {
            "type": "boolean",
            "default": False,
            "description": "Whether the input images are copied too, as a second image column.",
        },
        "format": FORMAT_SCHEMA,
    },
}

ZIP_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {"path": _PATH, "name": _NAME, "format": FORMAT_SCHEMA},
}

CSV_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {"path": _PATH},
}

S3_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {
        "uri": {
            "type": "string",
            "pattern": ADDRESS,
            "patternErrorMessage": "is no place in an object store; write s3://bucket/prefix/, "
            "gs://bucket/prefix/ or az://container/prefix/",
            "description": "Bucket and prefix. Where the store is and who we are come from the "
            "environment.",
        },
        "name": DIRECTORY_SCHEMA["properties"]["name"],
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
            "description": "The longer side of each image in pixels; else what fits well.",
        },
        "title": {
            "type": "string",
            "maxLength": 200,
            "description": "The words at the top; else the image's name.",
        },
    },
}


def _directory(context: SinkContext) -> Sink:
    # deferred: a command that only reads recipes writes no images
    from relightflow.sinks.directory import Directory

    return Directory(context)


def _s3(context: SinkContext) -> Sink:
    # deferred: it loads obstore
    from relightflow.sinks.s3 import S3Sink

    return S3Sink(context)


def _contact_sheet(context: SinkContext) -> Sink:
    # deferred: it loads Pillow
    from relightflow.sinks.contact_sheet.sink import ContactSheet

    return ContactSheet(context)


def _webdataset(context: SinkContext) -> Sink:
    # deferred, as the next ones: see `_directory`
    from relightflow.sinks.webdataset import WebDataset

    return WebDataset(context)


def _imagefolder(context: SinkContext) -> Sink:
    from relightflow.sinks.imagefolder import ImageFolder

    return ImageFolder(context)


def _zip(context: SinkContext) -> Sink:
    from relightflow.sinks.zip import Zip

    return Zip(context)


def _csv(context: SinkContext) -> Sink:
    from relightflow.sinks.csv_index import CsvIndex

    return CsvIndex(context)


@hookimpl
def relightflow_sinks() -> Iterable[SinkRecord]:
    return (
        SinkRecord(
            name="directory",
            summary="Each image a file, with a manifest beside them",
            create=_directory,
            schema=DIRECTORY_SCHEMA,
            derives=True,
        ),
        SinkRecord(
            name="s3",
            summary="Each image an object at s3://, gs:// or az://, with a manifest beside them",
            create=_s3,
            schema=S3_SCHEMA,
            derives=True,
        ),
        SinkRecord(
            name="contact-sheet",
            summary="One labelled image of the whole sweep for each image",
            create=_contact_sheet,
            schema=CONTACT_SHEET_SCHEMA,
            named=False,
        ),
        SinkRecord(
            name="webdataset",
            summary="Tar shards for training that streams, as the library webdataset reads them",
            create=_webdataset,
            schema=WEBDATASET_SCHEMA,
            named=False,
            derives=True,
        ),
        SinkRecord(
            name="imagefolder",
            summary="Images and metadata.jsonl, as the library datasets reads them",
            create=_imagefolder,
            schema=IMAGEFOLDER_SCHEMA,
            derives=True,
        ),
        SinkRecord(
            name="zip",
            summary="All images and the manifest in one file",
            create=_zip,
            schema=ZIP_SCHEMA,
            named=False,
            packed=True,
            derives=True,
        ),
        SinkRecord(
            name="csv",
            summary="A table of all outputs, safe to open in a spreadsheet",
            create=_csv,
            schema=CSV_SCHEMA,
            named=False,
        ),
    )
