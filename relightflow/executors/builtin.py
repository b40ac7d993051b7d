"""The executors that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.executors.dask import RECORD as DASK
from relightflow.executors.local import RECORD as LOCAL
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import ExecutorRecord


@hookimpl
def relightflow_executors() -> Iterable[ExecutorRecord]:
    return (LOCAL, DASK)
