"""A second provider, written from the provider's documents alone and by somebody who had not read
the adapter or the emulator. It keeps its own bill, and its `behaviour` can be changed at any time.

What it decides at a submit (`Behaviour.fates`):

- lost: the request was read and forgotten, the connection is dropped: not billed;
- billed: the call is made, then the connection is dropped;
- kill lost, kill billed, kill answered: the same, and the client is killed at that moment;
- kill polled, kill fetched: it is killed at the first poll of that call, or at its download;
- any other text is looked up in `hooks` and called before the answer.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from tests.world.behaviour import Behaviour
from tests.world.calls import Call, Memory
from tests.world.handler import handler

LIST_PRICE = 0.05


@dataclass(slots=True)
class Provider:
    """`with provider.serve():`, then `provider.url`."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    memory: Memory = field(default_factory=Memory)
    kill: Callable[[], None] = lambda: None
    interrupt: Callable[[], None] = lambda: None
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    submits: int = 0
    key: str = ""
    """The last `x-api-key` that arrived."""
    doomed: dict[str, str] = field(default_factory=dict)
    """Request ids whose poll or download kills the client, and at which of the two."""
    pages: int = 0
    """Pages of records that the command under way has asked for."""
    requests: list[str] = field(default_factory=list)
    """Method and path of everything that was asked."""
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        server.daemon_threads = True
        self._server, self.port = server, server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> float:
        return time.time() + self.behaviour.offset

    # The bill

    @property
    def bill(self) -> list[Call]:
        return [call for call in self.memory.calls if call.billed]

    @property
    def charged(self) -> float:
        return sum(call.cost for call in self.bill)

    def times_billed(self) -> Counter[str]:
        return Counter(call.work for call in self.bill)

    def billed_twice(self, repeat: int = 1) -> list[str]:
        return [work for work, times in self.times_billed().items() if times > repeat]

    # What the handler asks

    def submitted(self) -> tuple[int, str]:
        """Number of this submit, and its fate."""
        with self.lock:
            self.submits += 1
            return self.submits, self.behaviour.fate(self.submits)

    def accept(self, slug: str, body: dict[str, object]) -> Call:
        with self.lock:
            behaviour = self.behaviour
            call = self.memory.accept(slug, body, self.now(), behaviour.charge, behaviour.failing)
            if behaviour.same_id:
                call.told_id = self.memory.calls[0].request_id
            return call

    def doom(self, call: Call, moment: str) -> None:
        with self.lock:
            self.doomed[call.request_id] = moment

    def is_doomed(self, call: Call, moment: str) -> bool:
        with self.lock:
            if self.doomed.get(call.request_id) != moment:
                return False
            del self.doomed[call.request_id]
            return True

    def find(self, request_id: str) -> Call | None:
        """What a poll may see: forgotten after an hour."""
        with self.lock:
            call = self.memory.find(request_id)
            alive = call and self.now() - call.at <= self.behaviour.request_life
            return call if alive else None

    def reported(self, call: Call) -> float | str | None:
        told = self.behaviour.reported
        return call.cost if told == "charge" else told

    def error(self, text: str) -> str:
        return json.dumps({"error": self.echoed(text)})

    def echoed(self, text: str) -> str:
        if not (self.behaviour.echo and self.key):
            return text
        return f"{text} (request by {' or '.join(spellings(self.key))})"


def spellings(key: str) -> tuple[str, ...]:
    """A key as servers repeat it: plain, in a header, percent-encoded, in base64, without prefix."""
    return (
        key,
        f"x-api-key: {key}",
        key.replace("_", "%5F"),
        base64.b64encode(key.encode()).decode(),
        key.lower(),
        key.removeprefix("SG_"),
    )
