"""What plugin authors test with: conformance kits, and a clock that does not wait.

A kit runs a plugin through its whole life and raises AssertionError with a sentence that says what
is wrong. It needs no framework; in pytest:

    from relightflow.testing import check_backend, check_sink, check_source
    from my_package.plugin import BACKEND, SINK, SOURCE

    async def test_backend():          # pytest-asyncio, or asyncio.run(check_backend(BACKEND))
        await check_backend(BACKEND)

    def test_sink(tmp_path):
        check_sink(SINK, tmp_path, {"path": "out"})

    def test_source(tmp_path):
        (tmp_path / "a.png").write_bytes(sample_image_bytes())
        check_source(SOURCE, tmp_path, {"include": ["*.png"]})

relightflow's own adapters pass the same kits.
"""

from relightflow.testing.backend import backend_context, check_backend
from relightflow.testing.check import verify_check
from relightflow.testing.executor import check_executor
from relightflow.testing.http_faults import check_http_faults
from relightflow.testing.samples import sample_image, sample_image_bytes, sample_job
from relightflow.testing.sink import check_sink
from relightflow.testing.source import check_source

__all__ = [
    "backend_context",
    "check_backend",
    "check_executor",
    "check_http_faults",
    "check_sink",
    "check_source",
    "sample_image",
    "sample_image_bytes",
    "sample_job",
    "verify_check",
]
