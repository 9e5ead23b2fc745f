"""A message's end is CRLF.CRLF and nothing else (SMTP smuggling, 2023): on submission, on LMTP, and on the way out."""

import base64
import itertools
import socket
import ssl
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.processes import wait_until
from support.sink import Sink
from support.site import PASSWORD, Site

ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x00\r\n", b""]
# All but those that hold the true one.
FORGED = [
    forged for before, after in itertools.product(ENDS, ENDS)
    if before and after and b"\r\n.\r\n" not in (forged := before + b"." + after)
]  # fmt: skip
HEADER = b"From: ada@example.org\r\nTo: joe@right.example\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n"
SMUGGLED = b"MAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def sink(authority: Authority) -> Iterator[Sink]:
    with Sink(context=authority.issue("localhost").server_context()) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, authority: Authority, sink: Sink) -> Iterator[Site]:
    made = Site(
        tmp_path / "site", authority, relay={"mode": "direct", "transports": [f"right.example=smtp:localhost:{sink.port}"]},
        submission={"messages-per-hour": "none"},
    )  # fmt: skip
    made.settings["listeners"]["lmtp"] = {"loopback": [f"127.0.0.1:{made.lmtp}"]}
    made.write()
    with made:
        yield made


class Client:
    """Says octets, hears replies."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.stream = connection.makefile("rb")

    def reply(self) -> bytes:
        """The last line of one."""
        while line := self.stream.readline():
            if line[3:4] != b"-":
                return line
        return b""

    def ask(self, command: bytes) -> bytes:
        self.connection.sendall(command + b"\r\n")
        return self.reply()

    def close(self) -> None:
        self.stream.close()
        self.connection.close()


def submission(site: Site) -> Client:
    raw = socket.create_connection(("127.0.0.1", site.submissions), 60)
    client = Client(site.context().wrap_socket(raw, server_hostname="localhost"))
    client.reply()
    client.ask(b"EHLO x")
    response = base64.b64encode(f"\0ada@{site.domain}\0{PASSWORD}".encode())
    assert client.ask(b"AUTH PLAIN " + response).startswith(b"235")
    return client


def delivery(site: Site) -> Client:
    client = Client(socket.create_connection(("127.0.0.1", site.lmtp), 60))
    client.reply()
    client.ask(b"LHLO x")
    return client


@pytest.mark.parametrize("way", ["submission", "LMTP"])
def test_no_other_end_of_a_message_is_taken_for_one(site: Site, way: str) -> None:
    for forged in FORGED:
        client = submission(site) if way == "submission" else delivery(site)
        for command in (b"MAIL FROM:<ada@example.org>", b"RCPT TO:<bob@example.org>"):
            assert client.ask(command).startswith(b"250"), forged
        assert client.ask(b"DATA").startswith(b"354")
        client.connection.sendall(HEADER + b"\r\nbefore" + forged + SMUGGLED)
        # One reply for one message: a second would be for the smuggled one.
        first = client.reply()
        client.connection.sendall(b"NOOP\r\n")
        second = client.reply()
        assert first.startswith((b"250", b"5")), (forged, first)
        # The connection is closed, or the next reply is NOOP's.
        assert second == b"" or second.startswith(b"250"), (forged, second)
        client.close()
        for message in site.mailbox("bob"):
            header, _, body = message.partition(b"\r\n\r\n")
            assert b"smuggled" not in header and b"before" in body, forged
            assert b"\n" not in body.replace(b"\r\n", b"") and b"\r" not in body.replace(b"\r\n", b""), forged


def test_what_goes_out_has_one_end(site: Site, sink: Sink) -> None:
    """Whatever was taken in, by DATA or in chunks, ends where it ends for the next server too."""
    taken = 0
    for forged in FORGED:
        for chunked in (False, True):
            client = submission(site)
            for command in (b"MAIL FROM:<ada@example.org>", b"RCPT TO:<joe@right.example>"):
                assert client.ask(command).startswith(b"250"), forged
            content = HEADER + b"\r\nbefore" + forged + SMUGGLED.removesuffix(b".\r\n") + b"after\r\n"
            if chunked:
                reply = client.ask(b"BDAT %d LAST\r\n" % len(content) + content[:-2])
            else:
                assert client.ask(b"DATA").startswith(b"354")
                client.connection.sendall(content + b".\r\n")
                reply = client.reply()
            taken += reply.startswith(b"250")
            client.close()
    # And one in which only dots are odd.
    client = submission(site)
    for command in (b"MAIL FROM:<ada@example.org>", b"RCPT TO:<joe@right.example>"):
        client.ask(command)
    client.ask(b"DATA")
    dots = HEADER + b"\r\n..\r\n...\r\n .\r\n"
    assert client.ask(dots + b".").startswith(b"250")
    client.close()
    wait_until(lambda: len(sink.messages) == taken + 1, f"{taken + 1} messages at the next server: {site.log_path}", 120)
    for message in sink.messages:
        assert message.content.endswith((b"after\r\n", b"\r\n.\r\n..\r\n .\r\n"))
        bare = message.content.replace(b"\r\n", b"")
        assert b"\r" not in bare and b"\n" not in bare and b"\0" not in bare
        assert message.recipients == ["RCPT TO:<joe@right.example>"] or message.recipients[0].startswith("RCPT TO:<joe@right.example> ")
