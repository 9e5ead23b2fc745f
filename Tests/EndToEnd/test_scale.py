"""Many connections, slow ones, and how soon a change is told."""

import resource
import smtplib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.clients import imap, smtp
from support.messages import plain, sample
from support.server import Account, DemoServer
from support.wire import DIALECTS, Wire, open_secure

IMAP = DIALECTS[0]
MEBIBYTE = 1024 * 1024

# Held at once, where the machine lets this process open so many files and makes the connections in this time. The server's
# own limit is 10,000, and the test needs a few more.
CONNECTIONS = 9_950
CONNECTING_SECONDS = 40
# Below this the test proves nothing.
FEWEST = 200

# From the change to the line in IDLE.
TOLD_WITHIN = 0.1


def open_selected(server: DemoServer, account: Account) -> Wire:
    wire = open_secure(server, IMAP)
    wire.command(f'l LOGIN {account.login} "{account.password}"\r\n'.encode(), b"l OK")
    wire.command(b"s SELECT INBOX\r\n", b"s OK")
    return wire


def open_idle(server: DemoServer, account: Account) -> Wire:
    wire = open_selected(server, account)
    wire.command(b"i IDLE\r\n", b"+ idling")
    return wire


def test_many_idle_connections(server: DemoServer, account: Account) -> None:
    """Every one is still there, is told of a new message, and answers."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(CONNECTIONS, files - 512)
    before = server.resident_kib()
    deadline = time.monotonic() + CONNECTING_SECONDS

    def connect(_: int) -> Wire | None:
        return open_idle(server, account) if time.monotonic() < deadline else None

    with ThreadPoolExecutor(8) as pool:
        wires = [wire for wire in pool.map(connect, range(wanted)) if wire]
    try:
        assert len(wires) >= min(wanted, FEWEST)
        # A debug binary; a release one takes a third of it.
        assert server.resident_kib() - before < len(wires) * 150 + 32 * 1024
        with smtp(server, account) as client:
            client.sendmail(account.address, [account.address], plain("to all").raw)
        for wire in wires:
            assert wire.until(b"* 1 EXISTS")
        for wire in wires:
            wire.send(b"DONE\r\nn NOOP\r\n")
        for wire in wires:
            wire.until(b"i OK")
            wire.until(b"n OK")
    finally:
        for wire in wires:
            wire.socket.close()


def seconds_until(wire: Wire, prefix: bytes, change) -> float:
    began = time.monotonic()
    change()
    wire.until(prefix)
    return time.monotonic() - began


@pytest.mark.parametrize("kind", ["flags", "delivery"])
def test_idle_is_told_at_once(server: DemoServer, account: Account, kind: str) -> None:
    """From another session's command, or a message's acceptance, to the line that tells of it."""
    client = imap(server, account)
    assert client.append("INBOX", "", "", plain("watched").raw)[0] == "OK"
    client.select("INBOX")
    sender: smtplib.SMTP = smtp(server, account)
    taken = []
    with open_idle(server, account) as wire:
        for turn in range(9):
            if kind == "flags":
                sign = "+-"[turn % 2]
                taken.append(
                    seconds_until(wire, b"* 1 FETCH", lambda: client.store("1", sign + "FLAGS", r"(\Flagged)"))
                )
            else:
                raw = plain(f"turn {turn}").raw
                taken.append(
                    seconds_until(
                        wire, b"* %d EXISTS" % (turn + 2),
                        lambda: sender.sendmail(account.address, [account.address], raw),
                    )
                )  # fmt: skip
    # What else the machine does must not decide: half of the times are enough.
    assert sorted(taken)[len(taken) // 2] < TOLD_WITHIN, taken
    sender.quit()
    client.logout()


def test_stalled_clients_cost_bounded_memory(server: DemoServer, account: Account) -> None:
    """Fifty stop reading in the middle of a message of 24 MiB; none makes the server hold the message."""
    message = sample("large", b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n" * (24 * MEBIBYTE // 64))
    client = imap(server, account)
    assert client.append("INBOX", "", "", message.raw)[0] == "OK"
    before = server.resident_kib()
    wires = [open_selected(server, account) for _ in range(50)]
    try:
        for wire in wires:
            wire.send(b"f FETCH 1 BODY.PEEK[]\r\n")
            assert wire.line().startswith(b"* 1 FETCH (BODY[] {%d}" % len(message.raw))
        time.sleep(3)
        # A piece, and what is on its way through TLS; twenty times less than one message each.
        assert server.resident_kib() - before < len(wires) * 1024
        assert client.noop()[0] == "OK"
        # One that reads on after all gets every octet.
        received = bytearray(wires[0].buffer)
        while len(received) < len(message.raw) + len(b")\r\n"):
            piece = wires[0].receive()
            assert piece
            received += piece
        assert received[: len(message.raw)] == message.raw
    finally:
        for wire in wires:
            wire.socket.close()
    client.logout()
