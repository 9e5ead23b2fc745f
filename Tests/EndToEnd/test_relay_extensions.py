"""What a client asks of a message's further way, and what then goes out to a server that others wrote (aiosmtpd, with
extensions added) and that offers it, or does not."""

import re
import smtplib
import time
from pathlib import Path
from typing import Callable

import pytest

from support.authority import Authority
from support.extendedsink import Extended
from support.processes import wait_until
from support.site import Site
from support.trace import without_trace
from test_relay import MESSAGES

MESSAGE = MESSAGES["dots"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def way(tmp_path: Path, authority: Authority):
    """Makes a site whose mail for right.example goes to a server with such extensions."""
    things: list = []

    def make(*extensions: str, **configuration: object) -> tuple[Site, Extended]:
        number = len(things)
        sink = Extended(tmp_path / f"sink{number}", authority.issue("localhost"), *extensions)
        things.append(sink)
        relay = {"mode": "direct", "transports": [f"right.example=smtp:localhost:{sink.port}"]}
        site = Site(tmp_path / f"site{number}", authority, relay=relay, **configuration)
        site.start()
        things.append(site)
        return site, sink

    yield make
    for thing in reversed(things):
        thing.__exit__(None, None, None)


def send(
    site: Site, mail: list[str] = [], rcpt: list[str] = [], to: tuple[str, ...] = ("joe@right.example",)
) -> list[tuple[int, bytes]]:
    """The replies to MAIL, RCPT and the message, as far as it came."""
    with site.smtp() as client:
        client.ehlo("client.example")
        replies = [client.mail("ada@example.org", mail)]
        for recipient in to:
            if replies[-1][0] == 250:
                replies.append(client.rcpt(recipient, rcpt))
        if replies[-1][0] == 250:
            replies.append(client.data(MESSAGE))
        return replies


def code(replies: list[tuple[int, bytes]]) -> int:
    return replies[-1][0]


def own(words: list[str]) -> list[str]:
    """Without what each message has."""
    return [word for word in words if not word.startswith(("SIZE", "BODY"))]


def report(site: Site) -> bytes:
    (message,) = site.wait_for_mail("ada")
    assert b"multipart/report" in message
    return message


def test_extensions_are_offered_where_they_hold(way: Callable[..., tuple[Site, Extended]], tmp_path: Path) -> None:
    site, _ = way()
    with site.smtp() as client:
        client.ehlo("client.example")
        offered = client.esmtp_features
        assert offered["deliverby"] == "60" and offered["mt-priority"] == "MIXER" and "requiretls" in offered
        assert offered["futurerelease"].startswith("2592000 ") and offered["limits"] == "RCPTMAX=1000"
    with smtplib.SMTP("localhost", site.submission, timeout=60) as client:
        client.ehlo("client.example")
        assert set(client.esmtp_features) & {"deliverby", "mt-priority", "requiretls", "futurerelease", "dsn"} == set()


def test_requiretls_goes_on_or_comes_back(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 8689 §4.2.1]"""
    site, sink = way("REQUIRETLS")
    assert code(send(site, ["REQUIRETLS"])) == 250
    (message,) = sink.wait()
    assert "REQUIRETLS" in message["mail"] and message["secured"]
    assert without_trace(message["octets"].encode("latin-1")) == MESSAGE
    site, sink = way()
    assert code(send(site, ["REQUIRETLS"])) == 250
    returned = report(site)
    assert b"5.7.30" in returned and b"text/rfc822-headers" in returned and sink.messages() == []
    assert code(send(site, ["REQUIRETLS=YES"])) == 501


def test_mail_is_held_until_its_time(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 4865 §4]"""
    site, sink = way("FUTURERELEASE 3600 2035-01-01T00:00:00Z")
    began = time.monotonic()
    assert code(send(site, ["HOLDFOR=5"])) == 250
    assert "right.example" in site.queue()
    (message,) = sink.wait()
    assert time.monotonic() - began > 4
    # Its time has come: nothing is to be held further on.
    assert own(message["mail"]) == []
    assert code(send(site, ["HOLDFOR=2592001"])) == 501
    assert code(send(site, ["HOLDUNTIL=2020-01-01T00:00:00Z"])) == 501
    assert code(send(site, ["HOLDFOR=5", "HOLDUNTIL=2035-01-01T00:00:00Z"])) == 501
    assert code(send(site, ["HOLDFOR=1.5"])) == 501
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400))
    assert code(send(site, [f"HOLDUNTIL={soon}"])) == 250
    assert "right.example" in site.queue()


def test_deliver_by_goes_on_with_the_time_that_is_left(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 2852 §4] To a server that promises it; `R` comes back from one that does not; `N` goes without."""
    site, sink = way("DELIVERBY 30")
    assert code(send(site, ["BY=120;R"])) == 250
    assert code(send(site, ["BY=600;NT"])) == 250
    words = [own(message["mail"]) for message in sink.wait(2)]
    times = {word[-1]: int(word[3:].split(";")[0]) for found in words for word in found if word.startswith("BY=")}
    assert any(re.fullmatch(r"BY=\d+;R", word) for found in words for word in found)
    assert any(re.fullmatch(r"BY=\d+;NT", word) for found in words for word in found)
    assert 30 <= times["R"] <= 120 and 500 <= times["T"] <= 600
    assert code(send(site, ["BY=59;R"])) == 555 and code(send(site, ["BY=0;R"])) == 501
    assert code(send(site, ["BY=-10;N"])) == 250
    for extensions in ((), ("DELIVERBY 3600",)):
        site, sink = way(*extensions)
        assert code(send(site, ["BY=120;R"])) == 250
        assert b"5.4.7" in report(site) and sink.messages() == []
    assert code(send(site, ["BY=120;N"])) == 250
    sink.wait()


def test_the_least_time_is_the_operators(way: Callable[..., tuple[Site, Extended]]) -> None:
    site, _ = way("DELIVERBY", submission={"shortest-deliver-by": "10 min"})
    with site.smtp() as client:
        client.ehlo("client.example")
        assert client.esmtp_features["deliverby"] == "600"
    assert code(send(site, ["BY=599;R"])) == 555
    assert code(send(site, ["BY=700;R"])) == 250


def test_priorities_go_on_up_to_the_users_highest(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 6710 §4.1, §4.2]"""
    site, sink = way("MT-PRIORITY MIXER", submission={"highest-priority": "2"})
    assert code(send(site, ["MT-PRIORITY=-4"])) == 250
    replies = send(site, ["MT-PRIORITY=6"])
    assert replies[0][0] == 250 and b"2.3.6" in replies[0][1]
    words = sorted(word for message in sink.wait(2) for word in own(message["mail"]))
    assert words == ["MT-PRIORITY=-4", "MT-PRIORITY=2"]
    assert code(send(site, ["MT-PRIORITY=10"])) == 501 and code(send(site, ["MT-PRIORITY=+1"])) == 501
    site, sink = way()
    assert code(send(site, ["MT-PRIORITY=3"])) == 250
    (message,) = sink.wait()
    assert own(message["mail"]) == []


def test_wishes_for_notices_go_on(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 3461 §5.2.1] As they came."""
    site, sink = way("DSN")
    assert code(send(site, ["RET=HDRS", "ENVID=A+2BB"], ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;J+2Boe@x.example"])) == 250
    (message,) = sink.wait()
    assert own(message["mail"]) == ["RET=HDRS", "ENVID=A+2BB"]
    ((words),) = message["recipients"].values()
    assert set(words) == {"NOTIFY=SUCCESS,DELAY", "ORCPT=RFC822;J+2BOE@X.EXAMPLE"}
    assert code(send(site, [], ["NOTIFY=NEVER"])) == 250
    assert code(send(site)) == 250
    _, never, none = sink.wait(3)
    assert list(never["recipients"].values()) == [["NOTIFY=NEVER"]] and list(none["recipients"].values()) == [[]]
    assert code(send(site, [], ["NOTIFY=NEVER,DELAY"])) == 501
    assert code(send(site, ["RET=SOME"])) == 501


def test_a_server_without_dsn_is_told_nothing_and_the_sender_is(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 3461 §5.2.2]"""
    site, sink = way()
    assert code(send(site, ["RET=HDRS", "ENVID=x"], ["NOTIFY=SUCCESS"])) == 250
    (message,) = sink.wait()
    assert own(message["mail"]) == [] and list(message["recipients"].values()) == [[]]
    assert b"Action: relayed" in report(site) and b"Original-Envelope-Id: x" in report(site)


def test_a_servers_limits_are_kept(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 9422 §4] So many recipients at a time, so many messages in a connection."""
    site, sink = way("LIMITS RCPTMAX=2 MAILMAX=2")
    to = tuple(f"joe{number}@right.example" for number in range(7))
    assert code(send(site, to=to)) == 250
    messages = sink.wait(4)
    assert sorted(len(message["recipients"]) for message in messages) == [1, 2, 2, 2]
    assert sorted(name for message in messages for name in message["recipients"]) == sorted(to)
    peers = [message["peer"] for message in messages]
    assert max(peers.count(peer) for peer in peers) <= 2
    wait_until(lambda: "right.example" not in site.queue(), "the queue is empty")


def test_rates_are_per_hour_and_per_day(way: Callable[..., tuple[Site, Extended]]) -> None:
    """[RFC 6409 §6] Recipients and messages."""
    limits = {"recipients-per-hour": "4", "messages-per-day": "3"}
    site, sink = way(submission=limits)
    to = tuple(f"joe{number}@right.example" for number in range(3))
    assert code(send(site, to=to)) == 250
    assert send(site, to=to)[-1][0] == 452
    assert code(send(site)) == 250
    assert send(site)[-1][0] == 452
    assert len(sink.wait(2)) == 2
    site, sink = way(submission={"messages-per-day": "2"})
    assert [code(send(site)) for _ in range(3)] == [250, 250, 450]
