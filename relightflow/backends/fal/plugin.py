"""The record by which relightflow knows this backend; the network library is imported when it is made."""

from __future__ import annotations

from relightflow.backends.fal.models import DELIVERY, MODELS
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="fal",
    summary="Relighting models of fal.ai: paid, over the network, needs FAL_KEY",
    models=MODELS,
    create="relightflow.backends.fal.adapter:Fal.from_environment",
    schema=DELIVERY.schema(),
    discloses=DELIVERY.disclosed,
    keeps_requests=86_400.0,
    keeps_results=7 * 86_400.0,
    settlement=Settlement("lookup"),
    key_variable="FAL_KEY",
    hosts=("queue.fal.run", "api.fal.ai", "rest.fal.ai", ".fal.media"),
    limits="2 to 40 calls at work by account; more wait in its queue",
)
"""How long fal keeps a finished request's payload is not documented; its history reaches back a day
without an id, so that is what is counted on."""
