"""The filters that most sites have: rspamd and ClamAV, as milters of the real server."""

import base64
import smtplib
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.clamav import EICAR, ClamAV
from support.rspamd import Rspamd
from support.site import Site
from support.trace import without_trace
from test_filters import MESSAGE

needs_rspamd = pytest.mark.skipif(not Rspamd.available, reason="rspamd is missing: Scripts/prepare --tests")
needs_clamav = pytest.mark.skipif(not ClamAV.available, reason="ClamAV is missing: Scripts/prepare --tests")

# What every spam filter takes for spam, as every virus scanner takes EICAR's file for a virus.
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def rspamd(tmp_path: Path) -> Iterator[Rspamd]:
    running = Rspamd(tmp_path / "rspamd")
    yield running
    running.stop()


@pytest.fixture
def clamav(tmp_path: Path) -> Iterator[ClamAV]:
    running = ClamAV(tmp_path / "clamav")
    yield running
    running.stop()


def refusal(site: Site, message: bytes) -> smtplib.SMTPDataError:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        site.submit("bob@example.org", message)
    return refused.value


@needs_rspamd
def test_rspamd_marks_spam_and_refuses_what_is_worse(tmp_path: Path, authority: Authority, rspamd: Rspamd) -> None:
    """[RFC 6409 §6] What it marks goes into Junk, what it lets pass is as it was, GTUBE is refused."""
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{rspamd.socket}"]}) as site:
        site.submit("bob@example.org", MESSAGE)
        site.submit("bob@example.org", MESSAGE.replace(b"Subject: folded", b"Subject: Buy now: folded"))
        (spam,) = site.wait_for_mail("bob", name="Junk")
        assert b"\r\nX-Spam: Yes\r\n" in spam and b"Subject: Buy now: folded" in spam
        assert spam.endswith(MESSAGE.split(b"\r\n\r\n", 1)[1])
        refused = refusal(site, MESSAGE + GTUBE + b"\r\n")
        assert refused.smtp_code in (550, 554)
        arrived = [without_trace(message) for message in site.wait_for_mail("bob")]
        assert arrived == [MESSAGE]


@needs_rspamd
def test_rspamd_sees_who_logged_in_and_from_where(tmp_path: Path, authority: Authority, rspamd: Rspamd) -> None:
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{rspamd.socket}"]}) as site:
        site.submit(["bob@example.org", "ada@example.org"], MESSAGE)
        site.wait_for_mail("bob")
    (line,) = [line for line in rspamd.process.log().splitlines() if "rspamd_task_write_log" in line]
    assert "user: ada@example.org" in line and "ip: 127.0.0.1" in line and "from: <ada@example.org>" in line
    assert "<bob@example.org,ada@example.org>" in line and "id: <1@example.org>" in line


@needs_clamav
def test_clamav_refuses_what_it_knows(tmp_path: Path, authority: Authority, clamav: ClamAV) -> None:
    """EICAR's file in the open and in base64; all else passes as it was, with ClamAV's word on it."""
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{clamav.socket}"]}) as site:
        site.submit("bob@example.org", MESSAGE)
        header = MESSAGE.split(b"\r\n\r\n", 1)[0] + b"\r\nMIME-Version: 1.0\r\n"
        attached = (
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n--b\r\n'
            b"Content-Type: application/octet-stream; name=it.com\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=it.com\r\n\r\n"
        )
        for infected in (
            MESSAGE + EICAR + b"\r\n", header + attached + base64.encodebytes(EICAR).replace(b"\n", b"\r\n") + b"--b--\r\n",
        ):  # fmt: skip
            refused = refusal(site, infected)
            assert refused.smtp_code == 550 and b"Eicar-Test-Signature" in refused.smtp_error
        (message,) = site.wait_for_mail("bob")
        assert b"X-Virus-Status: Clean\r\n" in message
        assert message.endswith(MESSAGE.split(b"\r\n\r\n", 1)[1])


@needs_clamav
def test_mail_waits_with_its_sender_while_the_scanner_is_down(
    tmp_path: Path, authority: Authority, clamav: ClamAV
) -> None:
    """The milter is there and its clamd is not: nothing is taken unseen."""
    with Site(tmp_path / "site", authority, filters={"milters": [f"unix:{clamav.socket}"]}) as site:
        site.submit("bob@example.org", MESSAGE)
        clamav.daemon.stop()
        with pytest.raises(smtplib.SMTPException) as refused:
            site.submit("bob@example.org", MESSAGE)
        assert "451" in str(refused.value)
        assert len(site.mailbox("bob")) == 1


@needs_rspamd
@needs_clamav
def test_both_at_once(tmp_path: Path, authority: Authority, rspamd: Rspamd, clamav: ClamAV) -> None:
    filters = {"milters": [f"unix:{clamav.socket}", f"unix:{rspamd.socket}"]}
    with Site(tmp_path / "site", authority, filters=filters) as site:
        site.submit("bob@example.org", MESSAGE.replace(b"Subject: folded", b"Subject: Buy now: folded"))
        (spam,) = site.wait_for_mail("bob", name="Junk")
        assert b"X-Virus-Status: Clean\r\n" in spam and b"X-Spam: Yes\r\n" in spam
        assert refusal(site, MESSAGE + EICAR + b"\r\n").smtp_code == 550
        assert refusal(site, MESSAGE + GTUBE + b"\r\n").smtp_code in (550, 554)
