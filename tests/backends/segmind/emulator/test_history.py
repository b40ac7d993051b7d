from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

PATH = "/inference-request/request-history"


async def _page(client: Any, **query: Any) -> Any:
    return await client.get(PATH, params={k: str(v) for k, v in query.items()})


@pytest.mark.parametrize("envelope", ["list", "data", "results", "items"])
async def test_page_comes_in_the_envelope_it_is_told(connect: Any, envelope: Any) -> None:
    client = await connect(envelope=envelope)
    await client.run()
    body = (await _page(client)).json
    assert len(body if envelope == "list" else body[envelope]) == 1


async def test_row_has_inputs_cost_output_and_times(connect: Any) -> None:
    client = await connect()
    answer = await client.run()
    (row,) = (await _page(client)).json["data"]
    assert row["request_id"] == answer.headers["x-request-id"]
    assert (row["model_name"], row["model_status"]) == ("segmind-relighting", "COMPLETED")
    assert row["credits_deduction"] == 0.05
    assert row["request_body"]["light_direction"] == "left"
    assert row["model_created"].endswith("Z")
    assert (await client.get(row["generation_url"], key=None)).body == answer.body


async def test_request_body_can_be_text(connect: Any) -> None:
    client = await connect(history_body_as_text=True)
    await client.run()
    (row,) = (await _page(client)).json["data"]
    assert isinstance(row["request_body"], str)


async def test_in_flight_and_failed_requests_are_there_and_cost_nothing(connect: Any) -> None:
    plan = "rules: [{at: submit, nth: 1, fault: job-failed, with: {error: no face}}]"
    client = await connect(plan, latency=(60, 60))
    await client.run("v2")
    client.clock.shift(61)
    await client.run("v2")
    rows = (await _page(client)).json["data"]
    assert [row["model_status"] for row in rows] == ["PENDING", "FAILED"]
    assert [row["credits_deduction"] for row in rows] == [0, 0]
    assert [row["error"] for row in rows] == [None, "no face"]


async def test_pages_are_newest_first_and_complete(connect: Any) -> None:
    client = await connect()
    ids = []
    for _ in range(5):
        client.clock.shift(1)
        ids.append((await client.run("v2")).json["request_id"])
    pages = [(await _page(client, page=n, per_page=2)).json["data"] for n in (1, 2, 3, 4)]
    assert [[row["request_id"] for row in page] for page in pages] == [
        [ids[4], ids[3]],
        [ids[2], ids[1]],
        [ids[0]],
        [],
    ]


async def test_rows_can_be_sorted_by_cost_upwards(connect: Any) -> None:
    plan = "rules: [{at: submit, nth: [1, 2], fault: cost, with: {times: 3}}]"
    client = await connect(plan)
    for _ in range(3):
        await client.run()
    rows = (await _page(client, sort_by="credits_deduction", sort_order="asc")).json["data"]
    assert [row["credits_deduction"] for row in rows] == [0.05, 0.15, 0.15]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"model_name": "relighting"}, 2),
        ({"model_name": "ic-light"}, 0),
        ({"status": "COMPLETED"}, 2),
        ({"status": "PENDING"}, 0),
    ],
)
async def test_filters_narrow_the_rows(connect: Any, query: Any, count: Any) -> None:
    client = await connect()
    await client.run()
    await client.run("v2")
    assert len((await _page(client, **query)).json["data"]) == count


async def test_dates_are_inclusive_days_in_utc(connect: Any) -> None:
    client = await connect()
    await client.run()
    client.clock.shift(86400)
    await client.run()
    today = datetime.fromtimestamp(client.clock.now(), UTC).date()
    day = timedelta(days=1)
    counts = [
        len((await _page(client, from_date=since, to_date=until)).json["data"])
        for since, until in ((today, today), (today - day, today), (today - day, today - day))
    ]
    assert counts == [1, 2, 1]


@pytest.mark.parametrize(
    "query",
    [
        {"per_page": 0},
        {"per_page": 101},
        {"page": 0},
        {"page": "x"},
        {"from_date": "2026-01-01", "to_date": "2026-02-02"},
        {"from_date": "2026-01-02", "to_date": "2026-01-01"},
        {"from_date": "01.01.2026"},
        {"to_date": "0001-01-01"},
        {"status": "DONE"},
        {"sort_by": "latency"},
    ],
)
async def test_query_that_cannot_be_is_400(connect: Any, query: Any) -> None:
    client = await connect()
    assert (await _page(client, **query)).status == 400


async def test_window_of_31_days_is_allowed(connect: Any) -> None:
    client = await connect()
    answer = await _page(client, from_date="2026-01-01", to_date="2026-02-01")
    assert answer.status == 200


async def test_history_lags_by_seconds(connect: Any) -> None:
    client = await connect(history_lag=30)
    taken = (await client.run("v2")).json
    one = f"{PATH}/{taken['request_id']}"
    assert (await _page(client)).json["data"] == []
    assert (await client.get(one)).status == 404
    client.clock.shift(31)
    assert len((await _page(client)).json["data"]) == 1
    assert (await client.get(one)).status == 200


async def test_history_lags_by_requests(connect: Any) -> None:
    client = await connect(history_lag_requests=1)
    first = (await client.run("v2")).json["request_id"]
    assert (await _page(client)).json["data"] == []
    await client.run("v2")
    assert [row["request_id"] for row in (await _page(client)).json["data"]] == [first]


async def test_one_request_is_found_at_any_age(connect: Any) -> None:
    client = await connect()
    taken = (await client.run("v2")).json
    client.clock.shift(90 * 86400)
    row = (await client.get(f"{PATH}/{taken['request_id']}")).json
    assert row["request_id"] == taken["request_id"]
    assert (await client.get(f"{PATH}/none")).status == 404
