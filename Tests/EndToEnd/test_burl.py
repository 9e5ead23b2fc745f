"""A message that is on the server already is sent without being uploaded again: URLAUTH (RFC 4467) and BURL (RFC 4468),
by Python's imaplib and smtplib."""

import imaplib
import re
import smtplib
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.site import PASSWORD, Site
from support.trace import without_trace

DRAFT = (
    b"From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: draft\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <draft@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\n.hello\r\n..\r\n--b\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 18 + b"\r\n" + b"--b--\r\n"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("burl")
    with Site(directory / "site", Authority(directory / "authority"), users=("ada", "bob", "eve")) as running:
        yield running


@pytest.fixture
def imap(site: Site) -> Iterator[imaplib.IMAP4_SSL]:
    with imaplib.IMAP4_SSL("localhost", site.imaps, ssl_context=site.context(), timeout=60) as client:
        client.login(f"ada@{site.domain}", PASSWORD)
        yield client


def append(imap: imaplib.IMAP4_SSL, message: bytes = DRAFT) -> int:
    kind, (answer,) = imap.append("Drafts", r"(\Draft)", None, message)
    assert kind == "OK"
    found = re.search(rb"APPENDUID \d+ (\d+)", answer)
    assert found
    return int(found[1])


def generate(imap: imaplib.IMAP4_SSL, site: Site, uid: int, rest: str = "", access: str = "submit+ada%40example.org") -> str:
    """GENURLAUTH, which imaplib does not know."""
    imaplib.Commands.setdefault("GENURLAUTH", ("AUTH", "SELECTED"))
    imaplib.Commands.setdefault("RESETKEY", ("AUTH", "SELECTED"))
    rump = f"imap://ada%40example.org@{site.hostname}/Drafts/;uid={uid}{rest};urlauth={access}"
    kind, answer = imap._simple_command("GENURLAUTH", f'"{rump}"', "INTERNAL")
    assert kind == "OK", answer
    kind, data = imap._untagged_response(kind, answer, "GENURLAUTH")
    url = data[-1].decode().strip('"')
    assert url.startswith(rump + ":internal:")
    return url


def begin(site: Site, user: str = "ada") -> smtplib.SMTP_SSL:
    client = site.smtp(user)
    client.ehlo("client.example")
    assert client.esmtp_features["burl"] == "imap"
    assert client.mail(f"{user}@{site.domain}")[0] == 250
    assert client.rcpt("bob@example.org")[0] == 250
    return client


def arrived(site: Site, subject: bytes) -> list[bytes]:
    return [message for message in site.mailbox("bob") if b"Subject: " + subject + b"\r\n" in message]


def test_a_draft_arrives_whole(site: Site, imap: imaplib.IMAP4_SSL) -> None:
    """[RFC 4468 §3] With no octet of it sent by the client; the draft stays."""
    url = generate(imap, site, append(imap, DRAFT.replace(b"draft", b"whole")))
    with begin(site) as client:
        assert client.docmd(f"BURL {url} LAST")[0] == 250
    (message,) = arrived(site, b"whole")
    assert without_trace(message) == DRAFT.replace(b"draft", b"whole")
    assert imap.select("Drafts", readonly=True)[0] == "OK"


def test_parts_of_drafts_and_what_is_sent_now_make_one_message(site: Site, imap: imaplib.IMAP4_SSL) -> None:
    """[RFC 4468 §3.5] BDAT and BURL mixed, pipelined."""
    part = generate(imap, site, append(imap), "/;section=2")
    head = DRAFT.split(b"\r\n\r\n")[0].replace(b"draft", b"mixed") + b"\r\n\r\n--b\r\n"
    typed = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    tail = b"\r\n--b--\r\n"
    with begin(site) as client:
        client.send(b"BDAT %d\r\n" % len(head + typed) + head + typed)
        client.send(f"BURL {part}\r\n".encode() + b"BDAT %d LAST\r\n" % len(tail) + tail)
        assert [client.getreply()[0] for _ in range(3)] == [250, 250, 250]
    (message,) = arrived(site, b"mixed")
    assert without_trace(message) == head + typed + b"QUJD" * 18 + tail


def refused(site: Site, url: str, user: str = "ada") -> bytes:
    """The transaction fails as a whole, and the session goes on."""
    before = len(site.mailbox("bob"))
    with begin(site, user) as client:
        code, text = client.docmd(f"BURL {url} LAST")
        assert code // 100 == 5
        assert client.docmd("DATA")[0] == 503
        assert client.rset()[0] == 250
    assert len(site.mailbox("bob")) == before
    return b"%d " % code + text


def test_what_was_not_authorised_for_the_user_is_not_sent(site: Site, imap: imaplib.IMAP4_SSL) -> None:
    """[RFC 4468 §4] Another user's; for another access; without or with another code; changed."""
    uid = append(imap)
    url = generate(imap, site, uid)
    # Eve has a URL that Ada made for herself.
    assert refused(site, url, "eve").startswith(b"554 5.")
    assert refused(site, generate(imap, site, uid, access="submit+eve%40example.org")).startswith(b"554 5.")
    assert refused(site, generate(imap, site, uid, access="user+eve%40example.org")).startswith(b"554 5.")
    assert refused(site, url[:-4] + ("0000" if not url.endswith("0000") else "1111")).startswith(b"554 5.")
    assert refused(site, url.split(";urlauth")[0]).startswith(b"554 5.")
    assert refused(site, url.replace(f";uid={uid}", f";uid={uid + 1}")).startswith(b"554 5.")
    assert refused(site, url.replace("Drafts", "INBOX")).startswith(b"554 5.")
    with begin(site) as client:
        assert client.docmd(f"BURL {url} LAST")[0] == 250


def test_a_url_ends_with_its_time_its_key_or_its_message(site: Site, imap: imaplib.IMAP4_SSL) -> None:
    """[RFC 4467 §2, §5] EXPIRE; RESETKEY of the mailbox and of all; EXPUNGE."""
    uid = append(imap)
    late = generate(imap, site, uid, ";expire=2035-01-31T23:59:59Z")
    past = generate(imap, site, uid, ";expire=2020-01-31T23:59:59Z")
    assert refused(site, past).startswith(b"554 5.")
    # The time is under the code's seal.
    assert refused(site, past.replace("2020", "2035")).startswith(b"554 5.")
    with begin(site) as client:
        assert client.docmd(f"BURL {late} LAST")[0] == 250
    for reset in (("Drafts",), ()):
        url = generate(imap, site, uid)
        assert imap._simple_command("RESETKEY", *reset)[0] == "OK"
        assert refused(site, url).startswith(b"554 5.")
    url = generate(imap, site, uid)
    imap.select("Drafts")
    imap.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)")
    imap.expunge()
    assert refused(site, url).startswith(b"554 5.")


def test_urls_of_other_servers_are_not_fetched(site: Site, imap: imaplib.IMAP4_SSL) -> None:
    url = generate(imap, site, append(imap))
    for other in (
        url.replace(f"@{site.hostname}", "@imap.else.example"), url.replace(f"@{site.hostname}", "@127.0.0.1:9"),
        url.replace("imap://", "http://"), url.replace("imap://", "file://"),
    ):  # fmt: skip
        assert refused(site, other).startswith((b"554 5.", b"501 5."))


def test_burl_is_for_those_who_have_logged_in_and_named_recipients(site: Site, imap: imaplib.IMAP4_SSL) -> None:
    url = generate(imap, site, append(imap))
    with smtplib.SMTP_SSL("localhost", site.submissions, context=site.context(), timeout=60) as client:
        client.ehlo("client.example")
        assert client.docmd(f"BURL {url} LAST")[0] == 530
    with site.smtp() as client:
        client.ehlo("client.example")
        assert client.docmd(f"BURL {url} LAST")[0] == 503
        client.mail("ada@example.org")
        assert client.docmd(f"BURL {url} LAST")[0] in (503, 554)
        client.rcpt("bob@example.org")
        assert client.docmd("BURL")[0] == 501
        assert client.docmd(f"BURL {url} FIRST")[0] == 501
