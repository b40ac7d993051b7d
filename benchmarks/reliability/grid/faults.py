"""The table of faults: one row each, and what must come of it with every provider.

The connection, the answer to a submit, refusals, limits, the price, polls, downloads. What only one provider
can do wrong stands in the tests of its adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.reliability.grid import terms as t
from benchmarks.reliability.grid.terms import PROVIDERS, Act, Ending, Fault, NotHere
from relightflow.errors import Exit

_GROUPS = {
    "segmind v2": ("segmind", "queued", "records"),
    "segmind v1": ("segmind", "held", "records"),
    "fal": ("queued", "records"),
    "replicate": ("queued", "records"),
    "runware": ("queued", "named"),
    "comfy": ("held", "named"),
    "comfyui": ("queued", "free"),
}
"""What a row may say for several providers at once: whether a call is answered at once and polled, or its
request is held until it is done; whether a doubt is settled by records, by our name, or costs nothing."""
_NAMED = NotHere("our name for the call settles it, and no record is needed for that")
_FREE = NotHere(
    "nothing costs, so nothing is in doubt: what is not known to be there is made again"
)
_NO_POLL = NotHere("the answer to the call is its result: nothing is polled")
_BYTES = NotHere("the answer to the call is the image itself, or has it inside")
_NO_ACCOUNT = NotHere("a server of one's own has no key, no account and no price")
_UNDOCUMENTED = NotHere("the provider documents no such answer")


def _ends(every: Ending | NotHere, **others: Ending | NotHere) -> Mapping[str, Ending | NotHere]:
    """`others` by provider (`segmind_v1`) or by group, the provider first."""

    def of(provider: str) -> Ending | NotHere:
        names = (provider.replace(" ", "_"), *_GROUPS[provider])
        return next((others[name] for name in names if name in others), every)

    unknown = set(others) - {n for p in PROVIDERS for n in (p.replace(" ", "_"), *_GROUPS[p])}
    assert not unknown, unknown
    return {provider: of(provider) for provider in PROVIDERS}


def _saying(ending: Ending, *words: str) -> Ending:
    return replace(ending, said=(*ending.said, *words))


def _connection() -> Iterator[Fault]:
    yield Fault(
        "refused once", "nobody listens", Act("refuse"),
        _ends(t.LATER, named=t.AWAY, free=t.AGAIN),
    )  # fmt: skip
    for name, what, act in (
        ("reset, taken", "the connection is reset once the call is taken", Act("reset")),
        ("closed, taken", "the connection is closed once the call is taken", Act("close")),
        ("no answer in time", "the call is taken, and the server stays silent", Act("silent")),
        ("answer cut short", "the call is taken, and half of the answer arrives", Act("cut")),
    ):
        yield Fault(name, what, act, _ends(t.MADE, free=t.AGAIN))
    yield Fault(
        "reset, not taken", "the connection is reset, and the call is not taken",
        Act("reset", taken=False), _ends(t.LATER, named=t.MADE, free=t.AGAIN),
    )  # fmt: skip
    for name, kind in (
        ("reset, no record", "reset"),
        ("no answer in time, no record", "silent"),
        ("answer cut short, no record", "cut"),
    ):
        held = replace(t.HELD, said=("billed, 0.", "unknown outcomes remain"))
        v1 = held if kind == "cut" else t.HELD
        yield Fault(
            name, "the same, and no record ever shows it", Act(kind, recorded=False),
            _ends(t.HELD, segmind_v1=v1, named=_NAMED, free=_FREE),
        )  # fmt: skip
    yield Fault("drip", "the answer comes in pieces", Act("drip"), _ends(t.MADE))


def _answers() -> Iterator[Fault]:
    for body, what in (("empty", "nothing"), ("HTML", "a page"), ("garbage", "noise")):
        act = Act(body.lower())
        yield Fault(
            f"{body} body", f"the call is taken, and the answer is {what}", act,
            _ends(t.MADE, segmind_v2=t.MADE, free=t.AGAIN),
        )  # fmt: skip
        yield Fault(
            f"{body} body, no record", "the same, and no record ever shows it",
            replace(act, recorded=False),
            _ends(t.HELD, segmind_v1=t.PAID, named=_NAMED, free=_FREE),
        )  # fmt: skip
    for value in ("missing", None, 17, "../../etc/passwd"):
        yield Fault(
            f"request id {'null' if value is None else value}",
            "the answer names the call so", Act("id", value=value, recorded=False),
            _ends(
                t.HELD, segmind_v1=NotHere("the image comes with the answer, whatever its id"),
                runware=t.MADE, comfy=NotHere("the answer names no call"), comfyui=t.AGAIN,
            ),
        )  # fmt: skip
    yield Fault(
        "redirect",
        "the answer leads to another host",
        Act("redirect", times=0, taken=False),
        _ends(t.REFUSED),
    )
    for kind, what in (("oversize", "endless"), ("bomb", "endless once it is unpacked")):
        v1 = Ending("unknown, held", Exit.EARLY, 2, Exit.UNKNOWN, said=("it was paid",))
        yield Fault(
            kind, f"the call is taken, and the answer is {what}", Act(kind),
            _ends(t.MADE, free=t.AGAIN),
        )  # fmt: skip
        yield Fault(
            f"{kind}, no record", "the same, and no record ever shows it",
            Act(kind, recorded=False), _ends(t.HELD, segmind_v1=v1, named=_NAMED, free=_FREE),
        )  # fmt: skip
    for code, body in ((502, "html"), (503, "html"), (504, "none")):
        act = Act("status", value=code, body=body)
        yield Fault(
            f"{code} with {body}", "a proxy's answer; the call is taken, and never shown",
            replace(act, recorded=False), _ends(t.HELD, named=_NAMED, free=_FREE),
        )  # fmt: skip
        yield Fault(
            f"{code} with {body}, and recorded", "a proxy's answer, and the call is taken", act,
            _ends(t.MADE, free=t.AGAIN),
        )  # fmt: skip
        yield Fault(
            f"{code} with {body}, not taken", "a proxy's answer, and the call never arrived",
            replace(act, taken=False), _ends(t.LATER, named=t.MADE, free=t.AGAIN),
        )  # fmt: skip


def _refusals() -> Iterator[Fault]:
    cell = Act("refusal", times=0, cell=True)
    for name, what, kind in (
        ("400", "the request is called malformed", "malformed"),
        ("406 of a value", "a value is refused", "value"),
    ):
        yield Fault(
            name,
            what,
            replace(cell, value=kind),
            _ends(
                t.FAILED,
                named=t.BOTH_FAIL,
                free=_ONE_FAILS,
                fal=_422 if kind == "value" else t.FAILED,
            ),
        )
    yield Fault(
        "500 of a value", "a value is refused with a server's error", replace(cell, value="value as 500"),
        _ends(_UNDOCUMENTED, segmind=_saying(t.FAILED, "Invalid light_type")),
    )  # fmt: skip
    every = Act("refusal", times=0)
    rows: tuple[tuple[str, str, str, Ending, dict[str, Ending | NotHere]], ...] = (
        ("key refused", "the key is not accepted", "key", _saying(t.ACCOUNT, "key"), {}),
        ("no key arrived", "the key is called missing", "no key", _saying(t.ACCOUNT, "key"), {"fal": _UNDOCUMENTED, "replicate": _UNDOCUMENTED, "named": _UNDOCUMENTED}),
        ("403", "the account may not use the model", "forbidden", t.ACCOUNT, {"free": t.ACCOUNT}),
        ("410", "the model is retired", "retired", t.MODEL, {"fal": _UNDOCUMENTED, "runware": _UNDOCUMENTED}),
        ("404", "the model does not exist", "no model", t.MODEL, {}),
        ("credits run out", "the credits last for one call", "credits", _saying(t.SPENT, "credits"), {"fal": _saying(t.ACCOUNT, "balance"), "replicate": _saying(t.ACCOUNT, "credit"), "named": t.ACCOUNT}),
        ("spend limit", "a spend limit is reached", "spend limit", _saying(t.SPENT, "limit"), {"fal": _UNDOCUMENTED, "replicate": _UNDOCUMENTED, "named": _UNDOCUMENTED}),
    )  # fmt: skip
    for name, what, kind, ending, more in rows:
        yield Fault(
            name, what, replace(every, value=kind), _ends(ending, **{"free": _NO_ACCOUNT, **more})
        )
    alone = {
        name: NotHere("only fal may bill a 422")
        for name in ("segmind", "replicate", "named", "free")
    }
    doubt = replace(t.HELD, billed=1, end=1, said=("may bill that", "no subject"))
    yield Fault(
        "422 at submit, not taken", "a 422 to the call itself", Act("status", value=422, taken=False),
        _ends(replace(_ASKS, said=("nothing more was sent", "The next purchase settles it")), **alone),
    )  # fmt: skip
    yield Fault(
        "refused with a 422", "the call is taken, and its result is a 422",
        Act("failed", times=0, cell=True, value="refused: no subject"), _ends(doubt, **alone),
    )  # fmt: skip
    yield Fault(
        "405 in HTML", "a page says that the method is not allowed",
        Act("status", times=0, value=405, body="html", taken=False),
        _ends(t.MODEL, fal=t.DOUBT, replicate=t.DOUBT, named=t.DOUBT, free=t.WAITS),
    )  # fmt: skip
    yield Fault(
        "406 nobody knows", "a refusal in words that nobody knows", replace(every, value="unheard of"),
        _ends(_UNDOCUMENTED, segmind=_saying(t.ACCOUNT, "Moon in Scorpio"), named=t.DOUBT),
    )  # fmt: skip


def _limits() -> Iterator[Fault]:
    for reset in ("good", "missing", "garbage", "past"):
        yield Fault(
            f"429, reset {reset}", f"too many calls; when it is over, is {reset}",
            Act("limited", value=reset), _ends(t.MADE, free=_NO_ACCOUNT),
        )  # fmt: skip
    yield Fault(
        "429, reset far", "too many calls, for a day", Act("limited", times=0, value="far"),
        _ends(t.WAITS, fal=_UNDOCUMENTED, replicate=_UNDOCUMENTED, free=_NO_ACCOUNT),
    )  # fmt: skip
    for code in (500, 502, 504):
        act = Act("status", value=code, taken=False)
        yield Fault(
            f"{code} in JSON once", "the provider's own word that it failed; not taken", act,
            _ends(t.MADE, fal=t.LATER, replicate=t.LATER, segmind_v1=t.LATER if code == 504 else t.MADE, free=t.AGAIN),
        )  # fmt: skip
        yield Fault(
            f"{code} in JSON, taken", "the same, and the call is taken and never shown",
            replace(act, taken=True, recorded=False),
            _ends(t.HELD, segmind=_SAYS_UNBILLED, segmind_v1=t.HELD if code == 504 else _SAYS_UNBILLED, named=t.MADE, free=t.AGAIN),
        )  # fmt: skip
    yield Fault(
        "502 in JSON for ever", "the same in every answer",
        Act("status", times=0, value=502, taken=False, cell=True), _ends(t.FAILED, fal=t.PROVEN, replicate=t.PROVEN, named=t.DOUBT, free=t.AGAIN),
    )  # fmt: skip


_ASKS = Ending("run stops", Exit.UNKNOWN, 0, Exit.EARLY, 1)
_ONE_FAILS = replace(t.REMADE, end=2)
_422 = NotHere("a refused value is a 422, which may be billed: a row of its own")
_SAYS_UNBILLED = NotHere("the provider documents this answer as not billed")


def _price() -> Iterator[Fault]:
    for value in ("missing", "NaN", -1):
        yield Fault(
            f"cost {value}", "the answer tells the cost so",
            Act("cost", "result", times=0, value=value), _ends(t.MADE, replicate=_SECONDS, free=_NO_ACCOUNT),
        )  # fmt: skip
    yield Fault(
        "twice the price", "one call is charged twice its price",
        Act("charge", "result", value=2.0), _ends(t.DEAR, fal=_FLAT, replicate=_SECONDS, free=_NO_ACCOUNT),
    )  # fmt: skip
    yield Fault(
        "the cap is reached", "nothing: the cap holds one call", Act("nothing"),
        _ends(t.CAPPED, free=_NO_ACCOUNT), cap=70_000,
    )  # fmt: skip


_SECONDS = NotHere("the answer tells the seconds that the call ran, and no cost")
_FLAT = NotHere("the answer tells no cost of a model with a fixed price")


def _polls() -> Iterator[Fault]:
    yield Fault(
        "unknown status word",
        "a state that nobody documents",
        Act("word", "status", 2),
        _ends(_saying(t.MADE, "WARMING_UP"), runware=t.MADE, held=_NO_POLL, free=_UNDOCUMENTED),
    )
    yield Fault(
        "job failed", "the call is taken, runs and fails", Act("failed", times=0, cell=True, value="No face found"),
        _ends(_saying(t.FAILED, "No face found"), replicate=_saying(t.RAN, "No face found"), runware=_saying(t.COUNTED, "No face found"), comfy=NotHere("a call that fails is one of its refusals"), comfyui=t.REMADE),
    )  # fmt: skip
    yield Fault(
        "404 for a while", "the call is not there, for three polls",
        Act("status", "poll", 3, value=404), _ends(t.MADE, held=_NO_POLL),
    )  # fmt: skip
    yield Fault(
        "expired, and recorded", "the call is forgotten, and its record is there", Act("expired"),
        _ends(t.MADE, replicate=t.LOST, held=_NO_POLL, free=_FREE),
    )  # fmt: skip
    yield Fault(
        "expired, no record", "the call is forgotten, and so is its record",
        Act("expired", recorded=False), _ends(t.HELD, replicate=t.LOST, held=_NO_POLL, comfyui=t.REMADE),
    )  # fmt: skip
    for name, kind, value, body in (
        ("a 500", "status", 500, "json"), ("a 502 in HTML", "status", 502, "html"),
        ("a proxy's 422", "status", 422, "html"),
        ("a reset", "reset", None, ""), ("silence", "silent", None, ""), ("a 429", "limited", "good", ""),
        ("nothing", "empty", None, ""), ("a page", "html", None, ""), ("noise", "garbage", None, ""),
        ("half an answer", "cut", None, ""), ("a clock that is ahead", "skew", 4000, ""),
    ):  # fmt: skip
        yield Fault(
            f"polls meet {name}", f"four polls meet {name}",
            Act(kind, "poll", 4, value=value, body=body or "json"), _ends(t.MADE, held=_NO_POLL),
        )  # fmt: skip
    yield Fault(
        "urls of the submit lead away", "the answer's own URLs lead to another host",
        Act("links", times=0, value="http://127.0.0.1:9/x"),
        _ends(t.MADE, held=_NO_POLL, named=NotHere("the answer has no such URL"), free=NotHere("the answer has no such URL")),
    )  # fmt: skip


def _files() -> Iterator[Fault]:
    yield Fault(
        "upload fails for a while", "two uploads are answered with a 500",
        Act("status", "upload", 2, value=500),
        _ends(t.MADE, named=NotHere("the image is part of the request")),
    )  # fmt: skip
    for url in ("https://example.com/a.jpg", "http://10.0.0.1/a.jpg", "http://169.254.169.254/a"):
        yield Fault(
            f"the result is at {url}", "the result's URL leads there",
            Act("elsewhere", "result", 2, value=url),
            _ends(t.ELSEWHERE, segmind_v1=_BYTES, free=NotHere("the result is asked for by its name, at the same server")),
        )  # fmt: skip
    kinds: tuple[tuple[str, str, int, Ending, Any], ...] = (
        ("download cut", "cut", 2, t.MADE, None),
        ("download short", "short", 1, t.MADE, None),
        ("download fails for a while", "status", 3, t.MADE, 503),
        ("download always cut off", "reset", 40, t.FETCHED, None),
        ("download spoilt once", "garbage", 1, t.MADE, None),
        ("download is garbage for a while", "garbage", 5, t.MADE, None),
        ("download is empty for a while", "empty", 5, t.MADE, None),
        ("download is a page for a while", "html", 5, t.MADE, None),
        ("download too large", "oversize", 1, t.FETCHED, None),
        ("download under a wrong type", "type", 0, t.MADE, None),
    )
    for name, kind, times, ending, value in kinds:
        yield Fault(
            name, "the result's file is spoilt so", Act(kind, "download", times, value=value),
            _ends(ending, segmind_v1=_BYTES),
        )  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    *_connection(),
    *_answers(),
    *_refusals(),
    *_limits(),
    *_price(),
    *_polls(),
    *_files(),
)
