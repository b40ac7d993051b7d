from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.emulator.config import ServerRate

MODEL = "segmind-relighting"


def _billed(client: Any) -> int:
    return int(client.emulator.bill()["totals"]["billed"])


@pytest.mark.parametrize(
    ("key", "headers", "words"),
    [
        (None, {}, "Missing Authorization or x-api-key in header"),
        (None, {"Authorization": "Bearer SG_0123456789abcdef"}, "Unauthorized. API key is invalid"),
        ("sg_0123456789abcdef", {}, "Unauthorized. API key is invalid"),
        ("SG_123", {}, "Unauthorized. API key is invalid"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/get-user-credits", "/inference-request/request-history"])
async def test_key_that_is_missing_or_refused_is_401_in_its_own_words(
    connect: Any, key: Any, headers: Any, words: Any, path: Any
) -> None:
    client = await connect()
    answer = await client.get(path, key=key, headers=headers)
    assert answer.status == answer.json["status_code"] == 401
    assert words in answer.json["error"]


async def test_well_formed_key_that_is_not_accepted_is_401(connect: Any) -> None:
    client = await connect(keys=frozenset({"SG_ffffffffffffffff"}))
    assert (await client.run()).status == 401
    assert (await client.ask("GET", "/v1/get-user-credits", "SG_ffffffffffffffff")).status == 200


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        ({"model": "segmind-religthing"}, 404, "Model not found"),
        ({"forbidden": frozenset({MODEL})}, 403, "do not have access"),
        ({"retired": frozenset({MODEL})}, 410, "retired"),
        ({"credits": 49_999}, 406, "Your balance is $0.049999, this request needs $0.05"),
        ({"spend_limit": 49_999}, 406, "spend limit"),
        ({"light_direction": "bottom"}, 406, "'light_direction': 'bottom' is not allowed"),
        ({"light_direction": "bottom", "bad_value_status": 500}, 500, "light_direction"),
        ({"image": 3}, 406, "'image': must be a uri"),
        ({"image": None}, 400, "Missing required field: image"),
    ],
)
async def test_refusal_has_its_status_and_text_and_costs_nothing(
    connect: Any, api: Any, facts: Any, status: Any, words: Any
) -> None:
    fields = ("model", "light_direction", "image")
    client = await connect(**{k: v for k, v in facts.items() if k not in fields})
    answer = await client.run(api, **{k: v for k, v in facts.items() if k in fields})
    assert (answer.status, _billed(client)) == (status, 0)
    assert words in answer.json["error"]


@pytest.mark.parametrize("field", ["image", "light_type"])
async def test_missing_field_is_400_and_named(connect: Any, field: Any) -> None:
    client = await connect()
    body = {"image": "https://example.com/a.jpg", "light_direction": "left"}
    body |= {"light_intensity": "mood", "light_temperature": "warm", "light_type": "softbox"}
    del body[field]
    answer = await client.ask("POST", f"/v1/{MODEL}", json=body)
    assert (answer.status, answer.json["error"]) == (400, f"Missing required field: {field}")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_malformed_body_is_400(connect: Any, body: Any) -> None:
    client = await connect()
    json = {"Content-Type": "application/json"}
    answer = await client.ask("POST", f"/v1/{MODEL}", data=body, headers=json)
    assert answer.status == 400


async def test_other_content_type_is_406_not_415(connect: Any) -> None:
    client = await connect()
    answer = await client.ask("POST", f"/v1/{MODEL}", data=b"{}")
    assert (answer.status, answer.json["error"]) == (406, "Invalid content type")


async def test_credits_run_out(connect: Any) -> None:
    client = await connect(credits=120_000)
    assert [(await client.run()).status for _ in range(4)] == [200, 200, 406, 406]


async def test_submits_over_the_rate_are_429_until_the_window_closes(connect: Any) -> None:
    client = await connect(rate=ServerRate(2, 5.0))
    assert [(await client.run()).status for _ in range(3)] == [200, 200, 429]
    client.clock.shift(5.001)
    assert (await client.run()).status == 200
    assert _billed(client) == 3


@pytest.mark.parametrize(("counts", "status"), [(True, 429), (False, 200)])
async def test_polls_use_up_the_rate_where_it_says_so(
    connect: Any, counts: Any, status: Any
) -> None:
    client = await connect(rate=ServerRate(1, 5.0), rate_counts_polls=counts)
    taken = (await client.run("v2")).json
    assert (await client.get(taken["status_url"])).status == status


async def test_price_of_a_model_can_be_set(connect: Any) -> None:
    client = await connect(prices={MODEL: 70_000})
    assert (await client.run()).headers["x-cost"] == "0.07"
