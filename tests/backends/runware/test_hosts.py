from __future__ import annotations

from relightflow.backends.http.hosts import in_force, refusal
from relightflow.backends.runware.hosts import RunwareHosts


def test_results_come_from_the_providers_own_host_and_those_of_the_operator() -> None:
    where = in_force(RunwareHosts(), {}, ("Files.Example.com",))
    assert not refusal(where, "https://im.runware.ai/image/a.png")
    assert not refusal(where, "https://files.example.com/a.png")
    assert refusal(where, "https://runware.ai.example.com/a.png")
    assert where.tasks == "https://api.runware.ai/v1"
