"""The sinks that come with relightflow, brought in through the hook that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import SinkRecord
from relightflow.sinks import (
    contact_sheet,
    csv_index,
    directory,
    gallery,
    imagefolder,
    s3,
    webdataset,
)
from relightflow.sinks import zip as zip_file


@hookimpl
def relightflow_sinks() -> Iterable[SinkRecord]:
    modules = (directory, s3, contact_sheet, gallery, webdataset, imagefolder, zip_file, csv_index)
    return tuple(module.RECORD for module in modules)
