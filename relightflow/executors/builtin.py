"""The executors that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.executors.local import RECORD as LOCAL
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import ExecutorRecord

_DASK = ExecutorRecord(
    name="dask",
    summary="A Dask cluster (extra relightflow[dask])",
    create="relightflow.executors.dask:Dask",
    needs_address=True,
)


@hookimpl
def relightflow_executors() -> Iterable[ExecutorRecord]:
    return (LOCAL, _DASK)
