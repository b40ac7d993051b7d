from __future__ import annotations

from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.http.hosts import refusal


def test_a_request_is_polled_under_owner_and_name_alone() -> None:
    found = FalHosts().result("bria/fibo-edit/relight", "abc")
    assert found == "https://queue.fal.run/bria/fibo-edit/requests/abc"


def test_results_come_from_fals_own_storage() -> None:
    assert refusal(FalHosts(), "https://v3b.fal.media/files/a.png") == ""
    assert refusal(FalHosts(), "https://fal.media.example.com/a.png")
    assert refusal(FalHosts(), "https://example.com/a.png")
