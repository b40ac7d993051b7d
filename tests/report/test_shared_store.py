from __future__ import annotations

from relightflow.model.attempt import State
from relightflow.model.store_status import RunShare, StoreStatus
from relightflow.report import shared_store
from relightflow.store.marker import StoreMarker
from tests.store.test_claims import KEY, claim


def test_a_store_says_whether_claims_hold_there() -> None:
    good = StoreMarker("a", atomic=True, pairs=300)
    said = shared_store.store_made("s3://b/x/", good, True, 2)
    assert said.splitlines()[0] == "s3://b/x/ is now a shared store; the 2 finished jobs in it stay"
    assert "claims hold: in 300 races" in said
    bad = shared_store.store_made("s3://b/x/", StoreMarker("a", False, 300, 40), False, 0)
    assert "! claims do not hold: both writers won 40 of 300 races" in bad
    assert "--shard" in bad


def test_claims_are_listed_with_their_owner_and_price() -> None:
    found = [claim(), claim(state=State.ACCEPTED, request_id="r", machine="", at=0.0)]
    said = shared_store.claims(found, released=False).splitlines()
    assert said[0] == "2 claims, up to 0.10 USD"
    assert said[2].split() == [
        KEY[:16], "no", "answer", "told", "host-1", "run-1", "1970-01-01", "00:00", "UTC", "0.05", "USD"
    ]  # fmt: skip
    assert shared_store.claims([], released=False) == "no job is claimed"
    assert shared_store.claims(found, released=True).startswith(
        "2 claims released; 0.10 USD counts"
    )


def test_the_documents_name_everything() -> None:
    document = shared_store.claims_document("s3://b/x/", [claim()], released=False)
    assert document["claims"][0] == {
        "key": KEY, "state": "INTENT", "machine": "host-1", "run": "run-1", "attempt": "1" * 32,
        "since": "1970-01-01 00:00 UTC", "price_usd": 0.05, "request_id": "",
    }  # fmt: skip
    made = shared_store.store_document("s3://b/x/", StoreMarker("a", True, 3, 0), True, 0)
    assert (made["kind"], made["claims_hold"], made["races"]) == ("store", True, 3)


def test_a_status_names_the_machines_and_what_the_store_promises() -> None:
    run = RunShare("host-1", "run-1", "spring", 2, 100_000, 1, 50_000, 200_000, 0.0)
    found = StoreStatus("s3://b/x/", "a", True, 300, 0, 2, (run,))
    said = shared_store.status(found)
    assert "jobs are bought once and limits hold" in said
    assert "0.10 USD for 2 calls" in said
    assert "1 job, up to 0.05 USD" in said
    assert said.splitlines()[7].split()[:5] == ["host-1", "run-1", "spring", "2", "0.10"]
    document = shared_store.status_document(found)
    assert document["runs"][0] == {
        "machine": "host-1", "run": "run-1", "recipe": "spring", "calls": 2, "paid_usd": 0.1,
        "claims": 1, "claimed_usd": 0.05, "reserved_usd": 0.2, "last_call": None,
    }  # fmt: skip
    bad = StoreStatus("s3://b/x/", "a", False, 300, 9, 0, (run,) * 21)
    assert "none: both writers won 9 of 300 races" in shared_store.status(bad)
    assert "and 1 earlier run; --json lists all" in shared_store.status(bad)
