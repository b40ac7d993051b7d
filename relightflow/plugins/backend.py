"""The protocol of a backend: what relights.

relightflow decides, the backend speaks: it owns no retry, no rate limit, no budget and no storage.
It answers each call with a step, or raises `CallFailed` with a failure that says above all whether
the call was billed. What it must never do: send one submit twice, or follow a redirect with a key.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Evidence
from relightflow.model.failure import Failure
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.step import ResultKnown, Step
from relightflow.model.values import FrozenMap

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One billable call."""

    job: Job
    """What is to be made: image, model, parameters."""
    prepared: Any
    """What this backend's `prepare` gave for the job's image; None where the call is sent again."""
    name: str = ""
    """32 hex digits: a UUID (version 4) of ours that no other call bears. Durable before the first byte
    leaves; where the provider lets the caller name a call, this is the name to give it."""
    body: bytes = field(default=b"", repr=False)
    """With a settlement by key: what `request_body` gave, to be sent as it is. Otherwise empty."""


_METHODS = (
    "open", "close", "prepare", "submit", "collect", "intent_details", "balance", "server_time",
    "look_up", "bill", "request_body", "fetcher", "maker", "prepare_apart",
)  # fmt: skip
"""All that relightflow calls of a backend."""


class Memory(Protocol):
    """Small durable notes of the backend's own, kept in the ledger across runs."""

    def recall(self, key: str) -> str | None:
        """What was remembered under `key`; None: nothing."""

    async def remember(self, key: str, value: str) -> None:
        """Durable once it returns."""

    async def forget(self, key: str) -> None:
        """`recall` gives None from now on."""


class Backend:
    """The base class of every backend. `submit` must be written; the rest has a default.

    What a provider can do beside that is a method more: `intent_details`, `balance`, `server_time`,
    `look_up`, `bill`, `request_body` (see the protocols below). A method whose name is nearly one of these is refused when the
    class is made, because relightflow would never call it.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in vars(cls):
            near = difflib.get_close_matches(name, _METHODS, 1, 0.75)
            if (
                callable(vars(cls)[name])
                and name not in _METHODS
                and not name.startswith("_")
                and near
            ):
                raise TypeError(
                    f"{cls.__qualname__}.{name} is not a method of a backend: did you mean "
                    f"'{near[0]}'? "
                    "Begin the names of your own methods with an underscore"
                )

    async def open(self) -> None:
        """Called once before anything else. Free of charge; raises `AccountError` without a key."""

    async def close(self) -> None:
        """Called once at the end, also after a failure; gives back every connection."""

    async def prepare(self, image: Image, data: bytes) -> Any:  # noqa: ARG002  for those who override it
        """Whatever a call needs of an image (decoded pixels, an uploaded copy's URL). Never billed.

        `data` hashes to `image.sha256`. Called once for many jobs and cached for as long as those
        jobs run; heavy work belongs in a thread. Raises `CallFailed`. The default gives `data`.
        """
        return data

    async def submit(self, call: Call) -> Step:
        """Make the one billable call and say how far it came.

        The engine has written INTENT and writes the step down before it asks for the next.
        Raises `CallFailed` with the failure where there is no step. With a settlement by key it is
        asked again for a call whose outcome is unknown: see `HasRequestBody`.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has no `submit`")

    async def collect(self, step: Step) -> Step:
        """The step after `step`: polls, downloads; never billed and safe to repeat. After `Accepted` and
        `PaidUnfetched` comes `ResultKnown` or `Completed`, after `ResultKnown` `Completed`. A call that is still running raises `CallFailed` with `FailureKind.PENDING`.

        `step` may come from the ledger of an earlier process. Raises `CallFailed`. The default is
        for backends whose `submit` gives `Completed`.
        """
        return step


@dataclass(frozen=True, slots=True)
class Settlement:
    """How it is found out what became of a call whose answer got lost."""

    by: Literal["none", "lookup", "key"] = "none"
    """`none`: a person decides. `lookup`: the provider's records are asked (`HasLookUp`). `key`: the
    provider takes the name that we give a call, and makes and bills no second call of that name, so
    the same call is sent again (`HasRequestBody`); what that leaves open is looked up, where there is
    a `look_up`."""
    seconds: float = 0.0
    """With `key`: how long the provider certainly remembers a name. Nothing is sent again later than
    that, by the provider's own clock, with a tenth to spare."""

    def problem(self, backend: object) -> str:
        """What a backend lacks for it, in words; empty where nothing is missing."""
        if self.by == "key" and self.seconds <= 0:
            return (
                "settles by key, and its `seconds` say that the provider forgets every name at once"
            )
        wanted = {
            "none": (),
            "lookup": (("look_up", HasLookUp),),
            "key": (("request_body", HasRequestBody), ("server_time", HasServerTime)),
        }
        for name, protocol in wanted[self.by]:
            if not isinstance(backend, protocol):
                return f"settles by {self.by}, which needs the method `{name}`"
        if self.by == "none" and isinstance(backend, HasLookUp):
            return "has `look_up`, which is never called unless its record has settlement=Settlement('lookup')"
        if self.by != "key" and isinstance(backend, HasRequestBody):
            return "has `request_body`, which is never called unless its record has a settlement by key"
        return ""


UNSETTLED = Settlement()


@runtime_checkable
class HasRequestBody(Protocol):
    """A backend whose provider takes our name for a call: with `Settlement("key", …)`.

    `submit` may be called again for a call of which nobody knows whether it arrived, also in another
    process, with the same name, the same body, and no `prepared`. It answers with the step that the
    call has reached, `Accepted` or `ResultKnown`, whether it was taken then or now. `CallFailed` with
    `PENDING`: the first one still runs, ask again after `retry_after`. With `EXPIRED`: the name is
    used, and the provider does not say what became of it. Anything else that says `Billed.NO` and
    is about the call itself (`JOB_FAILED`, `REFUSED_CELL`, `REFUSED_MODEL`, `BAD_IMAGE`) must prove that
    no call of that name was billed, the earlier one included.
    """

    def request_body(self, call: Call) -> bytes:
        """All that is sent for `call`, name included where it stands in the body, without secrets.

        Asked for just before INTENT, and kept in a file until the outcome is known. Quick and pure.
        """


@runtime_checkable
class HasIntentDetails(Protocol):
    """A backend that wants to find a call again whose answer got lost."""

    def intent_details(self, call: Call) -> FrozenMap:
        """What `HasLookUp.look_up` needs beside the attempt's own fields: JSON only, no secrets.

        Asked for just before `submit`, and written into the details of INTENT. Quick and pure. With a
        settlement by key, `account` should be a digest of the key that is used: under another one the
        provider would not know the call's name, so it is not sent again. There it is asked for calls
        without `prepared` too.
        """


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account holds, in micro-dollars."""

    credits: Micros
    """Micro-dollars."""
    free_credits: Micros = 0
    """Micro-dollars."""


@runtime_checkable
class HasBalance(Protocol):
    """A backend whose account can be asked, free of charge; also the circuit breaker's probe."""

    async def balance(self) -> Balance:
        """Free of charge and quick. Raises `CallFailed`."""


@runtime_checkable
class HasServerTime(Protocol):
    """A backend that knows the time at its provider. It is written into INTENT, and a rolling budget
    (`limits.budget`) goes by it, so that a wrong clock of this machine frees nothing."""

    def server_time(self) -> float | None:
        """The provider's Unix seconds, from the `Date` of its answers; None: no answer told it yet.
        Asked for after `open` and `balance`, and before every call. Quick and pure."""


@runtime_checkable
class HasFetcher(Protocol):
    """A backend whose results can be downloaded by another machine, without its key."""

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes] | None:
        """What downloads the result in another process, with the checks and bounds of `collect`; it can be
        pickled, and bears no secret but the URL of this result. It blocks, and raises `CallFailed`.
        None: it must be downloaded here. Quick and pure."""


@runtime_checkable
class HasMaker(Protocol):
    """A backend that is free and can make a whole job on another machine."""

    def maker(self, job: Job) -> Callable[[bytes], bytes] | None:
        """What makes the job of its input image's bytes in another process, the same bytes as `submit`
        gives, if that gives the same twice; it can be pickled and bears no secret. It blocks, and raises `CallFailed`. None: it must
        be made here. Raises `CallFailed` where the job is refused. Quick and pure. It is never asked
        for a job that has a price. `intent_details` is given a call whose `prepared` is None then.

        One that may take longer than three minutes bears an attribute `seconds`: for so long an answer is
        waited for before the job is made here."""


Send = Callable[[Callable[[bytes], T]], Awaitable[T]]
"""Given what uploads bytes, has a worker call it with those of an image; it gives what that returned."""


@runtime_checkable
class HasUploader(Protocol):
    """A backend whose provider takes an image at a URL of its own, so that another machine can upload it
    without the key."""

    async def prepare_apart(self, image: Image, send: Send[Any]) -> Any:
        """As `prepare`, without the bytes: what is given to `send` uploads them in another process. It can be
        pickled, and bears no secret but the URL of exactly this upload; it blocks, and raises OSError or
        `CallFailed`. What comes of it may be uploaded twice.

        None: it must be prepared here, as where nothing is uploaded. Raises `CallFailed`, and what `send`
        raises where no worker does it: then `prepare` is asked."""


@dataclass(frozen=True, slots=True)
class RecordsQuery:
    """Attempts whose outcome is unknown, and what the ledger knows that helps to settle them."""

    doubts: tuple[Attempt, ...]
    """Calls that may have been taken: no answer came, or the provider forgot the request."""
    known: tuple[Attempt, ...]
    """Calls of our own that the provider certainly took, by request id, from before, between and
    after the doubts: if the records do not show these as they were sent, they prove nothing."""
    known_ids: frozenset[str]
    """Request ids that belong to other attempts; `known` is only part of them."""
    lag: float
    """Seconds for which the records may lack a call that was taken."""


Retry = Callable[[Failure], Awaitable[None]]
"""Waits until a read that failed may be repeated; raises `CallFailed` where it is not worth it."""


@dataclass(frozen=True, slots=True)
class BillRow:
    """One billed or unbilled request, as the provider's records have it."""

    request_id: str
    """The provider's id."""
    model: str
    """The model's name, as the provider has it."""
    status: str
    """The provider's word."""
    cost: Micros
    """Micro-dollars; 0: not billed."""
    created: float
    """Unix seconds."""


@runtime_checkable
class HasLookUp(Protocol):
    """A backend that can look up doubtful attempts, free of charge and read-only."""

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        """What became of `query.doubts`; every one of them is in the answer exactly once.

        Absence is answered only where it is proven: the records were read whole, twice and alike;
        calls of `query.known` from before and after the attempt are in them and look as they were
        sent; `query.lag` seconds of the provider's time have passed. A wrong 'absent' is paid twice;
        'undecided' costs a wait. Equal attempts are matched as a set. A read that fails goes to
        `retry`, and is repeated when that returns. Raises `CallFailed`.
        """


@runtime_checkable
class HasHistory(HasLookUp, Protocol):
    """A backend whose provider lists all calls of the account, for `relightflow reconcile`."""

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        """Every request in the period (Unix seconds). Raises `CallFailed`."""
