"""HTTPS and wss without a proxy, with a real authority of the test's own."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme

from order_events.app import AUTHORITY, build_app
from order_events.auth.tokens import Role
from order_events.metrics import HubMetrics
from order_events.server import Runner, listen
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from order_events.tls import Certificate


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    """The files of a certificate for this host, and of its key."""
    return issue(authority, tmp_path)


def issue(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """Write a new certificate and its key."""
    folder.mkdir(exist_ok=True)
    issued = authority.issue_cert("127.0.0.1")
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return cert, key


@pytest.fixture
async def served(files: tuple[Path, Path], tmp_path: Path) -> AsyncIterator[tuple[str, Runner]]:
    """A hub that serves TLS, and its address."""
    settings = HubSettings(
        port=0, data_dir=tmp_path / "data", tls_cert=files[0], tls_key=files[1], close_timeout_s=1
    )
    runner = Runner(build_app(settings, OrderEvents(settings, HubMetrics())), settings)
    await runner.setup()
    yield await listen(runner, settings), runner
    await runner.cleanup()


async def test_pages_and_sockets_are_served_over_tls(
    served: tuple[str, Runner], authority: trustme.CA
) -> None:
    """To whoever trusts the authority, and to nobody else; in the clear there is no answer."""
    url, runner = served
    assert url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    connector = aiohttp.TCPConnector(ssl=trusting)
    async with aiohttp.ClientSession(connector=connector) as http:
        async with http.get(f"{url}/web/microphone.html") as page:
            assert page.status == 200
        token = runner.app[AUTHORITY].issue("r1", "boss", Role.MANAGER, 600)
        headers = {"Authorization": f"Bearer {token}", "Origin": url}
        async with http.ws_connect(url, headers=headers) as ws:
            assert (await ws.receive_json(timeout=10))["type"] == "connected"
            await ws.send_json({"type": "ping"})
            assert (await ws.receive_json(timeout=10))["type"] == "pong"
    async with aiohttp.ClientSession() as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.get(url)
        with pytest.raises(aiohttp.ClientError):
            await stranger.get(url.replace("https", "http"))


async def test_a_renewed_certificate_is_taken_without_a_restart(
    served: tuple[str, Runner], authority: trustme.CA, files: tuple[Path, Path], tmp_path: Path
) -> None:
    """As a tool that renews it writes it; half of it is not taken."""
    certificate = Certificate(*files)
    assert not certificate.renew()
    before = files[1].read_bytes()
    issue(authority, tmp_path)
    os.utime(files[0], (1, 1))
    fresh = files[1].read_bytes()
    files[1].write_bytes(before)
    assert not certificate.renew()
    files[1].write_bytes(fresh)
    os.utime(files[1], (1, 1))
    assert certificate.renew()
    assert not certificate.renew()


def test_what_cannot_be_used_is_said_at_the_start(files: tuple[Path, Path], tmp_path: Path) -> None:
    """One of the two alone; a key of another certificate; no certificate at all."""
    with pytest.raises(ValueError, match="give both"):
        HubSettings(tls_cert=files[0]).certificate()
    other = issue(trustme.CA(), tmp_path / "other")[1]
    with pytest.raises(OSError, match="belong together"):
        Certificate(files[0], other)
    with pytest.raises(OSError, match="must be PEM"):
        Certificate(files[0], Path(__file__))
