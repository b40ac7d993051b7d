"""Replicate by another reading of its documentation: whole runs against a server that our emulator is not.

It differs wherever the documentation is silent: forms of ids, words for states, what a row of the list has, how
the next page is named, whether results want the key. In every such world no job is billed twice, no image is
another job's, and what cannot be known is held.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from benchmarks.reliability.inside import hurried
from relightflow.backends.emulator.images import tiny, unique
from relightflow.backends.emulator.plain import BilledCall, EmulatedAnswer, Emulator, Spoil
from relightflow.errors import Exit
from tests.backends.http.named import Shop

KEY = "r8_0123456789abcdef"
JOBS = 3
RECIPE = """\
version: 1
name: world
sources: [{type: glob, include: ["in/*.jpg"]}]
backend: {type: replicate}
matrix: {prompt: [dusk], light_source: [None, Left Light, Right Light]}
limits: {concurrency: 1, max_cost: 5}
sinks: [{type: directory, path: out/, name: "{light_source}.{ext}"}]
"""
Change = Callable[[dict[str, Any]], Any]


def _same(row: dict[str, Any]) -> Any:
    return row


class OtherReplicate(Emulator):
    """Reads the documentation in its own way; `shown` changes what a poll says, `listed` a row of the list."""

    def __init__(self, shown: Change = _same, listed: Change = _same, **habits: Any) -> None:
        super().__init__(KEY)
        self.shown, self.listed = shown, listed
        self.one_id: str = habits.get("one_id", "")
        """The id of every call; empty: each has its own."""
        self.size: int = habits.get("size", 2)
        self.filters: bool = habits.get("filters", True)
        """`created_before` is heard."""
        self.locked: bool = habits.get("locked", False)
        """Results want the key."""
        self.states: list[str] = habits.get("states", ["booting", "queued", "succeeded"])
        """What looks at a call find, one after the other; the last for ever."""
        self.taken: list[dict[str, Any]] = []
        self.looks: dict[str, int] = {}

    def phase(self, request: web.BaseRequest, body: bytes) -> str:
        parts = request.path.strip("/").split("/")
        if parts[:2] == ["v1", "predictions"]:
            if request.method == "POST":
                return "submit"
            return "poll" if len(parts) > 2 else "list"
        return "upload" if parts[:2] == ["v1", "files"] else "other" if parts[0] == "v1" else "file"

    async def answer(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        name = request.path.rpartition("/")[2]
        match self.phase(request, body):
            case "file" if self.locked and key != KEY:
                return EmulatedAnswer(401, b"who are you")
            case "file":
                return EmulatedAnswer(200, _picture(name), media_type="image/jpeg")
            case "upload":
                return EmulatedAnswer.of({"urls": {"get": f"{self.url}/in/{uuid.uuid4()}"}}, 200)
            case "submit":
                return EmulatedAnswer.of(self._submit(json.loads(body)), 200)
            case "poll":
                return self._poll(name)
            case "list":
                until = request.query.get("created_before", "9999") if self.filters else "9999"
                return self._list(int(request.query.get("cursor", "0")), until)
        return EmulatedAnswer.of({"error": "no such page"}, 404)

    def _submit(self, sent: dict[str, Any]) -> dict[str, Any]:
        request_id = self.one_id or str(uuid.uuid4())
        inputs = sent["input"]
        self.bill.append(BilledCall(request_id, sent["version"], inputs, b""))
        side = hashlib.sha256(inputs["light_source"].encode()).hexdigest()
        self.taken.append({
            "id": request_id, "version": sent["version"], "input": inputs, "status": "succeeded",
            "output": f"{self.url}/file/{side}", "created_at": self._stamp(),
        })  # fmt: skip
        return {"id": request_id, "status": "queued"}

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self.now, UTC).isoformat()

    def _poll(self, request_id: str) -> EmulatedAnswer:
        row = next((row for row in self.taken if row["id"] == request_id), None)
        if row is None:
            return EmulatedAnswer.of({"error": "unknown"}, 404)
        turn = self.looks[request_id] = self.looks.get(request_id, -1) + 1
        state = self.states[min(turn, len(self.states) - 1)]
        told = dict(row) if state == "succeeded" else {"id": request_id, "status": state}
        return EmulatedAnswer.of(self.shown(told))

    def _list(self, at: int, until: str) -> EmulatedAnswer:
        taken = [row for row in self.taken[::-1] if row["created_at"] < until]
        rows = [self.listed(dict(row)) for row in taken]
        rows = [row for row in rows if row is not None]
        more = at + self.size < len(rows)
        following = f"?cursor={at + self.size}" if more else None
        return EmulatedAnswer.of({"results": rows[at : at + self.size], "next": following})


def _picture(name: str) -> bytes:
    return unique(tiny(), name)


@dataclass(frozen=True)
class World:
    """A server, what spoils its answers, and the exit codes that two runs may have."""

    server: Callable[[], OtherReplicate] = OtherReplicate
    spoils: tuple[Spoil, ...] = ()
    first: Exit = Exit.OK
    then: Exit = Exit.OK
    billed: int = JOBS
    delivered: int = JOBS
    said: tuple[str, ...] = field(default=())


LOST = (Spoil("submit", "lost", after=1),)
NEVER_TAKEN = (Spoil("submit", "unread", after=1),)
HELD: dict[str, Any] = {"first": Exit.UNKNOWN, "then": Exit.UNKNOWN, "delivered": JOBS - 1}


def _without(*names: str) -> Change:
    return lambda row: {name: value for name, value in row.items() if name not in names}


def _later(*answers: Any) -> Change:
    """The first looks say something else."""
    left = list(answers)
    return lambda row: row | left.pop(0) if left else row


def _rehosted(row: dict[str, Any]) -> Any:
    return row | {"input": row["input"] | {"subject_image": "https://cdn.example/1"}}


def _deleted(row: dict[str, Any]) -> Any:
    return row | {"input": {}, "output": None, "data_removed": True}


WORLDS: dict[str, World] = {
    "another reading": World(),
    "results want the key": World(lambda: OtherReplicate(locked=True)),
    "an answer is lost": World(spoils=LOST),
    "an answer is lost, and pages cannot be read in two ways": World(
        lambda: OtherReplicate(size=1), LOST
    ),
    "a call is lost, and pages cannot be read in two ways": World(
        lambda: OtherReplicate(size=1, filters=False), NEVER_TAKEN, **(HELD | {"billed": JOBS - 1})
    ),
    "a call is lost": World(
        spoils=NEVER_TAKEN, first=Exit.EARLY
    ),
    "an answer is lost, and the list has no times": World(
        lambda: OtherReplicate(listed=_without("created_at")), LOST, **HELD
    ),
    "an answer is lost, and the list has no inputs": World(
        lambda: OtherReplicate(listed=_without("input")), LOST, **HELD
    ),
    "an answer is lost, and inputs are re-hosted": World(
        lambda: OtherReplicate(listed=_rehosted), LOST, **HELD
    ),
    "an answer is lost, and the list deletes at once": World(
        lambda: OtherReplicate(listed=_deleted), LOST, **HELD
    ),
    "an answer is lost, and the list is empty": World(
        lambda: OtherReplicate(listed=lambda _: None), LOST, **HELD
    ),
    "an answer is lost, and the list is a page": World(
        spoils=(*LOST, Spoil("list", "instead", 10**6)), **HELD
    ),
    "303 to a call that was taken": World(
        spoils=(Spoil("submit", "behind", after=1, status=303, headers={"Location": "/x"}),)
    ),
    "a proxy's 422 to a call that was taken": World(
        spoils=(Spoil("submit", "behind", after=1, status=422, body=b'{"detail": "x", "type": "y"}'),),
        first=Exit.EARLY,  # the next calls would get the same answer
    ),
    "an empty 200 to a call that was taken": World(
        spoils=(Spoil("submit", "behind", after=1, status=200, body=b""),)
    ),
    "one id for every call": World(
        lambda: OtherReplicate(one_id="the-one-and-only-id"),
        first=Exit.UNKNOWN, then=Exit.UNKNOWN, delivered=1,
    ),
    "a failure that is taken back": World(lambda: OtherReplicate(states=["failed", "succeeded"])),
    "every poll is about another call": World(
        lambda: OtherReplicate(shown=lambda row: row | {"id": str(uuid.uuid4())}),
        first=Exit.EARLY, then=Exit.EARLY, delivered=0,
    ),
    "polls speak of another call for a while": World(
        lambda: OtherReplicate(shown=_later({"id": "another"}, {"id": "another"}))
    ),
    "a 404 that is nobody's": World(spoils=(Spoil("poll", "instead", 4, status=404),)),
    "results are deleted before they can be read": World(
        lambda: OtherReplicate(shown=_deleted),
        first=Exit.JOBS_FAILED, then=Exit.JOBS_FAILED, delivered=0, said=("is lost",),
    ),
    "an output that names nothing for a while": World(
        lambda: OtherReplicate(shown=_later({"output": None}, {"output": []}))
    ),
}  # fmt: skip


@asynccontextmanager
async def opened(world: World, folder: Path) -> AsyncIterator[tuple[Shop, OtherReplicate]]:
    server = world.server()
    async with server.running():
        server.faults = [replace(spoil) for spoil in world.spoils]
        environ = {
            "RELIGHTFLOW_REPLICATE_URL": server.url, "RELIGHTFLOW_REHEARSAL": "no",
            "RELIGHTFLOW_REPLICATE_SETTLING": "0", "REPLICATE_API_TOKEN": KEY,
        }  # fmt: skip
        with hurried(environ):
            shop = Shop(folder, "replicate", server, "REPLICATE_API_TOKEN")
            (folder / "in").mkdir()
            (folder / "in/a.jpg").write_bytes(tiny())
            (folder / "recipe.yaml").write_text(RECIPE)
            yield shop, server


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
async def test_no_reading_of_the_documentation_pays_twice_or_mixes_images_up(
    world: World, tmp_path: Path
) -> None:
    async with opened(world, tmp_path) as (shop, server):
        first, said = await shop.run()
        assert first is world.first, said
        assert not [words for words in world.said if words not in said], said
        then, said = await shop.run()
        assert then is world.then, said
        asked = [call.parameters["light_source"] for call in server.bill]
        assert len(asked) == len(set(asked)) == world.billed, asked
        out = {path.stem: path.read_bytes() for path in (tmp_path / "out").glob("*.jpg")}
        assert len(out) == world.delivered
        for side, data in out.items():
            assert data == _picture(hashlib.sha256(side.encode()).hexdigest()), side
        known = {attempt.request_id for attempt in shop.attempts() if attempt.request_id}
        ids = {call.name for call in server.bill}
        assert len(ids - known) <= shop.unknown(), "a billed call is neither known nor in doubt"
