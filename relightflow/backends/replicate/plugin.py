"""The record by which relightflow knows this backend; the network library is imported when it is made."""

from __future__ import annotations

from relightflow.backends.replicate.models import DELIVERY, MODELS
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="replicate",
    summary="Relighting models on Replicate: paid, over the network, needs REPLICATE_API_TOKEN",
    models=MODELS,
    create="relightflow.backends.replicate.adapter:Replicate.from_environment",
    schema=DELIVERY.schema(),
    discloses=DELIVERY.disclosed,
    keeps_requests=3600.0,
    keeps_results=3600.0,
    settlement=Settlement("lookup"),
    key_variable="REPLICATE_API_TOKEN",
    hosts=("api.replicate.com", "replicate.delivery", ".replicate.delivery"),
    limits="600 calls a minute, fewer on little credit; results must be collected within an hour",
)
