from __future__ import annotations

import pytest

from relightflow.backends.http.hosts import refusal
from relightflow.backends.runware.hosts import OVERRIDE, from_environment
from relightflow.errors import UsageError


def test_results_come_from_the_providers_own_host_and_those_of_the_operator() -> None:
    where = from_environment({}, ("Files.Example.com",))
    assert not refusal(where, "https://im.runware.ai/image/a.png")
    assert not refusal(where, "https://files.example.com/a.png")
    assert refusal(where, "https://runware.ai.example.com/a.png")
    assert where.tasks == "https://api.runware.ai/v1"
    assert where.authorization("k") == {"Authorization": "Bearer k"}


def test_the_override_moves_the_api_and_must_be_a_server() -> None:
    assert from_environment({OVERRIDE: "http://127.0.0.1:1"}).tasks == "http://127.0.0.1:1/v1"
    with pytest.raises(UsageError):
        from_environment({OVERRIDE: "http://example.com"})
