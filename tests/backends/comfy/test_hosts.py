from __future__ import annotations

import pytest

from relightflow.backends.comfy.hosts import OVERRIDE, from_environment
from relightflow.backends.http.hosts import refusal
from relightflow.errors import UsageError


def test_results_come_from_the_router_its_partners_and_those_of_the_operator() -> None:
    where = from_environment({}, ("files.example.com",))
    assert not refusal(where, "https://storage.comfy.org/a.png")
    assert not refusal(where, "https://files.example.com/a.png")
    assert refusal(where, "https://storage.googleapis.com/anybody/a.png")
    assert where.run("bria/image-edit-relight") == (
        "https://api.comfy.org/v2/models/bria/image-edit-relight"
    )
    assert where.estimate("a/b").endswith("/v2/models/a/b/estimate")
    assert where.authorization("k") == {"X-API-Key": "k"}


def test_the_override_moves_the_api_and_must_be_a_server() -> None:
    where = from_environment({OVERRIDE: "http://127.0.0.1:1"})
    assert where.catalogue == "http://127.0.0.1:1/v2/models"
    with pytest.raises(UsageError):
        from_environment({OVERRIDE: "http://example.com"})
