"""A second server that others wrote: Exim as mail exchanger, as smarthost, and as server for inbound mail."""

import re
import smtplib
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.authority import Authority
from support.exim import Exim
from support.nameserver import Zones
from support.processes import wait_until
from support.site import Site
from support.trace import crlf, without_trace
from test_inbound import reachable_socket
from test_relay import HEADER, MESSAGES, Internet, stack  # noqa: F401

needs_exim = pytest.mark.skipif(not Exim.available, reason="Exim is missing: Scripts/prepare --tests, as root")
needs_zones = pytest.mark.skipif(not Zones.available, reason="nsd or ldnsutils is missing: Scripts/prepare --tests")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@needs_exim
@needs_zones
def test_messages_arrive_at_an_exchanger_with_dane_as_they_were(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    right = authority.issue("no.name.at.all")
    internet = Internet(tmp_path, authority, stack, [f"_PORT._tcp.mx.right.example. IN TLSA {right.tlsa()}"])
    exim = Exim(tmp_path / "exim", port=internet.port, certificate=right, encrypted=True)
    stack.append(exim.stop)
    for message in MESSAGES.values():
        internet.site.submit("joe@right.example", message, options=("BODY=8BITMIME",))
    arrived = [crlf(without_trace(message)) for message in exim.wait_for_mail(len(MESSAGES))]
    assert sorted(arrived) == sorted(MESSAGES.values())
    assert exim.log().count("P=esmtps") == len(MESSAGES)
    assert internet.site.log().count("dane-ee") >= len(MESSAGES)


@needs_exim
def test_a_way_of_its_own_needs_a_certificate_for_the_name(tmp_path: Path, authority: Authority) -> None:
    """Verified by an authority; another name, and nothing goes."""
    exims = [
        Exim(tmp_path / name, certificate=authority.issue(name), encrypted=True, domains=f"{domain}.example")
        for name, domain in (("localhost", "right"), ("other.example", "wrong"))
    ]  # fmt: skip
    transports = [f"{exim_domain}.example=smtp:localhost:{exim.port}" for exim_domain, exim in zip(("right", "wrong"), exims)]
    relay = {"mode": "direct", "transports": transports}
    try:
        with Site(tmp_path / "site", authority, relay=relay) as site:
            site.submit(["joe@wrong.example", "joe@right.example"], MESSAGES["dots"])
            assert [crlf(without_trace(message)) for message in exims[0].wait_for_mail()] == [MESSAGES["dots"]]
            wait_until(lambda: "certificate" in site.queue(), "it waits, and says why")
            assert exims[1].mail() == [] and "MAIL FROM" not in exims[1].log()
    finally:
        for exim in exims:
            exim.stop()


@needs_exim
@pytest.mark.parametrize("security", ["starttls", "implicit"])
@pytest.mark.parametrize("password", ["a secret", "another"])
def test_a_smarthost_takes_mail_on_with_tls_and_login(
    tmp_path: Path, authority: Authority, security: str, password: str
) -> None:
    exim = Exim(
        tmp_path / "exim", certificate=authority.issue("localhost"), login=("latchmail", "a secret"), encrypted=True
    )  # fmt: skip
    relay = {
        "mode": "smarthost", "smarthost-security": security, "username": "latchmail",
        "smarthost": f"localhost:{exim.port if security == 'starttls' else exim.implicit}",
        "password-command": f"echo {password}",
    }  # fmt: skip
    with exim, Site(tmp_path / "site", authority, relay=relay) as site:
        site.submit(["joe@right.example", "ann@else.example"], MESSAGES["dots"])
        if password == "a secret":
            for message in exim.wait_for_mail(2):
                assert crlf(without_trace(message)) == MESSAGES["dots"]
            assert "A=plain:latchmail" in exim.log()
        else:
            wait_until(lambda: "535" in site.queue(), "it waits, and says why")
            assert exim.mail() == []
        assert password not in site.log()


@needs_exim
def test_an_exchanger_sends_the_notices_that_it_promised(tmp_path: Path, authority: Authority) -> None:
    """[RFC 3461 §5.2.1] Exim offers DSN: it tells of success, and of the failure of its own; this server of neither."""
    site = Site(tmp_path / "site", authority)
    exim = Exim(tmp_path / "exim", certificate=authority.issue("localhost"), notices=site.lmtp)
    site.settings["relay"] = {"mode": "direct", "transports": [f"right.example=smtp:localhost:{exim.port}"]}
    site.settings["listeners"]["lmtp"] = {"loopback": [f"127.0.0.1:{site.lmtp}"]}
    site.write()
    with exim, site, site.smtp() as client:
        client.ehlo("client.example")
        assert client.mail("ada@example.org", ["RET=HDRS", "ENVID=an+2Bid"])[0] == 250
        assert client.rcpt("joe@right.example", ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;j+2Boe@right.example"])[0] == 250
        assert client.data(MESSAGES["dots"])[0] == 250
        (report,) = site.wait_for_mail("ada")
        assert b"multipart/report" in report and b"exim.example" in report
        # Whether it decodes what it got is Exim's matter.
        assert re.search(rb"(?i)original-envelope-id: an\+(id|2bid)\r\n", report)
        assert b"Action: delivered" in report and b"joe@right.example" in report
        assert "right.example" not in site.queue()


@needs_exim
@pytest.mark.parametrize("way", ["socket", "loopback"])
def test_exim_delivers_by_lmtp(tmp_path: Path, authority: Authority, way: str) -> None:
    site = Site(tmp_path / "site", authority)
    path = reachable_socket(tmp_path)
    if way == "socket":
        site.settings["listeners"]["lmtp"] = {"socket": str(path), "socket-mode": "0666"}
    else:
        site.settings["listeners"]["lmtp"] = {"loopback": [f"127.0.0.1:{site.lmtp}"]}
    site.write()
    exim = Exim(tmp_path / "exim", domains="example.org", lmtp=path if way == "socket" else site.lmtp)
    with site, exim:
        for message in MESSAGES.values():
            with smtplib.SMTP("127.0.0.1", exim.port, timeout=60) as client:
                recipients = ["ada@example.org", "bob+lists@example.org"]
                client.sendmail("joe@else.example", recipients, message, mail_options=["BODY=8BITMIME"])
        for user in ("ada", "bob"):
            arrived = site.wait_for_mail(user, len(MESSAGES))
            assert all(message.startswith(b"Return-Path: <joe@else.example>\r\n") for message in arrived)
            assert sorted(without_trace(message) for message in arrived) == sorted(MESSAGES.values())


@needs_exim
def test_exim_tells_of_the_recipient_that_is_unknown_here(tmp_path: Path, authority: Authority) -> None:
    """[LMTP] Each recipient has an answer of its own; a server that is down makes Exim keep the mail."""
    site = Site(tmp_path / "site", authority)
    site.settings["listeners"]["lmtp"] = {"loopback": [f"127.0.0.1:{site.lmtp}"]}
    site.write()
    with Exim(tmp_path / "exim", domains="example.org", lmtp=site.lmtp) as exim:
        with smtplib.SMTP("127.0.0.1", exim.port, timeout=60) as client:
            recipients = ["bob@example.org", "nobody-else@example.org"]
            client.sendmail("ada@example.org", recipients, HEADER + b"\r\ntext\r\n")
        wait_until(lambda: "defer" in exim.log() or "==" in exim.log(), "it waits at Exim")
        with site:
            assert len(site.wait_for_mail("bob")) == 1
            (report,) = site.wait_for_mail("ada")
            assert b"nobody-else@example.org" in report and b"5.1.1" in report
