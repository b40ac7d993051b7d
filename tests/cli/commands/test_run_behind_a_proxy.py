"""A paid recipe over a list, behind a company's proxy: it asks for a password and shows certificates of
its own, and no name can be resolved on this side of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import trustme

from relightflow.objects.bucket import opened
from relightflow.testing import sample_image_bytes
from tests.cli.commands.conftest import Rehearsal
from tests.cli.program import Relightflow, environment
from tests.conftest import make_store
from tests.servers.proxy import ForwardProxy, running
from tests.servers.swift import Server

RECIPE = """\
version: 1
name: web
sources: [{type: urls, file: list.txt}]
backend: {type: segmind}
matrix: {light_direction: [left, right]}
limits: {max_cost: 5}
sinks: [{type: directory, path: out/}]
"""
PROVIDER = ("api", "workflows-api", "api.spotprod", "images")
BUCKETS = ("segmind-inference-io", "segmind-inference-inputs", "segmind-sd-models")


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass


@pytest.fixture
def photos(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A server of two images."""
    folder = tmp_path / "served"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.png").write_bytes(sample_image_bytes(number))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield ("127.0.0.1", server.server_port)
        server.shutdown()
        thread.join()


class Office:
    """The proxy, and the environment of somebody behind it."""

    def __init__(self, proxy: ForwardProxy, certificate: Path) -> None:
        self.proxy = proxy
        self.env = {
            "SEGMIND_API_KEY": "SG_0123456789abcdef",
            "HTTPS_PROXY": proxy.url.replace("//", "//me:open-sesame@"),
            "SSL_CERT_FILE": str(certificate),
        }

    @property
    def hosts(self) -> set[str]:
        return {line.split()[1].removesuffix(":443") for line in self.proxy.asked}


Open = Callable[..., Office]


@pytest.fixture
def office(rehearsal: Rehearsal, photos: tuple[str, int], tmp_path: Path) -> Iterator[Office]:
    company = trustme.CA()
    certificate = tmp_path / "company.pem"
    company.cert_pem.write_to_path(str(certificate))
    (tmp_path / "web.yaml").write_text(RECIPE)
    listed = [f"https://photos.example.com/{n}.png" for n in range(2)]
    (tmp_path / "list.txt").write_text("\n".join(listed))
    url = urlsplit(rehearsal.env["RELIGHTFLOW_SEGMIND_URL"])
    emulator = (url.hostname or "", url.port or 0)
    names = [f"{name}.segmind.com" for name in PROVIDER]
    names += [f"{name}.s3.amazonaws.com" for name in BUCKETS]
    routes = dict.fromkeys(names, emulator) | {"photos.example.com": photos}
    with running(ForwardProxy(routes, company, password="me:open-sesame")) as proxy:
        yield Office(proxy, certificate)


def test_a_list_is_relit_and_bought_through_it(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    done = relightflow("run", "web.yaml", env=office.env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([*(tmp_path / "out").glob("*.*g")]) == 4
    assert len(rehearsal.bill()) == 4
    assert {"photos.example.com", "api.segmind.com", "workflows-api.segmind.com"} < office.hosts
    assert "open-sesame" not in done.stdout + done.stderr
    again = relightflow("run", "web.yaml", env=office.env)
    assert again.returncode == 0
    assert len(rehearsal.bill()) == 4


def test_stores_are_reached_through_it_like_everything_else(
    relightflow: Relightflow, office: Office, tmp_path: Path, swift: Server, s3: str
) -> None:
    """Images from a list and a bucket, results into the bucket and a store that machines share."""
    host, port = swift.endpoint.removeprefix("http://").split(":")
    amazon = {"s3.us-east-1.amazonaws.com": (host, int(port))}
    office.proxy.routes = {**office.proxy.routes, **amazon}
    env = {**office.env, **swift.environment, "AWS_ENDPOINT_URL_S3": ""}
    env["RELIGHTFLOW_STORE"] = make_store(f"s3://{s3}/shared/")
    text = RECIPE.replace(
        "[{type: urls, file: list.txt}]",
        f"[{{type: urls, file: list.txt}}, {{type: s3, uri: 's3://{s3}/in/'}}]",
    ).replace("{type: directory, path: out/}", f"{{type: s3, uri: 's3://{s3}/out/'}}")
    (tmp_path / "web.yaml").write_text(text)
    opened(f"s3://{s3}/in/").put("a.png", sample_image_bytes(7))
    done = relightflow("run", "web.yaml", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    made = [facts.path for facts in opened(f"s3://{s3}/").list()]
    assert len([path for path in made if path.startswith("out/")]) == 7
    assert any(path.startswith("shared/") for path in made)
    assert "s3.us-east-1.amazonaws.com" in office.hosts


def test_the_other_variables_do_as_well(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal
) -> None:
    env = {
        "SEGMIND_API_KEY": office.env["SEGMIND_API_KEY"],
        "all_proxy": office.env["HTTPS_PROXY"].removeprefix("http://"),
        "AWS_CA_BUNDLE": office.env["SSL_CERT_FILE"],
    }
    assert relightflow("run", "web.yaml", env=env).returncode == 0
    assert len(rehearsal.bill()) == 4
    assert relightflow("account", env=env).returncode == 0


def test_without_the_certificate_nothing_is_bought_and_the_variable_is_named(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    env = {name: value for name, value in office.env.items() if name != "SSL_CERT_FILE"}
    done = relightflow("run", "web.yaml", env=env)
    said = done.stdout + done.stderr
    assert done.returncode == 9, said
    assert "SSL_CERT_FILE" in said
    assert relightflow("run", "web.yaml", env=office.env).returncode == 0
    known = relightflow("run", "web.yaml", "--set", "repeat=2", env=env)
    assert (known.returncode, "SSL_CERT_FILE" in known.stdout + known.stderr) == (9, True)
    assert len(rehearsal.bill()) == 4
    assert "SSL_CERT_FILE" in relightflow("account", env=env).stderr


def test_a_password_that_the_proxy_wants_is_told(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal
) -> None:
    done = relightflow("run", "web.yaml", env={**office.env, "HTTPS_PROXY": office.proxy.url})
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 75, said
    assert "the proxy wants a user name and password (407)" in said
    assert rehearsal.bill() == []


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/a.png", "https://intranet/a.png", "https://wiki.corp/a.png"]
)
def test_the_rules_for_private_addresses_hold_for_what_a_proxy_is_asked(
    relightflow: Relightflow, office: Office, tmp_path: Path, url: str
) -> None:
    (tmp_path / "list.txt").write_text(url)
    done = relightflow("plan", "web.yaml", env=office.env)
    assert "--allow-private-network" in done.stdout + done.stderr
    assert office.proxy.asked == []


@pytest.mark.parametrize("host", ["images.segmind.com", "segmind-inference-io.s3.amazonaws.com"])
def test_a_host_of_results_that_shows_another_certificate_is_found_out_before_the_first_call(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal, host: str, tmp_path: Path
) -> None:
    stranger = ForwardProxy(office.proxy.routes, trustme.CA(), password="me:open-sesame")
    with running(stranger):
        office.proxy.elsewhere[host] = stranger
        done = relightflow("run", "web.yaml", env=office.env)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 9, said
    assert f"checking {host}" in said
    assert rehearsal.bill() == []
    assert "workflows-api.segmind.com" not in office.hosts


@pytest.mark.parametrize("more", [{}, {"NO_PROXY": "*.segmind.com"}])
def test_hosts_of_results_that_cannot_be_reached_end_it_before_the_first_call(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal, more: dict[str, str]
) -> None:
    routes = dict(office.proxy.routes)
    for name in ("images.segmind.com", *(f"{name}.s3.amazonaws.com" for name in BUCKETS)):
        del routes[name]
    office.proxy.routes = routes
    done = relightflow("run", "web.yaml", env={**office.env, **more}, timeout=120)
    assert done.returncode == 75, done.stdout + done.stderr
    assert rehearsal.bill() == []


FAKE = """\
import socket

_real = socket.getaddrinfo


def getaddrinfo(host, *rest, **more):
    if host == "images.segmind.com":
        host = "127.0.0.77"
    return _real(host, *rest, **more)


socket.getaddrinfo = getaddrinfo
"""


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 9), (("--output-host", "images.segmind.com"), 0), (("--allow-private-network",), 0)],
)
def test_a_name_server_that_makes_addresses_up_is_found_out_before_the_first_call(
    relightflow: Relightflow, office: Office, rehearsal: Rehearsal, tmp_path: Path,
    options: tuple[str, ...], code: int,
) -> None:  # fmt: skip
    """As VPNs do; here for one host that does not go through the proxy."""
    (tmp_path / "names").mkdir()
    (tmp_path / "names/sitecustomize.py").write_text(FAKE)
    ours = environment()["PYTHONPATH"]
    env = {
        **office.env,
        "NO_PROXY": "images.segmind.com",
        "PYTHONPATH": f"{tmp_path / 'names'}{os.pathsep}{ours}",
    }
    done = relightflow("run", "web.yaml", *options, env=env)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    assert len(rehearsal.bill()) == (0 if code else 4)
    if code:
        assert "images.segmind.com has a private address (127.0.0.77)" in said
        assert "--output-host" in said
