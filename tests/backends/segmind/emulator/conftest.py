"""A client of a running emulator, as for the parts that all protocols share."""

from tests.backends.emulator.conftest import connect

__all__ = ["connect"]
