"""The sources that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.objects.address import PATTERN as ADDRESS
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import Schema, SourceRecord

_PATTERNS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "uniqueItems": True,
}

_FILTERS = {
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
            "description": "Addresses of images, http or https.",
        },
        "file": {
            "type": "string",
            "minLength": 1,
            "description": "A list of addresses beside the recipe: .txt (one a line), .csv (a "
            "column `url`, perhaps `name`) or .jsonl (a key `url`, perhaps `name`).",
        },
        "delivery": {
            "description": "How a paid backend gets the images, instead of its own `delivery`; "
            "`url` hands it the public address.",
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
            "description": "The manifest.jsonl of another recipe's run, beside its images.",
        },
        "include": {
            **_PATTERNS,
            "minItems": 1,
            "description": "Patterns of images to take, relative to the manifest; all, if left "
            "out.",
        },
        "exclude": {**_PATTERNS, "description": "Patterns of images to leave out."},
        "delivery": _DELIVERY,
    },
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
        "include": {
            **_PATTERNS,
            "minItems": 1,
            "description": "Patterns of objects to take, relative to the prefix; else all that are "
            "named like a JPEG, PNG or WebP.",
        },
        "exclude": {
            **_PATTERNS,
            "description": "Patterns of objects or folders to leave out.",
        },
        "delivery": {
            "enum": ["upload", "inline", "presign"],
            "description": "How a paid backend gets the images; `presign` lets it fetch them "
            "itself by signed URLs that work for an hour.",
        },
    },
}


@hookimpl
def relightflow_sources() -> Iterable[SourceRecord]:
    return (
        SourceRecord(
            name="glob",
            summary="Image files beside the recipe, by pattern",
            create="relightflow.sources.glob:Glob",
            schema=GLOB_SCHEMA,
        ),
        SourceRecord(
            name="urls",
            summary="Images from web addresses, in the recipe or in a list beside it",
            create="relightflow.sources.urls.source:Urls",
            schema=URLS_SCHEMA,
            fetches=True,
        ),
        SourceRecord(
            name="manifest",
            summary="The images that another recipe made",
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
