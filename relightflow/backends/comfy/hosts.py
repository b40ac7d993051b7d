"""Comfy Router's hosts: one for the API, a few that results come from."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts

_OUTPUTS = (".comfy.org", ".bria-api.com", ".bria.ai", ".freepik.com")
"""The router's own names and its partners'. Which of them serves a result is not documented: another one
is refused, its result stays paid for and collectable, and `--output-host` allows it."""


@dataclass(frozen=True, slots=True)
class ComfyHosts(ProviderHosts):
    provider: str = "Comfy Router"
    variable: str = "RELIGHTFLOW_COMFY_URL"
    api: str = "https://api.comfy.org"
    key_header: str = "X-API-Key"
    key_scheme: str = ""
    outputs: tuple[str, ...] = _OUTPUTS
    doubts: str = "sent again under the same key, which is billed once"

    def run(self, model: str) -> str:
        """Where a call to `model` is sent."""
        return f"{self.api}/v2/models/{model}"

    def estimate(self, model: str) -> str:
        """Where a call is priced without being made."""
        return f"{self.api}/v2/models/{model}/estimate"

    @property
    def probe(self) -> str:
        """The first of the list of models; free of charge."""
        return f"{self.api}/v2/models?limit=1"
