"""The `gallery` sink: a static page of the whole sweep, to look, compare and pick.

It writes what `relightflow report` writes, at the end of every run; files that would not change are
left alone. See `relightflow.gallery`.
"""

from __future__ import annotations

from relightflow.plugins.records import SinkRecord
from relightflow.sinks.base import folder_options

RECORD = SinkRecord(
    name="gallery",
    summary="A page for viewing, comparing and picking the results",
    create="relightflow.sinks.gallery.sink:Gallery",
    schema=folder_options(
        {
            "full": {
                "enum": ["link", "copy", "none"],
                "default": "link",
                "description": "The full images: linked where they are, copied into the gallery (to "
                "publish it), or left out.",
            },
            "thumbs": {
                "type": "integer",
                "minimum": 64,
                "maximum": 1024,
                "default": 256,
                "description": "The long side of a thumbnail in pixels.",
            },
        }
    ),
    layout="aggregate",
    shows="index.html",
    writes=("index.html",),
)
