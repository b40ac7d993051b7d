"""The record by which relightflow knows this backend; the network library is imported when it is made."""

from __future__ import annotations

from relightflow.backends.segmind.models import API, DELIVERY, MODELS, as_model
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="segmind",
    summary="Segmind's relighting models: paid, over the network, needs SEGMIND_API_KEY",
    models=MODELS,
    create="relightflow.backends.segmind.adapter:Segmind.from_environment",
    schema=DELIVERY.schema(api=API),
    discloses=DELIVERY.disclosed,
    keeps_requests=3600.0,
    keeps_results=7 * 86_400.0,
    declarable=True,
    declares=as_model,
    settlement=Settlement("lookup"),
    key_variable="SEGMIND_API_KEY",
    hosts=(
        ".segmind.com",
        "segmind-inference-io.s3.amazonaws.com",
        "segmind-inference-inputs.s3.amazonaws.com",
        "segmind-sd-models.s3.amazonaws.com",
    ),
    limits="calls a minute, as its answers say",
)
