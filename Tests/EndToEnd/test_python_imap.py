"""imaplib: a client that does nothing by itself, so the test says every command."""

import imaplib
import re
import time

import pytest

from support.clients import fetch, imap
from support.messages import Sample, hard_samples, plain, sample
from support.server import Account, DemoServer

MODES = pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])


def append(client: imaplib.IMAP4, message: Sample, mailbox: str = "INBOX", flags: str = "") -> str:
    """Appends; returns the UID that the server says it gave."""
    status, (text,) = client.append(mailbox, flags, "", message.raw)
    assert status == "OK"
    match = re.search(rb"\[APPENDUID (\d+) (\d+)\]", text)
    assert match, text
    return match.group(2).decode()


def uids(client: imaplib.IMAP4, *criteria: str) -> list[str]:
    status, (found,) = client.uid("SEARCH", *criteria)
    assert status == "OK"
    return [uid.decode() for uid in found.split()]


@MODES
def test_capabilities_inside_tls(server: DemoServer, account: Account, starttls: bool) -> None:
    """[2595-3.1-10] [8314-3.2-6s]"""
    client = imap(server, account, starttls)
    _, lines = client.capability()
    capabilities = lines[-1].decode().split()
    assert "STARTTLS" not in capabilities and "LOGINDISABLED" not in capabilities
    assert {"IMAP4rev1", "IDLE", "UIDPLUS", "MOVE", "NAMESPACE", "SPECIAL-USE"} <= set(capabilities)
    client.logout()


@pytest.mark.parametrize("message", hard_samples(), ids=lambda message: message.name)
def test_append_keeps_every_byte(server: DemoServer, account: Account, message: Sample) -> None:
    client = imap(server, account)
    uid = append(client, message)
    client.select("INBOX", readonly=True)
    assert fetch(client, uid) == message.raw
    client.logout()


@pytest.mark.parametrize("ending", [b"no newline", b"one\r\n", b"two\r\n\r\n", b""], ids=repr)
def test_append_keeps_the_ending(server: DemoServer, account: Account, ending: bytes) -> None:
    client = imap(server, account)
    uid = append(client, message := sample("ending", ending))
    client.select("INBOX", readonly=True)
    assert fetch(client, uid) == message.raw
    assert fetch(client, uid, "TEXT") == ending
    client.logout()


def test_fetch_sections(server: DemoServer, account: Account) -> None:
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>second part</p>\r\n--b--\r\n"
    )
    client = imap(server, account)
    uid = append(client, message := sample("sections", body, 'Content-Type: multipart/alternative; boundary="b"'))
    client.select("INBOX", readonly=True)
    assert fetch(client, uid, "1") == b"first part"
    assert fetch(client, uid, "2") == b"<p>second part</p>"
    assert fetch(client, uid, "2.MIME") == b"Content-Type: text/html\r\n\r\n"
    assert fetch(client, uid, "HEADER") == message.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert fetch(client, uid, "HEADER.FIELDS (SUBJECT)") == b"Subject: sample sections\r\n\r\n"
    _, (answer,) = client.uid("FETCH", uid, "(RFC822.SIZE ENVELOPE BODYSTRUCTURE)")
    assert f"RFC822.SIZE {len(message.raw)}".encode() in answer
    assert b'"sample sections"' in answer and message.message_id.encode() in answer
    assert b'"alternative"' in answer.lower()
    _, data = client.uid("FETCH", uid, "(BODY.PEEK[TEXT]<4.10>)")
    assert data[0][1] == body[4:14]
    client.logout()


def test_flags_and_search(server: DemoServer, account: Account) -> None:
    client = imap(server, account)
    first, second = append(client, plain("one"), flags=r"(\Seen)"), append(client, plain("two"))
    client.select("INBOX")
    assert uids(client, "SEEN") == [first]
    client.uid("STORE", second, "+FLAGS", r"(\Flagged $Work)")
    assert uids(client, "FLAGGED", "KEYWORD", "$Work") == [second]
    client.uid("STORE", second, "-FLAGS", r"(\Flagged)")
    assert uids(client, "FLAGGED") == []
    assert uids(client, "SUBJECT", '"sample two"') == [second]
    assert uids(client, "OR", "SUBJECT", "one", "SUBJECT", "two") == [first, second]
    assert uids(client, "NOT", "SEEN", "BODY", '"One line"') == [second]
    assert uids(client, "SENTON", "21-Nov-2025") == [first, second]
    assert uids(client, "TEXT", "nowhere") == []
    client.logout()


def test_copy_move_expunge(server: DemoServer, account: Account) -> None:
    client = imap(server, account)
    mailbox = f"Project-{time.time_ns()}"
    assert client.create(mailbox)[0] == "OK"
    kept, moved = append(client, plain("kept")), append(client, message := plain("moved"))
    client.select("INBOX")
    assert client.uid("COPY", kept, mailbox)[0] == "OK"
    _, (copied,) = client.response("COPYUID")
    assert re.fullmatch(rf"\d+ {kept} \d+".encode(), copied)
    assert client.uid("MOVE", moved, mailbox)[0] == "OK"
    assert uids(client, "ALL") == [kept]
    client.select(mailbox)
    assert len(uids(client, "ALL")) == 2
    assert message.raw in [fetch(client, uid) for uid in uids(client, "ALL")]
    doomed, other = uids(client, "ALL")
    client.uid("STORE", f"{doomed},{other}", "+FLAGS.SILENT", r"(\Deleted)")
    client.uid("EXPUNGE", doomed)
    assert uids(client, "ALL") == [other]
    client.close()
    status, (text,) = client.status(mailbox, "(MESSAGES UIDNEXT)")
    assert status == "OK" and b"MESSAGES 0" in text
    assert client.rename(mailbox, mailbox + "-Old")[0] == "OK"
    assert client.delete(mailbox + "-Old")[0] == "OK"
    client.logout()


def test_two_sessions_see_each_other(server: DemoServer, account: Account) -> None:
    watching, acting = imap(server, account), imap(server, account)
    watching.select("INBOX")
    acting.select("INBOX")
    uid = append(acting, plain("news"))
    watching.noop()
    assert watching.untagged_responses["EXISTS"][-1] == b"1"
    acting.uid("STORE", uid, "+FLAGS", r"(\Answered)")
    watching.noop()
    assert any(rb"\Answered" in line for line in watching.untagged_responses["FETCH"])
    for client in (watching, acting):
        client.logout()


def test_special_use_and_namespace(server: DemoServer, account: Account) -> None:
    client = imap(server, account)
    _, lines = client.list()
    attributes = b" ".join(lines)
    for use in (rb"\Drafts", rb"\Sent", rb"\Trash", rb"\Junk", rb"\Archive"):
        assert use in attributes
    _, (namespace,) = client.namespace()
    assert re.fullmatch(rb'\(\("" "."\)\) \(\("Other Users/" "/"\)\) \(\("Shared/" "/"\)\)', namespace), namespace
    client.logout()


def test_wrong_password_then_right(server: DemoServer, account: Account) -> None:
    client = imap(server, account)
    client.logout()
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, Account(account.address, account.login, "wrong"))
    imap(server, account).logout()
