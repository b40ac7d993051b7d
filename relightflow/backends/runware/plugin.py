"""The record by which relightflow knows this backend; the network library is imported when it is made."""

from __future__ import annotations

from relightflow.backends.runware.models import MODELS, disclosed
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import BackendRecord

RECORD = BackendRecord(
    name="runware",
    summary="Runware's relighting models: paid, over the network, needs RUNWARE_API_KEY",
    models=MODELS,
    create="relightflow.backends.runware.adapter:Runware.from_environment",
    discloses=disclosed,
    keeps_requests=86_400.0,
    keeps_results=86_400.0,
    # how long a name is remembered is not documented; past this hour the task is only looked up
    settlement=Settlement("key", 3600.0),
    key_variable="RUNWARE_API_KEY",
    hosts=("api.runware.ai", "im.runware.ai"),
    limits="none published; 429 and 503 are waited out",
)
