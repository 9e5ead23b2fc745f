"""Mail comes in from a server for inbound mail, which delivers by LMTP: Postfix, as most would have it."""

import os
import smtplib
import socket
from pathlib import Path

import pytest

from support.authority import Authority
from support.postfix import Postfix
from support.sink import Sink
from support.site import Site
from support.trace import without_trace
from support.processes import wait_until
from test_relay import HEADER, MESSAGES, needs_postfix


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def deliver(postfix: Postfix, recipients: list[str], message: bytes, sender: str = "joe@else.example") -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
        client.sendmail(sender, recipients, message, mail_options=["BODY=8BITMIME"])


def reachable_socket(directory: Path) -> Path:
    """Postfix's processes run as another user: pytest's directories are only for ours."""
    for parent in (directory, *directory.parents):
        if parent != Path("/") and parent.owner() == "root":
            parent.chmod(parent.stat().st_mode | 0o055)
    return directory / "lmtp"


@needs_postfix
@pytest.mark.parametrize("way", ["socket", "loopback"])
def test_postfix_delivers_by_lmtp(tmp_path: Path, authority: Authority, way: str) -> None:
    site = Site(tmp_path / "site", authority)
    path = reachable_socket(tmp_path)
    if way == "socket":
        site.settings["listeners"]["lmtp"] = {"socket": str(path), "socket-mode": "0666"}
    else:
        site.settings["listeners"]["lmtp"] = {"loopback": [f"127.0.0.1:{site.lmtp}"]}
    site.write()
    transport = f"lmtp:unix:{path}" if way == "socket" else f"lmtp:inet:127.0.0.1:{site.lmtp}"
    with site, Postfix(tmp_path / "postfix", domains="example.org", transport=transport) as postfix:
        for count, message in enumerate(MESSAGES.values(), 1):
            deliver(postfix, ["ada@example.org", "bob@example.org"], message)
            for user in ("ada", "bob"):
                site.wait_for_mail(user, count)
        for user in ("ada", "bob"):
            arrived = site.mailbox(user)
            assert all(message.startswith(b"Return-Path: <joe@else.example>\r\n") for message in arrived)
            assert [without_trace(message) for message in arrived] == list(MESSAGES.values())


@needs_postfix
def test_each_recipient_has_an_answer_of_its_own(tmp_path: Path, authority: Authority) -> None:
    """[LMTP] one of three recipients is unknown, one has a detail: the sender is told of the one."""
    site = Site(tmp_path / "site", authority)
    path = reachable_socket(tmp_path)
    site.settings["listeners"]["lmtp"] = {"socket": str(path), "socket-mode": "0666"}
    site.write()
    with site, Postfix(tmp_path / "postfix", domains="example.org", transport=f"lmtp:unix:{path}") as postfix:
        recipients = ["ada@example.org", "bob+lists@example.org", "nobody@example.org"]
        deliver(postfix, recipients, MESSAGES["dots"], sender="ada@example.org")
        # Of what nobody has, Postfix tells the sender, who is one of ours.
        assert len(site.wait_for_mail("ada", 2)) == 2
        assert len(site.wait_for_mail("bob")) == 1
        assert any(b"nobody@example.org" in message and b"5.1.1" in message for message in site.mailbox("ada"))


@needs_postfix
def test_mail_waits_at_postfix_while_this_server_is_down(tmp_path: Path, authority: Authority) -> None:
    site = Site(tmp_path / "site", authority)
    path = reachable_socket(tmp_path)
    site.settings["listeners"]["lmtp"] = {"socket": str(path), "socket-mode": "0666"}
    site.write()
    with Postfix(tmp_path / "postfix", domains="example.org", transport=f"lmtp:unix:{path}") as postfix:
        for number in range(20):
            deliver(postfix, ["bob@example.org"], HEADER.replace(b"<1@", b"<%d@" % number) + b"\r\ntext\r\n")
        with site:
            site.wait_for_mail("bob", 20, seconds=120)
            site.kill()
            for number in range(20, 40):
                deliver(postfix, ["bob@example.org"], HEADER.replace(b"<1@", b"<%d@" % number) + b"\r\ntext\r\n")
            site.start()
            arrived = site.wait_for_mail("bob", 40, seconds=120)
            assert all(any(b"Message-ID: <%d@" % number in message for message in arrived) for number in range(40))


def test_the_socket_is_for_whom_the_operator_says(tmp_path: Path, authority: Authority) -> None:
    site = Site(tmp_path / "site", authority)
    site.settings["listeners"]["lmtp"] = {"socket": str(tmp_path / "lmtp")}
    site.write()
    with site:
        assert (tmp_path / "lmtp").stat().st_mode & 0o777 == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(tmp_path / "lmtp"))
            assert client.recv(1000).startswith(b"220 ")
            client.sendall(b"EHLO x\r\n")
            assert client.recv(1000).startswith(b"5")
            client.sendall(b"LHLO x\r\n")
            wait_until(lambda: b"250 " in client.recv(1000), "LHLO is answered")
    # And a start after a crash is not held up by what is left of it.
    site.start()
    site.kill()
    with site:
        assert (tmp_path / "lmtp").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a socket away")
def test_the_socket_belongs_to_whom_the_operator_says(tmp_path: Path, authority: Authority) -> None:
    site = Site(tmp_path / "site", authority)
    names = {"socket": str(tmp_path / "lmtp"), "socket-owner": "mail", "socket-group": "daemon"}
    site.settings["listeners"]["lmtp"] = names
    site.write()
    with site:
        assert (tmp_path / "lmtp").owner() == "mail" and (tmp_path / "lmtp").group() == "daemon"
    names["socket-owner"] = "nobody-of-this-name"
    site.write()
    assert "there is no user nobody-of-this-name" in site.command("serve", expect=78)


def test_the_postmaster_is_told_of_mail_without_sender_that_failed(tmp_path: Path, authority: Authority) -> None:
    """[RFC 3461 §5.2]"""
    with Sink(answers={"RCPT": "550 5.1.1 no such user"}) as sink:
        relay = {"mode": "direct", "transports": [f"right.example=lmtp:127.0.0.1:{sink.port}"]}
        with Site(tmp_path / "site", authority, users=("ada", "postmaster"), relay=relay) as site, site.smtp() as client:
            client.sendmail("", ["joe@right.example"], HEADER + b"\r\ntext\r\n")
            (report,) = site.wait_for_mail("postmaster")
            assert b"joe@right.example" in report and b"5.1.1" in report and b"its sender cannot be told" in report
            assert site.mailbox("ada") == []
