"""Connections: one session with the API, one without a key for downloads.

Neither retries a call that costs, follows redirects, or goes anywhere but where it is told; see
`relightflow.network.session`.
"""

from __future__ import annotations

from aiohttp.abc import AbstractResolver

from relightflow.network.session import HttpSession, PublicOnly, session

IMAGE_CAP = 64 << 20
JSON_CAP = 1 << 20


def api_session() -> HttpSession:
    """For the API hosts. The key is no default of the session: each call adds it for its host."""
    return session()


def download_session(
    *exempt: str, private: bool = False, resolver: AbstractResolver | None = None
) -> HttpSession:
    """For results. `exempt`: hosts whose address may be private; `private`: any may be.

    A proxy is asked for these hosts as they are: they are on the list of the provider's own, and prove
    it with a certificate.
    """
    return session(resolver if private else PublicOnly(*exempt, inner=resolver))
