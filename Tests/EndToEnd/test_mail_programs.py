"""Mail programs that people use against the demo, each verifying its certificate."""

import email
import email.policy
from pathlib import Path

import pytest

from support.clients import fetch, fetch_all, imap, submit
from support.mailboxes import (
    fetchmail,
    getmail,
    maildir_messages,
    mbsync,
    mutt_read,
    mutt_send,
    offlineimap,
    without_mark,
)
from support.messages import assert_unchanged, assert_unchanged_lines, plain
from support.programs import msmtp, run, swaks
from support.server import Account, DemoServer
from support.terminals import aerc_read, alpine_read

MODES = pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])


@MODES
def test_msmtp_sends(server: DemoServer, account: Account, tmp_path: Path, starttls: bool) -> None:
    message = plain("msmtp")
    msmtp(server, account, tmp_path, message.raw, [account.address], starttls)
    (received,) = fetch_all(server, account)
    assert_unchanged(message.raw, received)


def test_msmtp_reports_a_wrong_password(server: DemoServer, account: Account, tmp_path: Path) -> None:
    wrong = Account(account.address, account.login, "wrong")
    with pytest.raises(AssertionError, match="authentication failed"):
        msmtp(server, wrong, tmp_path, plain().raw, [account.address], starttls=False)


@MODES
def test_swaks_sends(server: DemoServer, account: Account, tmp_path: Path, starttls: bool) -> None:
    message = plain("swaks", "Body.\r\n.\r\nMore.\r\n")
    swaks(server, account, tmp_path, message.raw, [account.address], starttls)
    (received,) = fetch_all(server, account)
    assert_unchanged(message.raw, received)


def test_swaks_attaches(server: DemoServer, account: Account, tmp_path: Path) -> None:
    attached = tmp_path / "notes.bin"
    attached.write_bytes(bytes(range(256)) * 40)
    command = [
        "swaks", "--server", server.name, "--tls-on-connect", "--port", str(server.submission.implicit),
        "--tls-verify", "--tls-ca-path", str(server.ca), "--auth", "LOGIN", "--auth-user", account.login,
        "--auth-password", account.password, "--from", account.address, "--to", account.address,
        "--attach", f"@{attached}",
    ]  # fmt: skip
    run(command)
    (received,) = fetch_all(server, account)
    parts = [part for part in email.message_from_bytes(received).walk() if part.get_filename()]
    assert [part.get_payload(decode=True) for part in parts] == [attached.read_bytes()]


@MODES
def test_mbsync_both_ways(server: DemoServer, account: Account, tmp_path: Path, starttls: bool) -> None:
    down, up = plain("downwards"), plain("upwards")
    submit(server, account, down.raw, account.address)
    inbox = mbsync(server, account, tmp_path, starttls)
    (local,) = maildir_messages(inbox)
    assert b"sample downwards" in local.read_bytes()

    local.rename(inbox / "cur" / (local.name.partition(":")[0] + ":2,FS"))
    (inbox / "new" / "1.upwards.host").write_bytes(up.raw.replace(b"\r\n", b"\n"))
    mbsync(server, account, tmp_path, starttls)
    client = imap(server, account)
    client.select("INBOX")
    _, (flagged,) = client.uid("SEARCH", "FLAGGED", "SEEN")
    _, (both,) = client.uid("SEARCH", "ALL")
    assert len(flagged.split()) == 1 and len(both.split()) == 2
    sent_up = next(uid for uid in both.split() if uid not in flagged.split())
    assert without_mark(fetch(client, sent_up.decode())) == up.raw

    client.uid("STORE", flagged.decode(), "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.uid("STORE", sent_up.decode(), "+FLAGS", r"(\Answered)")
    client.logout()
    mbsync(server, account, tmp_path, starttls)
    (left,) = maildir_messages(inbox)
    assert "R" in left.name.partition(":2,")[2]


def test_mbsync_creates_folders_on_the_server(server: DemoServer, account: Account, tmp_path: Path) -> None:
    mbsync(server, account, tmp_path)
    folder = tmp_path / "Maildir" / "From-here"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    message = plain("folder")
    (folder / "new" / "1.folder.host").write_bytes(message.raw.replace(b"\r\n", b"\n"))
    mbsync(server, account, tmp_path)
    (received,) = fetch_all(server, account, "From-here")
    assert without_mark(received) == message.raw
    client = imap(server, account)
    client.delete("From-here")
    client.logout()


@MODES
@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_fetchmail_pulls(
    server: DemoServer, account: Account, tmp_path: Path, protocol: str, starttls: bool
) -> None:  # fmt: skip
    messages = [plain("fetchmail-1"), plain("fetchmail-2", ".dot\r\n")]
    for message in messages:
        submit(server, account, message.raw, account.address)
    pulled = fetchmail(server, account, tmp_path, protocol, starttls)
    assert len(pulled) == 2
    for message in messages:
        (mine,) = [raw for raw in pulled if message.message_id.encode() in raw]
        assert_unchanged_lines(message.raw, mine)
    assert fetch_all(server, account) == []


@MODES
def test_offlineimap_both_ways(server: DemoServer, account: Account, tmp_path: Path, starttls: bool) -> None:
    down, up = plain("downwards"), plain("upwards")
    submit(server, account, down.raw, account.address)
    inbox = offlineimap(server, account, tmp_path, starttls)
    (local,) = maildir_messages(inbox)
    assert b"sample downwards" in local.read_bytes()

    local.rename(inbox / "cur" / (local.name.partition(":")[0] + ":2,FS"))
    (inbox / "new" / "1.upwards.host").write_bytes(up.raw.replace(b"\r\n", b"\n"))
    offlineimap(server, account, tmp_path, starttls)
    client = imap(server, account)
    client.select("INBOX")
    _, (flagged,) = client.uid("SEARCH", "FLAGGED", "SEEN")
    _, (both,) = client.uid("SEARCH", "ALL")
    assert len(flagged.split()) == 1 and len(both.split()) == 2
    client.uid("STORE", flagged.decode(), "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.logout()
    offlineimap(server, account, tmp_path, starttls)
    (left,) = maildir_messages(inbox)
    assert b"sample upwards" in left.read_bytes()


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_getmail_retrieves(server: DemoServer, account: Account, tmp_path: Path, protocol: str) -> None:
    message = plain("getmail")
    submit(server, account, message.raw, account.address)
    (first,) = getmail(server, account, tmp_path, protocol, delete=False)
    assert_unchanged_lines(message.raw, without_mark(first))
    # What it has seen it knows by UID or UIDL, and does not retrieve again.
    assert len(getmail(server, account, tmp_path, protocol, delete=True)) == 1
    assert fetch_all(server, account) == []


def test_aerc_reads_and_flags(server: DemoServer, account: Account, tmp_path: Path) -> None:
    message = plain("aerc")
    submit(server, account, message.raw, account.address)
    assert_unchanged_lines(message.raw, aerc_read(server, account, tmp_path, "sample aerc"))
    client = imap(server, account)
    client.select("INBOX")
    _, (flagged,) = client.uid("SEARCH", "FLAGGED")
    client.logout()
    assert len(flagged.split()) == 1


def test_alpine_reads_and_expunges(server: DemoServer, account: Account, tmp_path: Path) -> None:
    submit(server, account, plain("alpine", "Read by alpine.\r\n").raw, account.address)
    assert b"Read by alpine." in alpine_read(server, account, tmp_path, "sample alpine")
    assert fetch_all(server, account) == []


@MODES
@pytest.mark.parametrize("program", ["mutt", "neomutt"])
def test_mutt_sends_and_reads(
    server: DemoServer, account: Account, tmp_path: Path, program: str, starttls: bool
) -> None:  # fmt: skip
    attached = tmp_path / "picture.bin"
    attached.write_bytes(bytes(range(256)) * 20)
    body = "Grüße aus dem Terminal\n".encode()
    mutt_send(server, account, tmp_path, "from mutt", body, account.address, attached, starttls=starttls, program=program)
    (raw,) = mutt_read(server, account, tmp_path, starttls, program)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Subject"] == "from mutt"
    text = message.get_body(("plain",))
    assert text is not None and text.get_content() == body.decode()
    (part,) = message.iter_attachments()
    assert part.get_content() == attached.read_bytes()


