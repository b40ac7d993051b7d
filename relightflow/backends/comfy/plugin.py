"""The record by which relightflow knows this backend; the network library is imported when it is made."""

from __future__ import annotations

from relightflow.backends.comfy.models import MODELS, disclosed
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="comfy",
    summary="Comfy Router's relighting models: paid, over the network, needs COMFY_API_KEY",
    models=MODELS,
    create="relightflow.backends.comfy.adapter:Comfy.from_environment",
    discloses=disclosed,
    keeps_requests=86_400.0,
    keeps_results=86_400.0,
    settlement=Settlement("key", 86_400.0),
    key_variable="COMFY_API_KEY",
    hosts=("api.comfy.org", ".comfy.org", ".bria-api.com", ".bria.ai", ".freepik.com"),
    limits="calls and spending in flight, as its answers say; both are waited out",
)
