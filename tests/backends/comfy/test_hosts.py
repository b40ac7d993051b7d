from __future__ import annotations

from relightflow.backends.comfy.hosts import ComfyHosts
from relightflow.backends.http.hosts import in_force, refusal


def test_results_come_from_the_router_its_partners_and_those_of_the_operator() -> None:
    where = in_force(ComfyHosts(), {}, ("files.example.com",))
    assert not refusal(where, "https://storage.comfy.org/a.png")
    assert not refusal(where, "https://files.example.com/a.png")
    assert refusal(where, "https://storage.googleapis.com/anybody/a.png")
    assert where.run("bria/image-edit-relight") == (
        "https://api.comfy.org/v2/models/bria/image-edit-relight"
    )
    assert where.estimate("a/b").endswith("/v2/models/a/b/estimate")
