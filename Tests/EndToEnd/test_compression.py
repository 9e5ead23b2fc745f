"""COMPRESS=DEFLATE (RFC 4978) and UNAUTHENTICATE (RFC 8437), with Python's zlib at the other end."""

import base64
import random
import zlib

import pytest

from support.clients import fetch, imap
from support.compression import CompressedWire, compress
from support.messages import plain, sample
from support.server import Account, DemoServer
from support.wire import DIALECTS, Wire, open_secure

IMAP = DIALECTS[0]
MEBIBYTE = 1024 * 1024
# How a flush ends.
FLUSHED = b"\0\0\xff\xff"


def login(wire: Wire, account: Account) -> bytes:
    """Logs in; the capabilities of the answer."""
    return wire.command(f'l LOGIN {account.login} "{account.password}"\r\n'.encode(), b"l ")[-1]


def open_compressed(server: DemoServer, account: Account, level: int = 9) -> CompressedWire:
    wire = open_secure(server, IMAP)
    assert b"COMPRESS=DEFLATE" in login(wire, account)
    assert wire.command(b"c COMPRESS DEFLATE\r\n", b"c ") == [b"c OK DEFLATE active\r\n"]
    return CompressedWire(wire, level)


def test_imaplib_compressed(server: DemoServer, account: Account) -> None:
    client = imap(server, account)
    squeezer = compress(client)
    messages = [plain(f"compressed {number}") for number in range(20)]
    noise = base64.encodebytes(random.Random(1).randbytes(2 * MEBIBYTE)).replace(b"\n", b"\r\n")
    messages.append(sample("noise", noise))
    messages.append(sample("text", b"the same line again and again\r\n" * 50_000))
    for message in messages:
        assert client.append("INBOX", "", "", message.raw)[0] == "OK"
    client.select("INBOX")
    for number, message in enumerate(messages, 1):
        assert fetch(client, client.fetch(str(number), "(UID)")[1][0].split()[-1].rstrip(b")").decode()) == message.raw
    # 1.5 MB of text in next to nothing.
    assert squeezer.received < sum(len(message.raw) for message in messages) - MEBIBYTE
    client.logout()


def test_second_time(server: DemoServer, account: Account) -> None:
    with open_compressed(server, account) as wire:
        assert b"COMPRESS=" not in wire.command(b"a CAPABILITY\r\n", b"a OK")[0]
        assert wire.command(b"b COMPRESS DEFLATE\r\n", b"b ")[-1].startswith(b"b NO [COMPRESSIONACTIVE] ")
        wire.command(b"d NOOP\r\n", b"d OK")
        wire.command(b"z LOGOUT\r\n", b"z OK")
        assert wire.rest() == b""


@pytest.mark.parametrize("level", [0, 1, 9])
def test_pipelined_commands(server: DemoServer, account: Account, level: int) -> None:
    with open_compressed(server, account, level) as wire:
        wire.send(b"".join(b"n%d NOOP\r\n" % number for number in range(200)))
        for number in range(200):
            wire.until(b"n%d OK" % number)
        message = b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 300_000
        wire.send(b"a APPEND INBOX {%d+}\r\n" % len(message) + message + b"\r\nb NOOP\r\n")
        wire.until(b"a OK")
        wire.until(b"b OK")


def test_nothing_crosses_the_switch(server: DemoServer, account: Account) -> None:
    with open_secure(server, IMAP) as wire:
        login(wire, account)
        wire.send(b"c COMPRESS DEFLATE\r\nd NOOP\r\n")
        answer = wire.rest()
        assert answer.startswith(b"c BAD ") and b"\r\nd " not in answer
    # Nor what is not compressed behind it.
    with open_secure(server, IMAP) as wire:
        login(wire, account)
        wire.command(b"c COMPRESS DEFLATE\r\n", b"c OK")
        wire.send(b"d NOOP\r\n")
        assert wire.rest() == b""


def test_bomb(server: DemoServer, account: Account) -> None:
    """A line of 32 MiB in 32 KiB: it costs what a long line costs."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(squeezer.compress(b"x" * MEBIBYTE) for _ in range(32)) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    with open_compressed(server, account) as wire:
        before = server.resident_kib()
        wire.socket.settimeout(60)
        try:
            wire.socket.sendall(bomb)
        except OSError:
            pass
        answer = wire.rest()
        assert b"BAD" in answer or b"BYE" in answer or answer == b""
        assert server.resident_kib() - before < 24 * 1024


def test_many_compressed_connections_are_small(server: DemoServer, account: Account) -> None:
    before = server.resident_kib()
    wires = [open_compressed(server, account) for _ in range(40)]
    for wire in wires:
        wire.command(b"a SELECT INBOX\r\n", b"a OK")
    assert server.resident_kib() - before < 40 * 300
    for wire in wires:
        wire.socket.close()


def test_unauthenticate(server: DemoServer, account: Account, second_account: Account) -> None:
    with open_secure(server, IMAP) as wire:
        assert b"UNAUTHENTICATE" in login(wire, account)
        wire.command(b"a SELECT INBOX\r\n", b"a OK")
        wire.command(b"b UNAUTHENTICATE\r\n", b"b OK")
        wire.command(b"c FETCH 1:* FLAGS\r\n", b"c BAD")
        wire.command(b"d CREATE mine\r\n", b"d BAD")
        login(wire, second_account)
        wire.command(b"e CREATE mine\r\n", b"e OK")
        secret = base64.b64encode(f"\0{account.login}\0{account.password}".encode())
        wire.send(b"f UNAUTHENTICATE\r\ng AUTHENTICATE PLAIN " + secret + b"\r\nh SELECT mine\r\n")
        wire.until(b"f OK")
        wire.until(b"g OK")
        assert wire.line().startswith(b"h NO ")


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_FINISH])
@pytest.mark.parametrize("pipelined", [False, True])
def test_unauthenticate_ends_compression(server: DemoServer, account: Account, flush: int, pipelined: bool) -> None:
    """RFC 8437 §4.1: behind the client's CRLF and behind the server's OK nothing is compressed."""
    with open_compressed(server, account) as wire:
        wire.command(b"a SELECT INBOX\r\n", b"a OK")
        last = wire.squeezer.out.compress(b"b UNAUTHENTICATE\r\n") + wire.squeezer.out.flush(flush)
        secret = base64.b64encode(f"\0{account.login}\0{account.password}".encode())
        follow = b"c AUTHENTICATE PLAIN " + secret + b"\r\n"
        wire.socket.sendall(last + follow if pipelined else last)
        raw = text = b""
        while b"b OK" not in text or not raw.endswith(FLUSHED):
            octet = wire.socket.recv(1)
            assert octet, text
            raw += octet
            text += wire.squeezer.into.decompress(octet)
        assert text == b"b OK Log in again\r\n"
        clear = wire.in_the_clear()
        if not pipelined:
            clear.send(follow)
        assert b"COMPRESS=DEFLATE" in clear.line()
        clear.command(b"d COMPRESS DEFLATE\r\n", b"d OK")
        CompressedWire(clear).command(b"e NOOP\r\n", b"e OK")
