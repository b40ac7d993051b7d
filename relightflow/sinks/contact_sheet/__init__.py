"""The `contact-sheet` sink: one labelled image per image, to look at a sweep and choose.

    outputs ─arrange→ Sheet ─lay_out→ Layout ─paint→ pixels ─seal→ file

The first two arrows are pure; only `paint` decodes images, a few at a time.
"""

from __future__ import annotations

from relightflow.plugins.records import SinkRecord
from relightflow.sinks.base import folder_options

_AXIS = {"type": "string", "minLength": 1}

RECORD = SinkRecord(
    name="contact-sheet",
    summary="One contact sheet per input image, with all its results",
    create="relightflow.sinks.contact_sheet.sink:ContactSheet",
    schema=folder_options(
        {
            "format": {
                "enum": ["jpeg", "png"],
                "default": "jpeg",
                "description": "JPEG is about five times smaller; PNG is lossless.",
            },
            "rows": {
                **_AXIS,
                "description": "Axis for the rows; default: one of the first two that vary.",
            },
            "columns": {
                **_AXIS,
                "description": "Axis for the columns; default: the longer of the first two that vary.",
            },
            "tile": {
                "type": "integer",
                "minimum": 32,
                "maximum": 1024,
                "description": "Longer side of each image in pixels; default: chosen to fit.",
            },
            "font": {
                "type": "string",
                "minLength": 1,
                "description": "Font file (TTF, OTF, TTC) for letters that the built-in font lacks, relative to the recipe; default: a font of the system that has them.",
            },
            "title": {
                "type": "string",
                "maxLength": 200,
                "description": "Title of the sheet; default: the image's name.",
            },
        }
    ),
    layout="aggregate",
    shows="*.*",
    writes=("{image.stem}.jpg",),
)
