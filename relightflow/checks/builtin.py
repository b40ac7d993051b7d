"""The checks that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.checks import direction, golden, likeness, shape, tone
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import CheckRecord


@hookimpl
def relightflow_checks() -> Iterable[CheckRecord]:
    return tuple(
        record for module in (direction, tone, likeness, shape, golden) for record in module.RECORDS
    )
