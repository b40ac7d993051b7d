"""What the provider of these tests can be told to do: one field for every fact that nobody has
checked, and for every fault that was seen in the world.

The defaults are the documented provider. A test changes fields at any time, also between two runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = "application/json"
HTML = "text/html; charset=utf-8"
FOREVER = 10**9


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that replaces the documented one."""

    status: int
    body: str
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


HTML_422 = Answer(422, "<html><h1>422 Unprocessable</h1>upstream said no</html>", HTML)
HTML_404 = Answer(404, "<html><h1>Not Found</h1>nginx</html>", HTML)
HTML_500 = Answer(500, "<html><h1>Internal Server Error</h1>squid</html>", HTML)
HTML_502 = Answer(502, "<html><h1>Bad Gateway</h1>squid</html>", HTML)
HTML_403 = Answer(403, "<html><h1>Forbidden</h1>Corporate web filter</html>", HTML)
HTML_200 = Answer(200, "<html><h1>Please sign in</h1>Airport Wi-Fi</html>", HTML)
PROXY_422 = Answer(422, '{"detail": [{"loc": ["body"], "msg": "unprocessable"}]}')
PROXY_500 = Answer(500, '{"message": "proxy: upstream prematurely closed", "code": 500}')
PROXY_404 = Answer(404, '{"code": "route_not_found", "message": "no such route"}')
PROXY_FAILED = Answer(422, '{"status": "FAILED", "reason": "quota of the proxy"}')
OTHERS_FAILURE = Answer(
    422,
    '{"status": "FAILED", "request_id": "99999999-9999-4999-8999-999999999999",'
    ' "error": "somebody else\'s job failed", "metrics": {}}',
)
LIMITED = Answer(429, '{"error": "Rate limit exceeded"}')


@dataclass(slots=True)
class Fault:
    """Gives `answer` to the first `times` requests that it meets, then nothing any more."""

    answer: Answer
    times: int = FOREVER

    def take(self) -> Answer | None:
        if self.times <= 0:
            return None
        self.times -= 1
        return self.answer


@dataclass(slots=True)
class Records:
    """How the request history is told."""

    lag: float = 0.0
    """Seconds of the provider's clock before a call is listed."""
    lag_reads: int = 0
    """Listings that a new call is missing from."""
    envelope: str = "data"
    """list, data, results or items."""
    totals: bool = False
    page_size: int = 100
    """The most rows that a page holds, whatever was asked for."""
    first_page: int = 1
    moving: str = ""
    """newcomers: another client's calls push rows to the next page; falling: rows of earlier pages
    vanish while a listing is read, so that others move up and are never shown."""
    inputs: str = "as sent"
    """as sent, rehosted, upper, text, absent or unreadable."""
    model: str = ""
    """Another name for the model."""
    copies: int = 1
    """Rows for each call."""
    fault: Fault | None = None
    patience: int = FOREVER
    """Pages that one command may ask for before it gets SIGTERM, from a user who does not wait."""
    strangers: int = 0
    """Older calls of another client in the listing."""
    zone: str = "Z"
    """What follows a timestamp: Z, +00:00 or nothing."""


@dataclass(slots=True)
class Behaviour:
    protocol: str = "v2"
    """Which of v1 and v2 is served; the other prefix answers 404."""
    offset: float = 0.0
    """Seconds that the provider's clock is ahead of this machine's."""
    dated: bool = True
    """Whether answers have a `Date` header."""
    records: Records = field(default_factory=Records)

    submit_fault: Fault | None = None
    submit_fault_bills: bool = False
    """Whether the call went through, behind the proxy that answers something else."""
    credits_fault: Fault | None = None
    poll_fault: Fault | None = None
    result_fault: Fault | None = None
    """For downloads of results."""
    same_id: bool = False
    """Every submit gets the first one's request id."""
    swapped: int = 0
    """So many polls are answered with the first call's record, whichever was asked for."""
    failing: bool = False
    """v2 calls run and fail, unbilled."""
    failure_id: bool = False
    """Whether a failure repeats the request id, which the documents do not show."""
    polls_until_done: int = 0
    polls_until_named: int = 0
    """COMPLETED answers that do not name the output yet."""
    request_life: float = 3600.0
    """Seconds after which a request id is forgotten."""
    patience: int = FOREVER
    """Downloads, after which the client gets SIGTERM, from a user who does not wait longer."""
    oversize: bool = False
    """Results are served larger than 64 MiB."""
    v1_cut: int = 0
    """So many v1 answers break off in the middle of the image."""
    v1_ids: bool = True
    """Whether v1 answers bear `x-request-id`."""
    charge: float = 0.05
    """What a call costs, USD."""
    reported: float | str | None = "charge"
    """What the answers say it costs: "charge" is the truth, None leaves it out."""
    echo: bool = False
    """Every error text and every failure repeats the key, in several spellings."""

    fates: dict[int, str] = field(default_factory=dict)
    """By number of the submit, from 1; see `provider.FATES`."""

    def fate(self, number: int) -> str:
        return self.fates.get(number, "")
