"""The sources that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.objects.address import ADDRESS
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import Schema, SourceRecord

_PATTERN = {"type": "string", "minLength": 1}
_PATTERNS = {
    "type": "array",
    "items": _PATTERN,
    "uniqueItems": True,
}

_BELOW = {
    **_PATTERNS,
    "items": {
        "type": "string",
        "minLength": 1,
        "pattern": r"^(?!/)(?!(?:.*/)?\.\.(?:/|$))",
        "patternErrorMessage": "leads out of the place that this source reads; patterns must stay "
        "inside it",
    },
}
"""Patterns that are not relative to the recipe, but to a place of the source's own."""

_FILTERS = {
    "include": {
        **_PATTERNS,
        "minItems": 1,
        "description": "Patterns of files to use, relative to the recipe; `**` matches any number of folders.",
    },
    "exclude": {
        **_PATTERNS,
        "items": {**_PATTERN, "format": "path"},
        "description": "Patterns of files or folders to exclude; one that begins with `**` applies wherever the source looks.",
    },
}

_DELIVERY = {
    "description": "How a paid backend gets the images, instead of its own `delivery`.",
    "enum": ["upload", "inline"],
}

GLOB_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["include"],
    "properties": {**_FILTERS, "delivery": _DELIVERY},
}

URLS_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["urls"]}, {"required": ["file"]}],
    "properties": {
        "urls": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "description": "URLs of images, http or https.",
        },
        "file": {
            "type": "string",
            "minLength": 1,
            "description": "File with URLs, relative to the recipe: .txt (one per line), .csv (columns `url` and optionally `name`) or .jsonl (keys `url` and optionally `name`).",
        },
        "delivery": {
            "description": "How a paid backend gets the images, instead of its own `delivery`; `url` passes on the public URL.",
            "enum": ["upload", "inline", "url"],
        },
    },
}

MANIFEST_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": {
            "type": "string",
            "minLength": 1,
            "description": "manifest.jsonl of another recipe, relative to this one.",
        },
        "include": {
            **_BELOW,
            "minItems": 1,
            "description": "Patterns of images to use, relative to the manifest; `*` stays within one folder, `**` matches any number; default: all.",
        },
        "exclude": {**_BELOW, "description": "Patterns of images to exclude."},
        "delivery": _DELIVERY,
    },
}

S3_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {
        "uri": ADDRESS,
        "include": {
            **_BELOW,
            "minItems": 1,
            "description": "Patterns of objects to use, relative to the prefix; `*` stays within one folder, `**` matches any number; default: all names that end like a JPEG, PNG or WebP.",
        },
        "exclude": {
            **_BELOW,
            "description": "Patterns of objects or folders to exclude.",
        },
        "delivery": {
            "enum": ["upload", "inline", "presign"],
            "description": "How a paid backend gets the images; `presign` lets it fetch them itself through signed URLs that are valid for one hour.",
        },
    },
}


@hookimpl
def relightflow_sources() -> Iterable[SourceRecord]:
    return (
        SourceRecord(
            name="glob",
            summary="Local image files, by pattern",
            create="relightflow.sources.glob:Glob",
            schema=GLOB_SCHEMA,
        ),
        SourceRecord(
            name="urls",
            summary="Images from URLs, in the recipe or in a file beside it",
            create="relightflow.sources.urls.source:Urls",
            schema=URLS_SCHEMA,
            fetches=True,
        ),
        SourceRecord(
            name="manifest",
            summary="The results of another recipe",
            create="relightflow.sources.manifest:Manifest",
            schema=MANIFEST_SCHEMA,
        ),
        SourceRecord(
            name="s3",
            summary="Images in an object store: s3://, gs:// or az://",
            create="relightflow.sources.s3:S3Source",
            schema=S3_SCHEMA,
        ),
    )
