"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

from relightflow.backends.comfy.adapter import Comfy
from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.comfy.plugin import RECORD
from tests.backends import promises


class TestRecord(promises.NamedRecord):
    record, adapter, emulator = RECORD, Comfy, ComfyEmulator
    submits = b"Idempotency-Key"
