"""What this plugin brings. relightflow imports this module early, so nothing heavy is loaded here."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.plugins.backend import Backend
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import BackendContext, BackendRecord, SinkContext, SinkRecord
from relightflow.plugins.sink import Sink

MODEL = Model(
    name="mirror",
    parameters=(Parameter("axis", values=("horizontal", "vertical"), default="horizontal"),),
    price=FREE,
)


def _mirror(context: BackendContext) -> Backend:
    from relightflow_mirror.mirror import Mirror

    return Mirror(context)


def _zip(context: SinkContext) -> Sink:
    from relightflow_mirror.zip import Zip

    return Zip(context)


BACKEND = BackendRecord(name="mirror", summary="Mirrors an image", models=(MODEL,), create=_mirror)
SINK = SinkRecord(
    name="zip-file",
    summary="All images of a run in one ZIP file",
    create=_zip,
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["file"],
        "properties": {"file": {"type": "string", "pattern": r"^[\w-]+(/[\w-]+)*\.zip$"}},
    },
    layout="aggregate",  # it gathers: called once, when a run is over
)


@hookimpl
def relightflow_backends() -> Iterable[BackendRecord]:
    return [BACKEND]


@hookimpl
def relightflow_sinks() -> Iterable[SinkRecord]:
    return [SINK]
