"""A real forward proxy on loopback: CONNECT and plain http, perhaps with a password, perhaps one that
looks into TLS with a certificate of its own, as many companies have.

Names are led where `routes` says; a name that is not in it answers 502, as behind a company's wall.
"""

from __future__ import annotations

import base64
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import trustme

_HEAD = re.compile(rb"(\S+) (\S+) HTTP/1\.[01]\r\n")
_PLAIN = re.compile(rb"http://([^/:]+)(?::(\d+))?(/\S*)?")


@dataclass
class ForwardProxy:
    routes: Mapping[str, tuple[str, int]]
    """Host (or host:port) → where it is in truth."""
    company: trustme.CA | None = None
    """Whose certificates it shows to clients; what is behind is then asked in plain http."""
    password: str = ""
    """`user:password` that it wants."""
    refuses: int = 0
    """The status with which it answers everything."""
    elsewhere: dict[str, ForwardProxy] = field(default_factory=dict)
    """Host → another proxy that answers for it."""
    answers: dict[str, bytes] = field(default_factory=dict)
    """End of a plain URL, without its query → what it answers itself, whole."""
    asked: list[str] = field(default_factory=list)
    """`CONNECT host:port` and `GET http://…`, as they came."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"HTTPS_PROXY": self.url, "HTTP_PROXY": self.url}

    def serve(self, client: socket.socket) -> None:
        head = _head(client)
        found = _HEAD.match(head)
        if found is None:
            return
        verb, target = found[1].decode(), found[2].decode()
        self.asked.append(f"{verb} {target}")
        if self.refuses or not self._admits(head):
            status = self.refuses or 407
            client.sendall(b"HTTP/1.1 %d Refused\r\nContent-Length: 0\r\n\r\n" % status)
            return
        other = self.elsewhere.get(target.rpartition(":")[0])
        if other is not None:
            with socket.create_connection(("127.0.0.1", other.port)) as server:
                server.sendall(head)
                _pump(client, server)
        elif verb == "CONNECT":
            self._tunnel(client, target)
        else:
            self._forward(client, head, found)

    def _admits(self, head: bytes) -> bool:
        word = base64.b64encode(self.password.encode())
        return not self.password or b"proxy-authorization: basic " + word.lower() in head.lower()

    def _tunnel(self, client: socket.socket, target: str) -> None:
        host = target.rpartition(":")[0]
        place = self.routes.get(target) or self.routes.get(host)
        if place is None:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        seen = b""
        if self.company is not None:
            client = _certified(client, self.company, host)
            seen = _told(_head(client), b"X-Forwarded-Proto: https")
        with client, socket.create_connection(place) as server:
            server.sendall(seen)
            _pump(client, server)

    def _forward(self, client: socket.socket, head: bytes, found: re.Match[bytes]) -> None:
        plain = _PLAIN.fullmatch(found[2])
        path = found[2].decode().partition("?")[0]
        own = next((said for end, said in self.answers.items() if path.endswith(end)), None)
        if own is not None:
            client.sendall(own)
            return
        place = self.routes.get(plain[1].decode()) if plain else None
        if plain is None or place is None:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        first = b"%s %s HTTP/1.1\r\n" % (found[1], plain[3] or b"/")
        with socket.create_connection(place) as server:
            server.sendall(_told(first + head[found.end() :], b"Via: 1.1 proxy"))
            _pump(client, server)


def _head(client: socket.socket) -> bytes:
    """Up to the empty line; nobody sends a body before it is asked for."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < 1 << 16:
        byte = client.recv(1)
        if not byte:
            break
        head += byte
    return head


def _told(head: bytes, more: bytes) -> bytes:
    """The request with a header more, the last one of its connection, without what was for us."""
    first, *lines = head.split(b"\r\n")
    kept = [x for x in lines if not x.lower().startswith((b"proxy-", b"connection:"))]
    return b"\r\n".join([first, b"Connection: close", more, *kept])


def _certified(client: socket.socket, company: trustme.CA, host: str) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert(host).configure_cert(context)
    return context.wrap_socket(client, server_side=True)


def _pump(client: socket.socket, server: socket.socket) -> None:
    """Both ways, until one side has ended."""
    back = threading.Thread(target=_copy, args=(server, client), daemon=True)
    back.start()
    _copy(client, server)
    back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (sink, source):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    proxy: ForwardProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that refuses our certificate, or has enough, is no error."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.proxy.serve(self.request)


@contextmanager
def running(proxy: ForwardProxy) -> Iterator[ForwardProxy]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = proxy
        proxy.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
