"""What stands before every model call: key, rate, content type, body, model, values, money."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from relightflow.backends.emulator import fetch
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.assets import ResultFile
from relightflow.backends.emulator.catalogue import CatalogueModel, missing, refused
from relightflow.backends.emulator.clock import reset_text
from relightflow.backends.emulator.provider import EmulatedCall, Provider
from relightflow.backends.emulator.record import Record
from relightflow.backends.segmind.emulator import answers
from relightflow.backends.segmind.emulator.catalogue import CATALOGUE
from relightflow.model.money import Micros

_KEY = re.compile(r"SG_[0-9a-fA-F]{16}")


@dataclass(frozen=True, slots=True)
class _Order:
    """A request that passed every check before money."""

    entry: CatalogueModel
    body: dict[str, Any]
    cost: Micros


def check_key(call: EmulatedCall) -> None:
    """Raise Refused without a key that is accepted. A bearer token counts as a refused key."""
    headers = call.request.headers
    key = headers.get("x-api-key")
    if key is None:
        text = answers.BAD_KEY if "Authorization" in headers else answers.NO_KEY
        raise Refused(answers.auth_error(text))
    keys = call.provider.config.keys
    if not _KEY.fullmatch(key) or (keys and key not in keys):
        raise Refused(answers.auth_error(answers.BAD_KEY))


def check_rate(call: EmulatedCall) -> None:
    """Raise Refused (429) where the window is full."""
    provider = call.provider
    closes = provider.window.take(provider.clock.now())
    if closes is not None:
        raise Refused(_too_many(provider, closes))


def _too_many(provider: Provider, closes: float) -> web.Response:
    """429 as the gateway says it: no Retry-After, only the moment the window closes."""
    text = reset_text(closes + provider.clock.skew, provider.config.reset_format)
    headers = {"x-rate-limit-reset-at-utc": text}
    return answers.error(429, "Rate limit exceeded. Please try again later.", headers)


async def admit(call: EmulatedCall) -> Record:
    """Check a model call and take it: from here on it is in the account. Raises Refused."""
    check_key(call)
    check_rate(call)
    order = await _order(call)
    _check_money(call.provider, order)
    return call.provider.account.accept(_record(call, order))


async def _order(call: EmulatedCall) -> _Order:
    request, provider, config = call.request, call.provider, call.provider.config
    if request.content_type != "application/json":
        raise Refused(answers.error(406, "Invalid content type"))
    raw = await request.read()
    entry = _entry(call)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(answers.error(400, "Malformed request body: not JSON")) from None
    if not isinstance(body, dict):
        raise Refused(answers.error(400, "Malformed request body: not an object"))
    absent = missing(entry, body)
    if absent:
        raise Refused(answers.error(400, f"Missing required field: {absent}"))
    problem = refused(entry, body)
    if problem:
        raise Refused(answers.error(config.bad_value_status, problem))
    body[entry.image_field] = provider.account.share(body[entry.image_field])
    cost = entry.cost(provider.rng, config.prices)
    return _Order(entry, body, round(cost * call.facts.get("cost_times", 1)))


def _entry(call: EmulatedCall) -> CatalogueModel:
    config = call.provider.config
    entry = CATALOGUE.get(call.name) or call.provider.declared.get(call.name)
    hidden = call.api == "v2" and (config.no_v2 or call.name in config.v1_only)
    if entry is None or hidden:
        raise Refused(answers.error(404, f"Model not found: {call.name[:80]}"))
    if call.name in config.retired:
        raise Refused(answers.error(410, f"Model {call.name} has been retired"))
    if call.name in config.forbidden:
        raise Refused(answers.error(403, f"You do not have access to model {call.name}"))
    return entry


def _check_money(provider: Provider, order: _Order) -> None:
    account, limit = provider.account, provider.config.spend_limit
    if account.credits < order.cost:
        raise Refused(answers.insufficient(account.credits, order.cost))
    if limit is not None and account.spent + order.cost > limit:
        raise Refused(answers.spend_limit(limit))


def _record(call: EmulatedCall, order: _Order) -> Record:
    provider, now = call.provider, call.provider.clock.now()
    image = short = order.body[order.entry.image_field]
    problem = call.facts.get("error", "")
    try:
        short = fetch.look(image, provider.assets, now)
    except fetch.Unreachable as reason:
        problem = problem or f"Unable to fetch the input image: {reason}"
    seconds = call.facts.get("seconds", provider.latency(order.entry.seconds))
    request_id = str(uuid.uuid4())
    count = 0 if problem else int(order.body.get("number_of_images") or 1)
    seed = order.body.get("seed")
    media_type = _media_type(order)
    return Record(
        request_id=request_id,
        api=call.api,
        model=call.name,
        body=order.body,
        image=short,
        cost=0 if problem else order.cost,
        created=now,
        starts=now + seconds * 0.1,
        done=now + seconds,
        expires=now + call.facts.get("life", provider.config.record_life),
        outputs=_promise(call, request_id, count, now),
        media_type=media_type,
        seed=seed if isinstance(seed, int) else provider.rng.getrandbits(31),
        remaining=0,
        error=problem,
        hidden=bool(call.facts.get("hidden")),
    )


def _promise(call: EmulatedCall, request_id: str, count: int, now: float) -> tuple[str, ...]:
    provider = call.provider
    expires = now + provider.config.output_life
    outputs = (ResultFile(request_id, index, expires) for index in range(count))
    return tuple(provider.assets.promise(output) for output in outputs)


def _media_type(order: _Order) -> str:
    """What the outputs are, where the model lets the caller choose."""
    choice = order.entry.model.parameter("output_format")
    return f"image/{order.body.get('output_format') or choice.default}" if choice else ""
