from __future__ import annotations

import math

import pytest

from relightflow.backends.fal.hosts import OVERRIDE, SETTLING, FalHosts, from_environment
from relightflow.backends.http.hosts import refusal
from relightflow.errors import UsageError


def test_a_request_is_polled_under_owner_and_name_alone() -> None:
    found = FalHosts().result("bria/fibo-edit/relight", "abc")
    assert found == "https://queue.fal.run/bria/fibo-edit/requests/abc"


def test_results_come_from_fals_own_storage() -> None:
    assert refusal(FalHosts(), "https://v3b.fal.media/files/a.png") == ""
    assert refusal(FalHosts(), "https://fal.media.example.com/a.png")
    assert refusal(FalHosts(), "https://example.com/a.png")


def test_one_server_can_stand_for_all_hosts() -> None:
    found = from_environment({OVERRIDE: "http://127.0.0.1:8080", SETTLING: "3"})
    bases = {found.api, found.platform, found.storage, found.uploads}
    assert bases == {"http://127.0.0.1:8080"}
    assert found.settling == 3.0


def test_only_a_server_on_this_machine_settles_sooner() -> None:
    away = {OVERRIDE: "https://stand-in.example.com", SETTLING: "3"}
    assert from_environment(away).settling == math.inf
    with pytest.raises(UsageError, match=SETTLING):
        from_environment({OVERRIDE: "http://127.0.0.1:80", SETTLING: "soon"})


def test_the_key_goes_into_the_header_that_fal_reads() -> None:
    assert FalHosts().authorization("a:b") == {"Authorization": "Key a:b"}
