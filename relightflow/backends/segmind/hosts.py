"""Which hosts exist for us: three that get the key, and a few from which results may come.

Pure: names only. That a name does not lead to a private address is `network`'s to check, on the
address that is connected to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relightflow.backends.http.client import Api
from relightflow.backends.http.hosts import ProviderHosts, in_force

OVERRIDE = "RELIGHTFLOW_SEGMIND_URL"
"""Moves all three hosts for tests and rehearsals; the operator's to set, never a recipe's."""
SETTLING = "RELIGHTFLOW_SEGMIND_SETTLING"
"""Seconds after which a stand-in's request history is taken to be complete. Only a stand-in on this
machine can promise that; the provider's own records are given their time whatever this says."""

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
    variable: str = OVERRIDE
    api: str = "https://api.segmind.com"
    outputs: tuple[str, ...] = _OUTPUT_HOSTS
    results: tuple[str, ...] = _RESULTS
    kept: str = "results are kept for seven days"
    assets: str = "https://workflows-api.segmind.com"
    history: str = "https://api.spotprod.segmind.com"

    def authorization(self, key: str) -> dict[str, str]:
        return {"x-api-key": key}

    def submit(self, api: str, slug: str) -> str:
        return f"{self.api}/{api}/{slug}"

    def status(self, request_id: str) -> str:
        return f"{self.api}/v2/requests/{request_id}/status"

    def result(self, request_id: str) -> str:
        return f"{self.api}/v2/requests/{request_id}"

    @property
    def credits(self) -> str:
        return f"{self.api}/v1/get-user-credits"

    @property
    def upload(self) -> str:
        return f"{self.assets}/upload-asset"

    @property
    def request_history(self) -> str:
        return f"{self.history}/inference-request/request-history"


SegmindApi = Api[SegmindHosts]


def from_environment(
    environment: Mapping[str, str], output_hosts: tuple[str, ...] = ()
) -> SegmindHosts:
    """The hosts in force; see `in_force`. Raises `UsageError`."""
    bases = ("assets", "history")
    return in_force(SegmindHosts(), environment, output_hosts, bases=bases, settled=SETTLING)
