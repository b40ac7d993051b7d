"""The `contact-sheet` sink: one labelled image per image, to look at a sweep and choose.

    outputs ─arrange→ Sheet ─lay_out→ Layout ─paint→ pixels ─seal→ file

The first two arrows are pure; only `paint` decodes images, a few at a time.
"""

from __future__ import annotations

from relightflow.plugins.records import SinkRecord
from relightflow.sinks.base import PATH

_AXIS = {"type": "string", "minLength": 1}

RECORD = SinkRecord(
    name="contact-sheet",
    summary="One labelled image of the whole sweep for each image",
    create="relightflow.sinks.contact_sheet.sink:ContactSheet",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": PATH,
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
    },
    layout="aggregate",
    shows="*.*",
)
