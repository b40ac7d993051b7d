"""The record by which relightflow knows this backend; the network library is imported when it is made."""

from __future__ import annotations

from relightflow.backends.comfyui.models import MODELS, SCHEMA, as_model, disclosed
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="comfyui",
    summary="A ComfyUI server of your own: free, without a key; workflows come from the operator",
    models=MODELS,
    create="relightflow.backends.comfyui.adapter:ComfyUI.from_environment",
    schema=SCHEMA,
    discloses=disclosed,
    declarable=True,
    declares=as_model,
    keeps_results=86_400.0,
    limits="one call at work at a time; more wait in its queue",
)
