"""Which hosts exist for us: three that get the key, and a few from which results may come.

Pure: names only. That a name does not lead to a private address is `network`'s to check, on the
address that is connected to.
"""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts

_OUTPUT_HOSTS = (
    ".segmind.com",
    "segmind-inference-io.s3.amazonaws.com",
    "segmind-inference-inputs.s3.amazonaws.com",
    "segmind-sd-models.s3.amazonaws.com",
)
"""Where the provider is known to serve files (images.segmind.com and its storage buckets). A leading
dot means every name below it. Buckets are named whole: anybody can own one called segmind-something."""

_RESULTS = ("images.segmind.com", *_OUTPUT_HOSTS[1:])
"""The same without a wildcard: what is looked at before the first call."""


@dataclass(frozen=True, slots=True)
class SegmindHosts(ProviderHosts):
    """Bases of the three API hosts, without a slash at the end."""

    provider: str = "Segmind"
    variable: str = "RELIGHTFLOW_SEGMIND_URL"
    settled: str = "RELIGHTFLOW_SEGMIND_SETTLING"
    bases: tuple[str, ...] = ("assets", "history")
    api: str = "https://api.segmind.com"
    key_header: str = "x-api-key"
    key_scheme: str = ""
    outputs: tuple[str, ...] = _OUTPUT_HOSTS
    results: tuple[str, ...] = _RESULTS
    kept: str = "results are kept for seven days"
    assets: str = "https://workflows-api.segmind.com"
    history: str = "https://api.spotprod.segmind.com"

    def submit(self, api: str, slug: str) -> str:
        return f"{self.api}/{api}/{slug}"

    def status(self, request_id: str) -> str:
        return f"{self.api}/v2/requests/{request_id}/status"

    def result(self, request_id: str) -> str:
        return f"{self.api}/v2/requests/{request_id}"

    @property
    def probe(self) -> str:
        """The balance."""
        return f"{self.api}/v1/get-user-credits"

    @property
    def upload(self) -> str:
        return f"{self.assets}/upload-asset"

    @property
    def request_history(self) -> str:
        return f"{self.history}/inference-request/request-history"
