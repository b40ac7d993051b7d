"""The request history, honest or not: which rows a listing shows, in which shape."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.world.behaviour import Records
from tests.world.calls import Call

Row = dict[str, Any]


@dataclass(slots=True)
class Listing:
    """Tells `calls` as `shape` has it. `base` is where the provider's files are."""

    base: str
    shape: Records
    pages_read: int = 0
    newcomers: list[Row] = field(default_factory=list)

    def page(self, calls: list[Call], query: dict[str, str], now: float) -> Any:
        number = int(query.get("page", "1")) - self.shape.first_page
        size = min(int(query.get("per_page", "10")), self.shape.page_size, 100)
        rows = self._listed(calls, query, now)
        rows = self._moved(rows, number)
        self.pages_read += 1
        shown = rows[number * size : (number + 1) * size] if number >= 0 else []
        return self._enveloped(shown, len(rows), number + self.shape.first_page, size)

    def one(self, calls: list[Call], request_id: str) -> Row | None:
        found = next((call for call in calls if call.request_id == request_id), None)
        return self.row(found) if found else None

    def row(self, call: Call) -> Row:
        return {
            "request_id": call.request_id,
            "model_name": self.shape.model or call.slug,
            "model_status": "FAILED" if call.failed else "COMPLETED",
            "credits_deduction": call.cost,
            "request_body": self._inputs(call),
            "generation_url": None if call.failed else f"{self.base}/results/{call.file}",
            "latency_ms": 10340,
            "model_created": self._time(call.at),
            "error": "the model failed" if call.failed else None,
        }

    def _listed(self, calls: list[Call], query: dict[str, str], now: float) -> list[Row]:
        rows: list[Row] = []
        for call in calls:
            call.reads += 1
            if call.at + self.shape.lag <= now and call.reads > self.shape.lag_reads:
                rows += [self.row(call)] * self.shape.copies
        rows += [self._stranger(index, now - 30 - index) for index in range(self.shape.strangers)]
        rows = [row for row in rows + self.newcomers if _asked_for(row, query)]
        newest_first = query.get("sort_order", "desc").lower() != "asc"
        rows.sort(key=lambda row: str(row["model_created"]), reverse=newest_first)
        if self.shape.moving == "newcomers":
            self.newcomers.append(self._stranger(10_000 + self.pages_read, now))
        return rows

    def _moved(self, rows: list[Row], number: int) -> list[Row]:
        if self.shape.moving == "falling" and number > 0:
            return rows[1 + self.pages_read % 2 :]
        return rows

    def _stranger(self, index: int, at: float) -> Row:
        body = {"image": f"{self.base}/files/stranger-{index}.png", "light_direction": "left"}
        return self.row(
            Call(
                request_id=f"00000000-0000-4000-8000-{index:012d}",
                told_id="",
                slug="segmind-relighting",
                body=body,
                work=f"stranger {index}",
                at=at,
                cost=0.05,
                failed=False,
                result=b"",
                file="stranger.png",
            )
        )

    def _inputs(self, call: Call) -> Any:
        body = dict(call.body)
        match self.shape.inputs:
            case "rehosted":
                body["image"] = f"https://cdn.example.org/inputs/{call.file}?sig=1"
            case "upper":
                body = {
                    name: value.upper() if isinstance(value, str) and name != "image" else value
                    for name, value in body.items()
                }
            case "text":
                return json.dumps(body)
            case "absent":
                return None
            case "unreadable":
                return "[object Object]"
        return body

    def _time(self, at: float) -> str:
        moment = datetime.fromtimestamp(at, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + self.shape.zone

    def _enveloped(self, shown: list[Row], total: int, page: int, size: int) -> Any:
        if self.shape.envelope == "list":
            return shown
        told = {"total": total, "page": page, "per_page": size} if self.shape.totals else {}
        return {self.shape.envelope: shown, **told}


def _asked_for(row: Row, query: dict[str, str]) -> bool:
    if query.get("model_name", row["model_name"]) != row["model_name"]:
        return False
    if query.get("status", row["model_status"]) != row["model_status"]:
        return False
    day = str(row["model_created"])[:10]
    return query.get("from_date", "") <= day <= query.get("to_date", "9999")
