"""The demo as a newcomer meets it."""

import imaplib
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

from support.clients import fetch_all, imap, submit
from support.messages import assert_unchanged, plain
from support.programs import run
from support.server import BINARY, PASSWORD, DemoServer

# A release binary starts within a second; a debug binary hashes passwords many times slower.
START_SECONDS = 10
# As /proc/net/tcp writes them.
LISTENING = "0A"
LOOPBACK = "0100007F"


def test_starts_quickly_and_stops_cleanly(tmp_path: Path) -> None:
    began = time.monotonic()
    server = DemoServer(tmp_path / "state", accounts=2)
    assert time.monotonic() - began < START_SECONDS
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5


def test_stops_with_clients_connected(start_server: Callable[..., DemoServer]) -> None:
    server = start_server()
    client = imap(server, server.accounts[0])
    client.select("INBOX")
    assert server.stop() == 0
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        client.noop()


def test_mail_survives_a_restart(tmp_path: Path) -> None:
    message = plain("restart")
    with DemoServer(tmp_path / "state") as server:
        submit(server, server.accounts[0], message.raw, server.accounts[0].address)
    with DemoServer(tmp_path / "state") as server:
        mine = [raw for raw in fetch_all(server, server.accounts[0]) if message.message_id.encode() in raw]
        assert len(mine) == 1
        assert_unchanged(message.raw, mine[0])


def test_no_privilege_is_needed(tmp_path: Path) -> None:
    """Above port 1024 the server asks the kernel for nothing that only root may have."""
    unprivileged = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all") if os.getuid() == 0 else ()
    with DemoServer(tmp_path / "state", accounts=1, through=unprivileged) as server:
        assert "CapEff:\t0000000000000000" in Path(f"/proc/{server.pid}/status").read_text()
        message = plain("unprivileged")
        submit(server, server.accounts[0], message.raw, server.accounts[0].address)
        assert any(message.message_id.encode() in raw for raw in fetch_all(server, server.accounts[0]))


def test_second_server_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with DemoServer(tmp_path / "state"):
        command = [BINARY, "demo", "--json", "--state", tmp_path / "state", "--password", PASSWORD]
        second = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert second.returncode != 0
        assert second.stderr.strip() and not second.stdout.strip()


def test_listens_on_loopback_only(server: DemoServer) -> None:
    ports = {port for service in server.services for port in (service.implicit, service.starttls)}
    seen = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, _, port = line.split()[1].partition(":")
        if line.split()[3] == LISTENING and int(port, 16) in ports:
            assert address == LOOPBACK, f"port {int(port, 16)} listens on {address}"
            seen.add(int(port, 16))
    assert seen == ports


def test_private_files_are_private(server: DemoServer) -> None:
    for path in server.state.rglob("*"):
        if path.is_file() and (b"PRIVATE KEY" in path.read_bytes()[:4096] or "sqlite" in path.suffix):
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.fixture
def printed(tmp_path: Path) -> str:
    """What the demo prints for people; it is stopped when the test is over."""
    command = [BINARY, "demo", "--state", tmp_path / "state"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    deadline, count = time.monotonic() + 60, -1
    while time.monotonic() < deadline and (count < len(lines) or not lines):
        count = len(lines)
        time.sleep(1)
    yield "".join(lines)
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0


def test_printed_commands_work_when_pasted(printed: str) -> None:
    commands = [line.strip().removeprefix("$ ") for line in printed.replace("\\\n", " ").splitlines()]
    commands = [line for line in commands if re.match(r"(curl|openssl|echo .*\| ?(curl|openssl)|printf .*\|) ", line)]
    assert any("curl" in line for line in commands), printed
    assert any("openssl" in line for line in commands), printed
    for line in commands:
        assert shlex.split(line)
        run(["sh", "-c", line], stdin=b"z LOGOUT\r\n")
