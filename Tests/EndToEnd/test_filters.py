"""Content filters: the server asks filters that others wrote, and takes nothing in past them."""

import base64
import json
import smtplib
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority, openssl
from support.processes import Foreign, wait_until
from support.site import Site
from support.trace import without_trace

OPENDKIM = Path("/usr/sbin/opendkim")
PYMILTER = Path("/usr/lib/python3/dist-packages/Milter")
PYTHON = "/usr/bin/python3"

MESSAGE = (
    b"From: Ada <ada@example.org>\r\nTo:bob@example.org\r\nSubject: folded\r\n\tfield  \r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n.dot\r\nline  \r\n\r\n\r\n"
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def opendkim(tmp_path: Path) -> Iterator[Path]:
    """The directory of a running OpenDKIM that signs for example.org."""
    if not OPENDKIM.exists():
        pytest.skip("opendkim is missing: Scripts/prepare --tests")
    directory = tmp_path / "opendkim"
    directory.mkdir()
    openssl("genrsa", "-out", directory / "key.pem", "2048")
    (directory / "conf").write_text(f"""\
Canonicalization simple/simple
Domain example.org
Selector s1
KeyFile {directory}/key.pem
Mode s
Socket local:{directory}/socket
InternalHosts 127.0.0.1
Background no
Syslog no
RequireSafeKeys no
""")
    program = Foreign([OPENDKIM, "-f", "-x", directory / "conf"], directory)
    program.wait_for((directory / "socket").exists, "OpenDKIM")
    yield directory
    program.stop()


class Filter:
    """A running filter on libmilter (support/pymilter.py)."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.socket, self.record = directory / "socket", directory / "record"
        script = Path(__file__).with_name("support") / "pymilter.py"
        self.program = Foreign([PYTHON, script, self.socket, self.record], directory)
        self.program.wait_for(self.socket.exists, "pymilter")

    def told(self) -> list[list[object]]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]


@pytest.fixture
def pymilter(tmp_path: Path) -> Iterator[Filter]:
    if not PYMILTER.exists():
        pytest.skip("python3-milter is missing: Scripts/prepare --tests")
    running = Filter(tmp_path / "pymilter")
    yield running
    running.program.stop()


def is_signed(message: bytes, key: Path) -> bool:
    """What dkimpy holds of it."""
    public = openssl("rsa", "-in", key, "-pubout", "-outform", "DER")
    checker = (
        "import sys, dkim; record = b'v=DKIM1; k=rsa; p=' + sys.argv[1].encode();"
        "sys.exit(0 if dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record) else 1)"
    )
    done = subprocess.run([PYTHON, "-c", checker, base64.b64encode(public).decode()], input=message)
    return done.returncode == 0


def test_opendkim_signs_what_users_send(tmp_path: Path, authority: Authority, opendkim: Path) -> None:
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{opendkim}/socket"]}) as site:
        for _ in range(3):
            site.submit("bob@example.org", MESSAGE)
        for message in site.wait_for_mail("bob", 3):
            assert b"DKIM-Signature:" in message
            assert message.endswith(MESSAGE)
            assert is_signed(message, opendkim / "key.pem")
            assert not is_signed(message.replace(b"line", b"lime"), opendkim / "key.pem")


def test_a_filter_changes_message_and_envelope(tmp_path: Path, authority: Authority, pymilter: Filter) -> None:
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{pymilter.socket}"]}) as site:
        wishes = (
            b"X-Do: add X-Added at the end\r\nX-Do: change 1 Subject changed\r\nX-Do: body 1 0123456789\r\n"
            b"X-Do: recipient <ada@example.org>\r\n"
        )
        site.submit("bob@example.org", wishes + MESSAGE)
        for user in ("ada", "bob"):
            (message,) = site.wait_for_mail(user)
            assert b"\r\nX-Added: at the end\r\n\r\n" + b"0123456789" * 5000 + b"\r\n" in message
            assert b"Subject: changed\r\n" in message and b"folded" not in message
        told = pymilter.told()
        sender = next(words for words in told if words[0] == "sender")
        assert sender[1] == "<ada@example.org>" and str(sender[3]).startswith("ada")
        assert ["recipient", "<bob@example.org>", []] in told
        assert ["end", len(MESSAGE.split(b"\r\n\r\n", 1)[1])] in told


@pytest.mark.parametrize("wish, code", [(b"reject", 550), (b"tempfail", 451)])
def test_a_filter_refuses(tmp_path: Path, authority: Authority, pymilter: Filter, wish: bytes, code: int) -> None:
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{pymilter.socket}"]}) as site:
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            site.submit("bob@example.org", b"X-Do: " + wish + b"\r\n" + MESSAGE)
        assert refusal.value.smtp_code == code
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            site.submit("reject-recipient@example.org", MESSAGE)
        site.submit("bob@example.org", MESSAGE)
        assert [without_trace(message) for message in site.wait_for_mail("bob")] == [MESSAGE]


def test_a_filter_discards(tmp_path: Path, authority: Authority, pymilter: Filter) -> None:
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{pymilter.socket}"]}) as site:
        site.submit("bob@example.org", b"X-Do: discard\r\n" + MESSAGE)
        site.submit("bob@example.org", MESSAGE)
        assert [without_trace(message) for message in site.wait_for_mail("bob")] == [MESSAGE]


@pytest.mark.parametrize("choice, code", [("tempfail", 451), ("reject", 550)])
def test_nothing_is_taken_past_a_filter_that_is_down(
    tmp_path: Path, authority: Authority, pymilter: Filter, choice: str, code: int
) -> None:
    filters = {"milters": [f"unix:{pymilter.socket}"], "on-failure": choice}
    with Site(tmp_path / "site", authority, filters=filters) as site:
        site.submit("bob@example.org", MESSAGE)
        pymilter.program.stop()
        with pytest.raises(smtplib.SMTPException) as refusal:
            site.submit("bob@example.org", MESSAGE)
        assert str(code) in str(refusal.value)
        assert len(site.mailbox("bob")) == 1


def test_each_filter_sees_what_those_before_have_made(
    tmp_path: Path, authority: Authority, pymilter: Filter, opendkim: Path
) -> None:
    filters = {"milters": [f"unix:{pymilter.socket}", f"unix:{opendkim}/socket"]}
    with Site(tmp_path / "site", authority, filters=filters) as site:
        site.submit("bob@example.org", b"X-Do: body 1 changed\r\nX-Do: change 1 Subject other\r\n" + MESSAGE)
        (message,) = site.wait_for_mail("bob")
        assert b"changedchanged" in message
        assert is_signed(message, opendkim / "key.pem")


def test_tls_and_capabilities_are_the_same_with_a_filter(
    tmp_path: Path, authority: Authority, pymilter: Filter
) -> None:
    """[8314-4.6-1h] [8314-6-2] [8314-6-3] [8314-6-5] [DEEP-9.5-1] [DEEP-9.5-3] [DEEP-9.5-4]
    A filter looks at mail behind the server: what clients negotiate with it stays as it is."""
    offers = []
    for name, filters in (("without", {}), ("with", {"milters": [f"unix:{pymilter.socket}"]})):
        with Site(tmp_path / name, authority, filters=filters) as site, site.smtp() as client:
            client.ehlo("client.example")
            features = {keyword: value for keyword, value in client.esmtp_features.items() if keyword != "futurerelease"}
            offers.append((client.sock.version(), client.sock.cipher(), features))
    assert offers[0] == offers[1]
    assert offers[0][0] == "TLSv1.3" and "chunking" in offers[0][2]
