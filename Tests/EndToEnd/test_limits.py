"""Too much of anything costs bounded memory and time, and only the one who sends it."""

import smtplib
import socket
import ssl
import time

import pytest

from support.clients import fetch_all, smtp
from support.messages import plain
from support.server import Account, DemoServer
from support.wire import DIALECTS, Dialect, Wire, open_plain, open_secure, service, tls_context

EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
IMAP, POP3, SUBMISSION = DIALECTS
MEBIBYTE = 1024 * 1024
# What one greedy connection may make the server grow by. A debug binary's allocator keeps some slack.
ALLOWED_GROWTH_KIB = 24 * 1024


def still_served(server: DemoServer, dialect: Dialect) -> None:
    with open_secure(server, dialect) as wire:
        if dialect.hello:
            wire.command(dialect.hello, dialect.ready)
        wire.command(dialect.probe, dialect.answered)


def pour(wire: Wire, piece: bytes, total: int, seconds: float = 10) -> int:
    """Sends `piece` over and over until `total`, the server's end of patience, or ours. Returns what was sent."""
    sent, deadline = 0, time.monotonic() + seconds
    wire.socket.settimeout(2)
    try:
        while sent < total and time.monotonic() < deadline:
            wire.send(piece)
            sent += len(piece)
    except (OSError, ssl.SSLError):
        pass
    return sent


@EVERY
@pytest.mark.parametrize("connect", [open_plain, open_secure], ids=["plain", "tls"])
def test_endless_line(server: DemoServer, dialect: Dialect, connect) -> None:
    before = server.resident_kib()
    with connect(server, dialect) as wire:
        pour(wire, b"x" * 65536, 64 * MEBIBYTE)
        assert server.resident_kib() - before < ALLOWED_GROWTH_KIB
    still_served(server, dialect)


def test_oversized_line_has_its_own_answer(server: DemoServer) -> None:
    for dialect, expected in zip(DIALECTS, ((b"a BAD", b"* BAD", b"* BYE"), (b"-ERR",), (b"500", b"5"))):
        with open_secure(server, dialect) as wire:
            wire.send(b"a NOOP " + b"x" * 20_000 + b"\r\n")
            assert wire.line().startswith(expected)


def test_oversized_literal_is_not_invited(server: DemoServer, account: Account) -> None:
    with open_secure(server, IMAP) as wire:
        wire.send(b"a LOGIN {2000000000}\r\n")
        assert wire.line().startswith((b"a BAD", b"a NO", b"* BYE"))
    with open_secure(server, IMAP) as wire:
        wire.command(f'a LOGIN {account.login} "{account.password}"\r\n'.encode(), b"a OK")
        wire.send(b"b APPEND INBOX {4000000000}\r\n")
        assert wire.line().startswith((b"b NO", b"b BAD"))


def test_uninvited_literal_is_not_kept(server: DemoServer) -> None:
    before = server.resident_kib()
    with open_secure(server, IMAP) as wire:
        wire.send(b"a LOGIN {2000000000+}\r\n")
        pour(wire, b"x" * 65536, 64 * MEBIBYTE)
        assert server.resident_kib() - before < ALLOWED_GROWTH_KIB
    still_served(server, IMAP)


@pytest.mark.parametrize("opener", [b"(", b"NOT ", b"OR "])
def test_deep_nesting(server: DemoServer, account: Account, opener: bytes) -> None:
    with open_secure(server, IMAP) as wire:
        wire.command(f'a LOGIN {account.login} "{account.password}"\r\n'.encode(), b"a OK")
        wire.command(b"b SELECT INBOX\r\n", b"b OK")
        wire.send(b"c SEARCH " + opener * (7000 // len(opener)) + b"ALL\r\n")
        assert wire.until(b"c ")[-1].startswith(b"c BAD")
        wire.command(b"d NOOP\r\n", b"d OK")


def test_deeply_nested_message(server: DemoServer, account: Account) -> None:
    """A message of 2,000 nested parts is taken in, listed and searched without harm."""
    raw = b"Subject: deep\r\nMIME-Version: 1.0\r\n"
    for level in range(2000):
        raw += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
    raw += b"\r\ntext\r\n"
    with open_secure(server, IMAP) as wire:
        wire.command(f'a LOGIN {account.login} "{account.password}"\r\n'.encode(), b"a OK")
        wire.command(b"b APPEND INBOX {%d}\r\n" % len(raw), b"+")
        wire.command(raw + b"\r\n", b"b OK")
        wire.command(b"c SELECT INBOX\r\n", b"c OK")
        wire.command(b"d FETCH 1 (BODYSTRUCTURE ENVELOPE)\r\n", b"d OK")
        wire.command(b"e SEARCH BODY text\r\n", b"e OK")


def test_one_recipient_named_often(server: DemoServer, account: Account) -> None:
    """RFC 5321 §4.5.3.1.8: at least 100 are taken; beyond a limit 452. The message arrives once."""
    with smtp(server, account) as client:
        client.mail(account.address)
        codes = [client.rcpt(account.address)[0] for _ in range(2000)]
        assert set(codes[:100]) == {250} and set(codes) <= {250, 452}
        assert client.data(plain("often").raw)[0] == 250
    assert len(fetch_all(server, account)) == 1


def test_guessing_recipients_ends(server: DemoServer, account: Account) -> None:
    """Who asks for one unknown name after another (harvesting) is sent away; others are served."""
    domain = account.address.partition("@")[2]
    with smtp(server, account) as client:
        client.mail(account.address)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            for number in range(2000):
                code, _ = client.rcpt(f"guess{number}@{domain}")
                assert 400 <= code < 600
                if code == 421:
                    raise smtplib.SMTPServerDisconnected("421")
    still_served(server, SUBMISSION)


@EVERY
def test_endless_pipelining_without_reading(server: DemoServer, dialect: Dialect) -> None:
    """A client that sends commands and reads nothing stops being read."""
    before = server.resident_kib()
    with open_secure(server, dialect) as wire:
        if dialect.hello:
            wire.command(dialect.hello, dialect.ready)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        pour(wire, dialect.probe * 5000, 64 * MEBIBYTE, seconds=5)
        assert server.resident_kib() - before < ALLOWED_GROWTH_KIB
    still_served(server, dialect)


def test_silent_connections_do_not_stop_others(server: DemoServer) -> None:
    """Connections that say nothing, and handshakes that stay half done."""
    silent = []
    for dialect in DIALECTS:
        for port in (service(server, dialect).implicit, service(server, dialect).starttls):
            for _ in range(50):
                silent.append(socket.create_connection((server.host, port), timeout=10))
                silent[-1].send(b"\x16\x03\x01")
    began = time.monotonic()
    for dialect in DIALECTS:
        still_served(server, dialect)
    assert time.monotonic() - began < 5
    for connection in silent:
        connection.close()


def test_ten_thousand_connections(server: DemoServer) -> None:
    """Opened and dropped, 500 at a time, some of them in the middle of a handshake: memory comes back."""
    ports = [port for listening in server.services for port in (listening.implicit, listening.starttls)]
    rounds = 10_000 // (250 * len(ports)) + 1
    churn(server, ports, 1)
    before = server.resident_kib()
    for _ in range(rounds):
        churn(server, ports, 250)
    still_served(server, IMAP)
    assert server.resident_kib() - before < 2 * ALLOWED_GROWTH_KIB


def churn(server: DemoServer, ports: list[int], count: int) -> None:
    for port in ports:
        opened = []
        for number in range(count):
            opened.append(socket.create_connection((server.host, port), timeout=10))
            if number % 3 == 0:
                opened[-1].send(b"\x16\x03\x01\x02\x00\x01")
        for connection in opened:
            connection.close()


def test_failed_logins_are_limited(server: DemoServer, account: Account) -> None:
    """One connection gets only so many guesses."""
    with open_secure(server, IMAP) as wire:
        for number in range(30):
            wire.send(f'a{number} LOGIN {account.login} "wrong"\r\n'.encode())
            answer = wire.line()
            if not answer.startswith(f"a{number} NO".encode()):
                break
        assert answer == b"" or answer.startswith(b"* BYE"), answer
    with smtp(server, account) as client:
        assert client.noop()[0] == 250


def test_many_sessions_of_one_account(server: DemoServer, account: Account) -> None:
    sessions = []
    for _ in range(30):
        wire = Wire(server.imap.implicit).secure(tls_context(server.ca))
        wire.until(b"* OK")
        wire.command(f'a LOGIN {account.login} "{account.password}"\r\n'.encode(), b"a OK")
        wire.command(b"b SELECT INBOX\r\n", b"b OK")
        sessions.append(wire)
    for wire in sessions:
        wire.command(b"c NOOP\r\n", b"c OK")
        wire.socket.close()
