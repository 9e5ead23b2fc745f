"""What Prometheus reads: judged by promtool, and compared with what was done."""

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.processes import free_ports, wait_until
from support.programs import run
from support.site import PASSWORD, Site
from support.wire import Wire


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (port,) = free_ports(1)
    with Site(tmp_path / "site", Authority(tmp_path / "authority"), metrics={"listen": [f"127.0.0.1:{port}"]}) as running:
        yield running


def scrape(site: Site, path: str = "/metrics") -> str:
    address = site.settings["metrics"]["listen"][0]
    with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return answer.read().decode()


def samples(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def login(site: Site, password: str) -> None:
    with Wire(site.imaps).secure(site.context()) as wire:
        wire.until(b"* OK")
        wire.send(f'a LOGIN ada@example.org "{password}"\r\n'.encode())
        wire.until(b"a ")


def test_promtool_finds_nothing_wrong(site: Site) -> None:
    site.submit("bob@example.org", b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: one\r\n\r\ntext\r\n")
    login(site, "wrong")
    checked = run(["promtool", "check", "metrics"], stdin=scrape(site).encode(), expect=None)
    # Exit code 3 is for style; its remarks are printed.
    assert checked.returncode == 0, checked.stdout.decode() + checked.stderr.decode()


def test_what_was_done_is_counted(site: Site) -> None:
    login(site, PASSWORD)
    login(site, PASSWORD)
    login(site, "wrong")
    site.submit("bob@example.org", b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: one\r\n\r\ntext\r\n")
    wait_until(lambda: samples(scrape(site)).get("latchmail_store_commit_seconds_count", 0) > 0, "commits are counted")
    found = samples(scrape(site))

    def total(name: str, *labels: str) -> float:
        return sum(value for key, value in found.items() if key.startswith(name + "{") and all(one in key for one in labels))

    assert total("latchmail_logins_total", 'service="imap"', 'version="TLSv1.3"', 'cipher="TLS_') == 2
    assert total("latchmail_login_failures_total", 'service="imap"') == 1
    assert total("latchmail_connections_total", 'service="imap"', 'security="implicit"') >= 3
    assert total("latchmail_tls_handshakes_total", 'service="submission"', "group=") >= 1
    assert 28 < found['latchmail_certificate_seconds_left{name="localhost"}'] / 86_400 < 31
    assert found["process_resident_memory_bytes"] > 1 << 20 and 5 < found["process_open_fds"] < found["process_max_fds"]
    assert found["latchmail_queue_messages"] == 0
    assert found["latchmail_event_loop_lag_seconds_count"] > 0
    text = scrape(site)
    assert "ada" not in text and "example.org" not in text.replace("mail.example.org", "")


def test_nothing_else_is_answered(site: Site) -> None:
    for path in ("/", "/metrics/x", "/../etc/passwd"):
        with pytest.raises(urllib.error.HTTPError) as error:
            scrape(site, path)
        assert error.value.code == 404


def test_labels_do_not_grow_with_what_peers_send(site: Site) -> None:
    def series() -> int:
        return len(samples(scrape(site)))

    login(site, "wrong")
    before = series()
    for number in range(3):
        with Wire(site.imaps).secure(site.context()) as wire:
            wire.until(b"* OK")
            wire.send(f"b AUTHENTICATE MECHANISM{number}\r\n".encode())
            wire.until(b"b ")
            wire.send(f'a LOGIN stranger{number}@example.org "wrong"\r\n'.encode())
            wire.until(b"a ")
    assert series() <= before + 2


def test_metrics_are_for_loopback_alone(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", Authority(tmp_path / "authority"), metrics={"listen": ["0.0.0.0:9"]})
    assert "loopback" in site.command("check", expect=78)


def test_the_server_stops_soon_with_a_reader_connected(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Site(tmp_path / "site", Authority(tmp_path / "authority"), metrics={"listen": [str(port)]}) as site:
        with Wire(port) as wire:
            wire.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            wire.until(b"HTTP/1.1 200")
            began = time.monotonic()
            site.stop()
            assert time.monotonic() - began < 30
