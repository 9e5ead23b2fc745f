"""PROXY headers from HAProxy and curl: who connected is who HAProxy says it was, and nobody else may say so."""

import smtplib
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.processes import free_ports, listens, wait_until
from support.programs import run
from support.site import PASSWORD, Site

MESSAGE = b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: by a proxy\r\n\r\ntext\r\n"
# On loopback every address is there: one is the client's, one the proxy's; the others are nobody's.
CLIENT, PROXY = "127.0.0.5", "127.0.0.9"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    listeners = {"proxy-networks": [PROXY]}
    with Site(tmp_path / "site", Authority(tmp_path / "authority"), listeners=listeners) as running:
        yield running


@pytest.fixture
def haproxy(site: Site, tmp_path: Path) -> Iterator[dict[str, int]]:
    """Ports of a HAProxy that passes TLS through: `v1` to IMAP, `v2` to submission."""
    run(["haproxy", "-v"])
    first, second = free_ports(2)
    config = tmp_path / "haproxy.cfg"
    config.write_text(f"""\
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen imap
  bind 127.0.0.1:{first}
  server latchmail 127.0.0.1:{site.imaps} send-proxy source {PROXY}
listen submission
  bind 127.0.0.1:{second}
  server latchmail 127.0.0.1:{site.submissions} send-proxy-v2 proxy-v2-options unique-id,authority source {PROXY}
""")
    process = subprocess.Popen(["haproxy", "-db", "-f", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_until(lambda: listens(first) and listens(second), "HAProxy listens")
    yield {"v1": first, "v2": second}
    process.terminate()
    process.wait(30)


def secure(site: Site, port: int, before: bytes = b"", source: str = CLIENT) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", port), 30, source_address=(source, 0))
    raw.sendall(before)
    return site.context().wrap_socket(raw, server_hostname="localhost")


def test_behind_haproxy_the_peer_is_the_client(site: Site, haproxy: dict[str, int]) -> None:
    with secure(site, haproxy["v1"]) as connection:
        assert connection.recv(4096).startswith(b"* OK")
        connection.sendall(f'a LOGIN ada@example.org "{PASSWORD}"\r\n'.encode())
        assert b"a OK" in connection.recv(4096)
    lines = [line for line in site.log().splitlines() if " authenticated " in line and "service=imap" in line]
    assert f"peer={CLIENT} " in lines[-1] and f"proxy={PROXY} " in lines[-1], lines


def test_received_names_the_client(site: Site, haproxy: dict[str, int]) -> None:
    class Proxied(smtplib.SMTP_SSL):
        def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:  # type: ignore[override]
            return secure(site, port)

    with Proxied("127.0.0.1", haproxy["v2"], context=site.context(), timeout=60) as client:
        client.login("ada@example.org", PASSWORD)
        assert client.sendmail("ada@example.org", ["bob@example.org"], MESSAGE) == {}
    (message,) = site.wait_for_mail("bob")
    received = message.partition(b"\r\n\r\n")[0]
    assert f"[{CLIENT}]".encode() in received, received


def test_curl_sends_the_header(site: Site) -> None:
    done = run(
        ["curl", "-sS", "--haproxy-protocol", "--interface", PROXY, "--cacert", site.authority.certificate,
         "--user", f"ada@example.org:{PASSWORD}", f"imaps://localhost:{site.imaps}/",
         "--resolve", f"localhost:{site.imaps}:127.0.0.1"],
    )  # fmt: skip
    assert b"INBOX" in done.stdout
    assert f"proxy={PROXY}" in site.log()


def test_a_proxy_must_say_whom_it_brings(site: Site) -> None:
    """From a listed network a connection without header is closed, and one with a wrong header."""
    for opening in (b"", b"PROXY TCP4 127.0.0.5\r\n", b"a NOOP\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\0"):
        with pytest.raises((OSError, ssl.SSLError)):
            secure(site, site.imaps, opening, source=PROXY)
    assert 'reason="no PROXY header"' in site.log()


def test_nobody_else_may_claim_to_be_someone_else(site: Site) -> None:
    """From elsewhere a header is garbage before TLS; without it the connection is served, as who it is."""
    with pytest.raises((OSError, ssl.SSLError)):
        secure(site, site.imaps, b"PROXY TCP4 192.0.2.1 127.0.0.1 4000 993\r\n")
    with secure(site, site.imaps) as connection:
        assert connection.recv(4096).startswith(b"* OK")
        connection.sendall(f'a LOGIN ada@example.org "{PASSWORD}"\r\n'.encode())
        assert b"a OK" in connection.recv(4096)
    assert "192.0.2.1" not in "".join(line for line in site.log().splitlines() if "authenticated" in line)


def test_limits_are_the_clients(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    settings = {
        "listeners": {"proxy-networks": [PROXY]},
        "limits": {"connections-per-address": 2, "unauthenticated-per-address": 2},
    }
    with Site(tmp_path / "site", authority, **settings) as site:
        header = b"PROXY TCP4 192.0.2.%d 127.0.0.1 4000 993\r\n"
        kept = [secure(site, site.imaps, header % number, source=PROXY) for number in (1, 1, 2, 2, 3)]
        with pytest.raises((OSError, ssl.SSLError)):
            secure(site, site.imaps, header % 1, source=PROXY)
        for connection in kept:
            assert connection.recv(4096).startswith(b"* OK")
            connection.close()
        assert "connections-per-address" in site.log() or "unauthenticated-per-address" in site.log()
