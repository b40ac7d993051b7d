"""Runware's hosts: one for the API, one that results come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts, in_force

OVERRIDE = "RELIGHTFLOW_RUNWARE_URL"
"""Moves the API for tests and rehearsals; the operator's to set, never a recipe's."""
_OUTPUTS = ("im.runware.ai",)


@dataclass(frozen=True, slots=True)
class RunwareHosts(ProviderHosts):
    provider: str = "Runware"
    variable: str = OVERRIDE
    api: str = "https://api.runware.ai"
    outputs: tuple[str, ...] = _OUTPUTS
    doubts: str = "sent again under the same name, which is billed once"

    def authorization(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    @property
    def tasks(self) -> str:
        """Where every task is sent."""
        return f"{self.api}/v1"


def from_environment(
    environment: Mapping[str, str], output_hosts: tuple[str, ...] = ()
) -> RunwareHosts:
    """The hosts in force; see `in_force`. Raises `UsageError`."""
    return in_force(RunwareHosts(), environment, output_hosts)
