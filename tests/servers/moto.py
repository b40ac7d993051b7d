"""Amazon S3 as moto has it, in this process, with conditional puts as atomic as Amazon's: moto itself looks
and writes in two steps, so requests are served one at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any
from urllib.request import Request, urlopen

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


@dataclass(frozen=True, slots=True)
class MotoServer:
    endpoint: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What an operator would have in the environment to use it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": "racer",
            "AWS_SECRET_ACCESS_KEY": "made-up-for-a-race",
            "AWS_REGION": "us-east-1",
        }

    def bucket(self) -> str:
        """A new and empty bucket."""
        name = f"b-{uuid.uuid4().hex[:20]}"
        urlopen(Request(f"{self.endpoint}/{name}", method="PUT"), timeout=20).close()
        return name


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@contextmanager
def moto() -> Iterator[MotoServer]:
    application = DomainDispatcherApplication(create_backend_app)
    turn = Lock()

    def one_at_a_time(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        with turn:
            return application(environ, start)

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield MotoServer(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
