"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

from relightflow.backends.runware.adapter import Runware
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.backends.runware.plugin import RECORD
from tests.backends import promises


class TestRecord(promises.NamedRecord):
    record, adapter, emulator = RECORD, Runware, RunwareEmulator
    submits = b'"imageInference"'
