"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

from relightflow.backends.replicate.adapter import Replicate
from relightflow.backends.replicate.plugin import RECORD
from tests.backends import promises
from tests.backends.replicate.conftest import KEY


class TestRecord(promises.QueuedRecord):
    record, adapter, key = RECORD, Replicate, KEY
