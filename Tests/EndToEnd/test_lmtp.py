"""LMTP on a UNIX socket and on loopback; aliases and senders as an operator manages them."""

import json
import smtplib
import socket
import stat
from pathlib import Path
from typing import Iterator

import pytest

from test_serve import PASSWORD, Installation, free_ports

MESSAGE = b"From: out@else.example\r\nSubject: in\r\nMessage-ID: <in@else.example>\r\n\r\n.dot\r\nbody\r\n"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    (made.lmtp,) = free_ports(1)
    text = made.config.read_text()
    # A path of a socket is short; a temporary directory's need not be.
    made.socket = Path("/tmp") / f"latchmail-lmtp-{made.lmtp}"
    lmtp = f'  lmtp: {{socket: {made.socket}, socket-mode: "0620", loopback: ["127.0.0.1:{made.lmtp}"]}}\n'
    made.config.write_text(text + lmtp)
    made.command("domain", "add", "example.org")
    for name in ("ada", "bob"):
        made.command("user", "add", f"{name}@example.org", stdin=PASSWORD + "\n")
    yield made
    made.stop()
    assert not made.socket.exists()


def inbox(installation: Installation, name: str, mailbox: str = "INBOX") -> list[bytes]:
    with installation.login(name, PASSWORD) as client:
        client.select(mailbox, readonly=True)
        _, found = client.uid("SEARCH", "ALL")
        return [client.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1][0][1] for uid in found[0].split()]


@pytest.mark.parametrize("where", ["socket", "loopback"])
def test_smtplib_delivers(installation: Installation, where: str) -> None:
    installation.start()
    assert stat.S_IMODE(installation.socket.stat().st_mode) == 0o620
    host, port = (str(installation.socket), 0) if where == "socket" else ("127.0.0.1", installation.lmtp)
    with smtplib.LMTP(host, port, timeout=30) as client:
        # smtplib reads one answer to a message: one recipient at a time.
        assert client.sendmail("out@else.example", ["Bob+lists@example.org"], MESSAGE) == {}
        refused = client.sendmail("out@else.example", ["ada@example.org", "no@example.org"], MESSAGE)
        assert list(refused) == ["no@example.org"] and refused["no@example.org"][0] == 550
        assert {"pipelining", "chunking", "enhancedstatuscodes", "8bitmime", "size"} <= set(client.esmtp_features)
        assert "auth" not in client.esmtp_features and "starttls" not in client.esmtp_features
    for name in ("ada", "bob"):
        (received,) = inbox(installation, name)
        assert received.startswith(b"Return-Path: <out@else.example>\r\nReceived: from ")
        assert b" with LMTP id " in received and received.endswith(MESSAGE)


def test_marked_mail_goes_into_junk(installation: Installation) -> None:
    installation.start()
    with smtplib.LMTP(str(installation.socket), timeout=30) as client:
        client.sendmail("", ["ada@example.org"], b"X-Spam-Flag: YES\r\n" + MESSAGE)
    assert inbox(installation, "ada") == []
    (received,) = inbox(installation, "ada", "Junk")
    assert received.startswith(b"Return-Path: <>\r\n")


def test_a_dead_socket_is_replaced(installation: Installation) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(installation.socket))
    installation.start()
    with smtplib.LMTP(str(installation.socket), timeout=30) as client:
        assert client.noop()[0] == 250


def test_other_addresses_are_refused(installation: Installation) -> None:
    installation.config.write_text(installation.config.read_text().replace("127.0.0.1:%d" % installation.lmtp, "0.0.0.0:24"))
    assert "loopback" in installation.command("check", expect=78)


def test_aliases_and_senders(installation: Installation) -> None:
    """Before and while the server runs; JSON for programs."""
    installation.command("alias", "add", "team@example.org", "ada@example.org", "bob@example.org")
    installation.start()
    installation.command("alias", "add", "ada.l@example.org", "ada@example.org")
    installation.command("alias", "add", "@example.org", "bob@example.org")
    assert json.loads(installation.command("alias", "list", "--json")) == [
        {"name": "@example.org", "targets": ["bob@example.org"]},
        {"name": "ada.l@example.org", "targets": ["ada@example.org"]},
        {"name": "team@example.org", "targets": ["ada@example.org", "bob@example.org"]},
    ]
    with smtplib.SMTP_SSL("localhost", installation.submissions, context=installation.context(), timeout=30) as client:
        client.login("ada", PASSWORD)
        everyone = ["team@example.org", "whoever@example.org"]
        client.sendmail("ada.l@example.org", everyone, b"From: ada.l@example.org\r\nSubject: x\r\n\r\nx\r\n")
        for sender in ("team@example.org", "bob@example.org", "ada@else.example"):
            assert client.mail(sender)[0] == 550
        installation.command("user", "grant", "ada@example.org", "team@example.org")
        assert client.mail("team@example.org")[0] == 250
        client.rset()
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.sendmail("ada@example.org", ["bob@example.org"], b"From: bob@example.org\r\n\r\nx\r\n")
        assert refusal.value.smtp_code == 550
        client.sendmail(
            "ada@example.org", ["bob@example.org"], b"From: team@example.org\r\nBcc: ada@example.org\r\n\r\nx\r\n"
        )
        installation.command("user", "revoke", "ada@example.org", "team@example.org")
        assert client.mail("team@example.org")[0] == 550
    assert len(inbox(installation, "ada")) == 1
    first, second = inbox(installation, "bob")
    assert b"Message-ID: <" in first and b"Date: " in first and b"Sender:" not in first
    assert b"Sender: <ada@example.org>\r\n" in second and b"Bcc" not in second
    assert json.loads(installation.command("user", "grants", "ada@example.org", "--json")) == []
    installation.command("alias", "remove", "team@example.org")
    installation.command("alias", "remove", "team@example.org", expect=67)
