"""The record by which relightflow knows this backend; the network library is imported by `create`."""

from __future__ import annotations

import importlib
from typing import cast

from relightflow.backends.segmind.models import MODELS, SCHEMA
from relightflow.plugins.backend import Backend
from relightflow.plugins.records import BackendContext, BackendRecord


def create(context: BackendContext) -> Backend:
    """The working backend. Here, and not above, begins the cost of importing aiohttp."""
    adapter = importlib.import_module("relightflow.backends.segmind.adapter")
    return cast(Backend, adapter.Segmind.from_environment(context))


RECORD = BackendRecord(
    name="segmind",
    summary="Segmind's relighting models: paid, over the network, needs SEGMIND_API_KEY",
    models=MODELS,
    create=create,
    schema=SCHEMA,
    keeps_requests=3600.0,
)
