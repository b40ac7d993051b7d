"""fal's hosts: queue, platform API and storage, and where its results come from. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts

_OUTPUT_HOSTS = (".fal.media",)
"""Where fal serves uploads and results; a leading dot means every name below."""


@dataclass(frozen=True, slots=True)
class FalHosts(ProviderHosts):
    """Bases of the hosts, without a slash at the end."""

    provider: str = "fal"
    variable: str = "RELIGHTFLOW_FAL_URL"
    settled: str = "RELIGHTFLOW_FAL_SETTLING"
    bases: tuple[str, ...] = ("platform", "storage", "uploads")
    api: str = "https://queue.fal.run"
    key_scheme: str = "Key "
    outputs: tuple[str, ...] = _OUTPUT_HOSTS
    results: tuple[str, ...] = ("v3.fal.media",)
    kept: str = "fal keeps results as long as the account's settings say"
    platform: str = "https://api.fal.ai"
    storage: str = "https://rest.fal.ai"
    uploads: str = "https://v3.fal.media"

    def submit(self, model: str) -> str:
        return f"{self.api}/{model}"

    def result(self, model: str, request_id: str) -> str:
        """Results stand under owner and name alone, whatever follows in the model's path."""
        owner, name = model.split("/")[:2]
        return f"{self.api}/{owner}/{name}/requests/{request_id}"

    @property
    def history(self) -> str:
        return f"{self.platform}/v1/models/requests/by-endpoint"

    @property
    def upload_token(self) -> str:
        return f"{self.storage}/storage/auth/token?storage_type=fal-cdn-v3"

    @property
    def upload_start(self) -> str:
        """Gives the URL at which one file is uploaded, by whoever has it, and the file's own."""
        return f"{self.storage}/storage/upload/initiate?storage_type=fal-cdn-v3"

    @property
    def upload(self) -> str:
        return f"{self.uploads}/files/upload"
