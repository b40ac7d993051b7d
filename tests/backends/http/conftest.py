"""The shared parts are tested as the provider Segmind uses them."""

from tests.backends.segmind.conftest import connect, emulate

__all__ = ["connect", "emulate"]
