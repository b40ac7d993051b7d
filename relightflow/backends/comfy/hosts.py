"""Comfy Router's hosts: one for the API, a few that results come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts, in_force

OVERRIDE = "RELIGHTFLOW_COMFY_URL"
"""Moves the API for tests and rehearsals; the operator's to set, never a recipe's."""
_OUTPUTS = (".comfy.org", ".bria-api.com", ".bria.ai", ".freepik.com")
"""The router's own names and its partners'. Which of them serves a result is not documented: another one
is refused, its result stays paid for and collectable, and `--output-host` allows it."""


@dataclass(frozen=True, slots=True)
class ComfyHosts(ProviderHosts):
    provider: str = "Comfy Router"
    variable: str = OVERRIDE
    api: str = "https://api.comfy.org"
    outputs: tuple[str, ...] = _OUTPUTS
    doubts: str = "sent again under the same key, which is billed once"

    def authorization(self, key: str) -> dict[str, str]:
        return {"X-API-Key": key}

    def run(self, model: str) -> str:
        """Where a call to `model` is sent."""
        return f"{self.api}/v2/models/{model}"

    def estimate(self, model: str) -> str:
        """Where a call is priced without being made."""
        return f"{self.api}/v2/models/{model}/estimate"

    @property
    def catalogue(self) -> str:
        """The list of models; free of charge."""
        return f"{self.api}/v2/models"


def from_environment(
    environment: Mapping[str, str], output_hosts: tuple[str, ...] = ()
) -> ComfyHosts:
    """The hosts in force; see `in_force`. Raises `UsageError`."""
    return in_force(ComfyHosts(), environment, output_hosts)
