"""The options `format` and `metadata` of a sink, for every sink that takes them (`format` needs
`SinkRecord.converts_format`)."""

from __future__ import annotations

from relightflow.model.output_format import MEDIA_TYPES, QUALITY
from relightflow.plugins.records import Schema

_TYPE = {"enum": sorted(MEDIA_TYPES)}

METADATA_SCHEMA: Schema = {
    "enum": ["copyright", "keep", "strip"],
    "default": "copyright",
    "description": "What results that have no metadata get from their input image: author and copyright; with `keep` also camera, times and colour profile; with `strip` nothing.",
}
"""The option `metadata`, for every sink that takes it."""

FORMAT_SCHEMA: Schema = {
    "description": "Deliver copies in this image format, such as `webp` or `{type: webp, quality: 80}`; the original stays in the store.",
    "anyOf": [
        {"type": "string", **_TYPE},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["type"],
            "properties": {
                "type": {**_TYPE, "description": "Image format of the copies."},
                "quality": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 100,
                    "default": QUALITY,
                    "description": "If set, results of this type are encoded again too.",
                },
            },
            "if": {"properties": {"type": {"const": "png"}}},
            "then": {
                "properties": {
                    "quality": {"not": {}, "description": "PNG is lossless and has no quality"}
                }
            },
        },
    ],
}
