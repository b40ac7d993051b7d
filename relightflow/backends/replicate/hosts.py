"""Replicate's hosts: one for the API and its files, and where results come from. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.http.hosts import ProviderHosts

_OUTPUT_HOSTS = ("replicate.delivery", ".replicate.delivery")
"""A leading dot means every name below."""


@dataclass(frozen=True, slots=True)
class ReplicateHosts(ProviderHosts):
    """Bases of the hosts, without a slash at the end."""

    provider: str = "Replicate"
    variable: str = "RELIGHTFLOW_REPLICATE_URL"
    settled: str = "RELIGHTFLOW_REPLICATE_SETTLING"
    api: str = "https://api.replicate.com"
    outputs: tuple[str, ...] = _OUTPUT_HOSTS
    results: tuple[str, ...] = ("replicate.delivery",)
    keyed: tuple[str, ...] = _OUTPUT_HOSTS
    """One of the provider's pages says that results need the key, and all others that they do not."""
    exposure: str = (
        "stay in its file storage, which only this account's key opens, until it deletes them"
    )
    doubts: str = "looked up in the list of predictions, which shows inputs for an hour"
    kept: str = "Replicate deletes results one hour after they are made"

    def official(self, model: str) -> str:
        """Where a call to a model is sent that has no version to name."""
        return f"{self.api}/v1/models/{model}/predictions"

    def prediction(self, request_id: str) -> str:
        return f"{self.predictions}/{request_id}"

    @property
    def predictions(self) -> str:
        """Where calls are sent, and where the account's are listed."""
        return f"{self.api}/v1/predictions"

    @property
    def files(self) -> str:
        """Where images are uploaded."""
        return f"{self.api}/v1/files"

    @property
    def probe(self) -> str:
        """Whose key it is; free of charge."""
        return f"{self.api}/v1/account"
