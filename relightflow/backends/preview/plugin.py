"""The preview's entry in the list of backends; loads neither numpy nor Pillow."""

from __future__ import annotations

from relightflow.backends.preview.adapter import Preview
from relightflow.backends.preview.offer import MODEL
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="preview",
    summary="Relights locally, free and without a key: a draft of what a recipe asks for",
    models=(MODEL,),
    create=Preview,
    srgb=True,
)
