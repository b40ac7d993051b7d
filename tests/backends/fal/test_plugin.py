"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

from relightflow.backends.fal.adapter import Fal
from relightflow.backends.fal.plugin import RECORD
from tests.backends import promises
from tests.backends.fal.conftest import KEY


class TestRecord(promises.QueuedRecord):
    record, adapter, key = RECORD, Fal, KEY
