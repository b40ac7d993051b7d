"""The wire of the provider: which path gives which answer."""

from __future__ import annotations

import json
import socket
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.world.behaviour import HTML, JSON, Answer, Fault
from tests.world.calls import PARAMETERS, Call
from tests.world.records import Listing

if TYPE_CHECKING:
    from tests.world.provider import Provider

TOO_LARGE = 65 * 1024 * 1024
MODELS = ("segmind-relighting", "segmind-relighting-v2", "ic-light")


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(Wire):
        owner = provider
        listing = Listing(provider.url, provider.behaviour.records)

    return Handler


class Dropped(Exception):
    """The connection is closed without an answer."""


class Wire(BaseHTTPRequestHandler):
    owner: Provider
    listing: Listing
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = self._body(length)
            self.owner.requests.append(f"{self.command} {self.path}")
            self.owner.key = self.headers.get("x-api-key") or self.owner.key
            self._route(body)
        except (Dropped, ConnectionError):
            self.close_connection = True
            self._drop()

    def _body(self, length: int) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(length)

    def _drop(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _route(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        match path.strip("/").split("/"):
            case ["v1", "get-user-credits"]:
                if answer := self._fault(self.owner.behaviour.credits_fault):
                    self._answer(answer)
                else:
                    self._json({"credits": 100.0, "free-credits": 0.0})
            case ["upload-asset"] if self.command == "POST":
                self._upload(json.loads(body))
            case ["files", name]:
                self._file(self.owner.memory.uploads.get(name))
            case ["results", name]:
                self._result(name)
            case ["v1" | "v2" as version, slug] if self.command == "POST":
                self._submit(version, slug, body)
            case ["v2", "requests", request_id, *rest] if rest in ([], ["status"]):
                self._poll(request_id, bool(rest))
            case ["inference-request", "request-history", *rest] if len(rest) <= 1:
                self._history(rest)
            case _:
                self._send(404, b"<html>no such page</html>", HTML)

    # Calls

    def _upload(self, body: dict[str, list[str]]) -> None:
        names = [self.owner.memory.upload(url) for url in body["data_urls"]]
        urls = [f"{self.owner.url}/files/{name}" for name in names]
        self._json({"file_urls": urls, "message": "uploaded"})

    def _submit(self, version: str, slug: str, body: bytes) -> None:
        behaviour = self.owner.behaviour
        if version != behaviour.protocol or slug not in MODELS:
            return self._json({"error": "no such model"}, 404)
        if not (self.headers.get("Content-Type") or "").startswith(JSON):
            return self._error(406, "Invalid content type")
        if not (self.headers.get("x-api-key") or "").startswith("SG_"):
            return self._error(401, "Missing Authorization or x-api-key in header")
        inputs = json.loads(body)
        missing = [name for name in PARAMETERS if name not in inputs] if slug == MODELS[0] else []
        if missing or ("image" not in inputs and "subject_image" not in inputs):
            return self._error(400, f"missing field: {', '.join(missing) or 'image'}")
        _, fate = self.owner.submitted()
        if fate in self.owner.hooks:
            self.owner.hooks[fate]()
        if fate.endswith("lost"):
            return self._leave(fate)
        answer = self._fault(behaviour.submit_fault)
        if answer and not behaviour.submit_fault_bills:
            return self._answer(answer)
        call = self.owner.accept(slug, inputs)
        if answer:
            return self._answer(answer)
        if fate.endswith("billed"):
            return self._leave(fate)
        if fate in ("kill polled", "kill fetched"):
            self.owner.doom(call, fate.removeprefix("kill "))
        self._accepted(version, call)
        if fate == "kill answered":
            self.owner.kill()
        return None

    def _leave(self, fate: str) -> None:
        if fate.startswith("kill"):
            self.owner.kill()
        raise Dropped

    def _accepted(self, version: str, call: Call) -> None:
        if version == "v1":
            return self._done_v1(call)
        base = f"{self.owner.url}/v2/requests/{call.told_id}"
        return self._json(
            {
                "request_id": call.told_id,
                "status": "QUEUED",
                "poll_url": base,
                "status_url": f"{base}/status",
                "response_url": base,
            }
        )

    def _done_v1(self, call: Call) -> None:
        if call.failed:
            return self._error(500, "the model failed")
        behaviour = self.owner.behaviour
        headers = {"x-remaining-credits": "99.0", "x-generation-time": "10.34"}
        if behaviour.v1_ids:
            headers["x-request-id"] = call.told_id
        if (cost := self.owner.reported(call)) is not None:
            headers["x-cost"] = str(cost)
        if self.owner.is_doomed(call, "fetched"):
            self._begin(200, "image/png", len(call.result), headers)
            self.wfile.write(call.result[:100])
            self.wfile.flush()
            self.owner.kill()
            raise Dropped
        if behaviour.v1_cut > 0:
            behaviour.v1_cut -= 1
            self._begin(200, "image/png", len(call.result), headers)
            self.wfile.write(call.result[:100])
            raise Dropped
        if answer := self._fault(behaviour.result_fault):
            body = self.owner.echoed(answer.body).encode()
            return self._send(200, body, answer.media_type, headers)
        if behaviour.oversize:
            return self._send_oversize(headers)
        return self._send(200, call.result, "image/png", headers)

    # Polls

    def _poll(self, request_id: str, status_only: bool) -> None:
        behaviour = self.owner.behaviour
        if answer := self._fault(behaviour.poll_fault):
            return self._answer(answer)
        call = self.owner.find(request_id)
        if call is None or behaviour.protocol != "v2":
            return self._error(404, "no such request")
        if behaviour.swapped > 0:
            behaviour.swapped -= 1
            call = self.owner.memory.calls[0]
            request_id = call.told_id
        if self.owner.is_doomed(call, "polled"):
            self.owner.kill()
            raise Dropped
        if call.failed:
            error = self.owner.echoed("the model failed")
            told = {"status": "FAILED", "error": error, "metrics": {}}
            if behaviour.failure_id:
                told["request_id"] = request_id
            return self._json(told, 422)
        call.polls += 1
        if call.polls <= behaviour.polls_until_done:
            told = {"status": "PROCESSING", "request_id": request_id, "metrics": {}}
            return self._json(told)
        if status_only:
            told = {"status": "COMPLETED", "request_id": request_id, "metrics": {}}
            return self._json(told)
        return self._json(self._completed(call))

    def _completed(self, call: Call) -> dict[str, Any]:
        behaviour = self.owner.behaviour
        metrics = {"remaining_credits": 99.0, "inference_time": 10.34, "retry_count": 0}
        if (cost := self.owner.reported(call)) is not None:
            metrics["cost"] = cost  # type: ignore[assignment]
        told: dict[str, Any] = {
            "status": "COMPLETED",
            "request_id": call.told_id,
            "seed": None,
            "metrics": metrics,
        }
        call.unnamed += 1
        if call.unnamed <= behaviour.polls_until_named:
            return told
        url = f"{self.owner.url}/results/{call.file}"
        image = {"url": url, "content_type": "image/png", "file_name": call.file}
        return {**told, "output": url, "images": [{**image, "file_size": len(call.result)}]}

    # Files and records

    def _result(self, name: str) -> None:
        found = next((call for call in self.owner.memory.calls if call.file == name), None)
        if found is None or found.failed:
            return self._send(404, b"<html>no such file</html>", HTML)
        if self.owner.is_doomed(found, "fetched"):
            self.owner.kill()
            raise Dropped
        self.owner.behaviour.patience -= 1
        if self.owner.behaviour.patience == 0:
            self.owner.interrupt()
        if answer := self._fault(self.owner.behaviour.result_fault):
            return self._answer(answer)
        if self.owner.behaviour.oversize:
            return self._send_oversize({})
        return self._file(found.result)

    def _file(self, content: bytes | None) -> None:
        if content is None:
            return self._send(404, b"<html>no such file</html>", HTML)
        return self._send(200, content, "image/png")

    def _history(self, rest: list[str]) -> None:
        records = self.owner.behaviour.records
        self.listing.base, self.listing.shape = self.owner.url, records
        self.owner.pages += 1
        if self.owner.pages == records.patience:
            self.owner.interrupt()
        if answer := self._fault(records.fault):
            return self._answer(answer)
        with self.owner.lock:
            calls = self.owner.memory.calls
            if not rest:
                query = dict(parse_qsl(urlsplit(self.path).query))
                return self._json(self.listing.page(calls, query, self.owner.now()))
            row = self.listing.one(calls, rest[0])
        return self._json(row) if row else self._error(404, "no such request")

    # Answers

    def _fault(self, fault: Fault | None) -> Answer | None:
        with self.owner.lock:
            return fault.take() if fault else None

    def _answer(self, answer: Answer) -> None:
        body = answer.body
        if self.owner.behaviour.echo:
            told = self.owner.echoed("your request")
            body = body.replace("}", f', "seen": {json.dumps(told)}}}', 1)
            body = body.replace("</html>", f"<pre>{told}</pre></html>")
        self._send(answer.status, body.encode(), answer.media_type, dict(answer.headers))

    def _error(self, status: int, text: str) -> None:
        self._send(status, self.owner.error(text).encode(), JSON)

    def _json(self, document: Any, status: int = 200) -> None:
        self._send(status, json.dumps(document).encode(), JSON)

    def _send(
        self, status: int, body: bytes, media_type: str, headers: dict[str, str] | None = None
    ) -> None:
        self._begin(status, media_type, len(body), headers or {})
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()

    def _send_oversize(self, headers: dict[str, str]) -> None:
        self._begin(200, "image/png", TOO_LARGE, headers)
        if self.command != "HEAD":
            piece = b"\x89PNG\r\n\x1a\n" + bytes(1 << 20)
            for _ in range(TOO_LARGE // len(piece) + 1):
                self.wfile.write(piece)

    def _begin(self, status: int, media_type: str, length: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        if self.owner.behaviour.dated and "Date" not in headers:
            self.send_header("Date", formatdate(self.owner.now(), usegmt=True))
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
