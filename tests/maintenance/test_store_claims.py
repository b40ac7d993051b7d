from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.errors import StorageError, UsageError
from relightflow.maintenance import store_claims
from relightflow.maintenance.store_claims import list_claims, release
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.objects.bucket import opened
from relightflow.store.shared import SharedStore
from tests.conftest import make_store
from tests.store.test_claims import KEY, LABEL, claim


@pytest.fixture
def store(tmp_path: Path) -> SharedStore:
    return SharedStore(opened(make_store(f"file://{tmp_path}/store"), files=True))


def test_a_released_claim_is_gone_and_its_price_counts_as_spent(store: SharedStore) -> None:
    store.claims.create(LABEL, claim())
    assert list_claims(store) == (claim(),)
    assert release(store, [KEY[:10]]) == (claim(),)
    assert list_claims(store) == ()
    (cost,) = store.costs.all()
    assert (cost.recipe, cost.key, cost.cost, cost.attempt) == ("spring", KEY, 50_000, "1" * 32)


def test_what_a_run_can_collect_is_not_released(store: SharedStore) -> None:
    store.claims.create(LABEL, claim(state=State.ACCEPTED, request_id="r-1"))
    with pytest.raises(UsageError, match="request r-1"):
        release(store, [KEY])
    assert list_claims(store)


def test_a_claim_whose_owner_goes_on_meanwhile_is_not_released(
    store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its claim the request id would be gone, and the next run would buy the job again."""
    store.claims.create(LABEL, claim())
    read = store_claims.list_claims

    def slowly(store: SharedStore) -> tuple[JobClaim, ...]:
        found = read(store)
        store.claims.put(LABEL, claim(state=State.ACCEPTED, request_id="r-1"))
        return found

    monkeypatch.setattr(store_claims, "list_claims", slowly)
    with pytest.raises(UsageError, match=r"has changed since .* and 0 of the 1 chosen claims were"):
        release(store, [KEY])
    assert [found.request_id for found in read(store)] == ["r-1"]
    assert not list(store.costs.all())


@pytest.mark.parametrize("job", ["", "0", "zz"])
def test_a_job_that_nobody_claimed_is_an_error_and_changes_nothing(
    store: SharedStore, job: str
) -> None:
    store.claims.create(LABEL, claim())
    with pytest.raises(UsageError, match="nobody has claimed"):
        release(store, [KEY, job])
    assert list_claims(store)


def test_a_place_that_is_no_store_has_no_claims(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        list_claims(SharedStore(opened(f"file://{tmp_path}", files=True)))
