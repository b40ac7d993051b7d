"""Runware's hosts: one for the API, one that results come from."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts

_OUTPUTS = ("im.runware.ai",)


@dataclass(frozen=True, slots=True)
class RunwareHosts(ProviderHosts):
    provider: str = "Runware"
    variable: str = "RELIGHTFLOW_RUNWARE_URL"
    api: str = "https://api.runware.ai"
    outputs: tuple[str, ...] = _OUTPUTS
    doubts: str = "sent again under the same name, which is billed once"

    @property
    def tasks(self) -> str:
        """Where every task is sent."""
        return f"{self.api}/v1"
