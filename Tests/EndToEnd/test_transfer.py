"""`latchmaild import` and `export`, with Python's `mailbox` and mbsync as the other side."""

import mailbox
from pathlib import Path

import pytest

from support.clients import fetch_all, imap, submit
from support.mailboxes import maildir_messages, mbsync
from support.messages import assert_unchanged, assert_unchanged_lines, plain, sample
from support.programs import run
from support.server import BINARY, Account, DemoServer


def transfer(server: DemoServer, command: str, *arguments: str | Path, expect: int = 0) -> str:
    result = run([BINARY, command, *arguments, "--state", server.state], expect=expect)
    return (result.stdout + result.stderr).decode()


def flags(server: DemoServer, account: Account, name: str = "INBOX") -> list[bytes]:
    client = imap(server, account)
    client.select(name, readonly=True)
    _, found = client.fetch("1:*", "(UID FLAGS INTERNALDATE)")
    client.logout()
    return [line for line in found if isinstance(line, bytes)]


def test_a_maildir_moves_in(server: DemoServer, account: Account, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "Maildir")
    message = mailbox.MaildirMessage(plain("maildir").raw.replace(b"\r\n", b"\n"))
    message.set_flags("FS")
    message.set_date(1_500_000_000)
    box.add(message)
    box.add_folder("Moved.In").add(mailbox.MaildirMessage(b"Subject: deep\n\nFrom the folder\n"))
    said = transfer(server, "import", account.address, tmp_path / "Maildir")
    assert "2 messages imported, 2 mailboxes" in said
    (line,) = flags(server, account)
    assert rb"\Seen" in line and rb"\Flagged" in line and b"14-Jul-2017 02:40:00" in line
    (deep,) = fetch_all(server, account, "Moved/In")
    assert deep == b"Subject: deep\r\n\r\nFrom the folder\r\n"
    said = transfer(server, "import", account.address, tmp_path / "Maildir")
    assert "0 messages imported, 2 mailboxes; 2 were there already" in said
    client = imap(server, account)
    client.delete("Moved/In")
    client.delete("Moved")
    client.logout()


def test_an_mbox_moves_in(server: DemoServer, account: Account, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "old")
    message = mailbox.mboxMessage(b"Subject: mbox\n\nFrom the start\n.\n")
    message.set_flags("ROA")
    message.set_from("sender@example.org", True)
    box.add(message)
    box.flush()
    transfer(server, "import", account.address, tmp_path / "old", "--mailbox", "INBOX")
    (raw,) = fetch_all(server, account)
    assert raw == b"Subject: mbox\r\n\r\nFrom the start\r\n.\r\n"
    (line,) = flags(server, account)
    assert rb"\Seen" in line and rb"\Answered" in line


@pytest.mark.parametrize("format", ["maildir", "mbox", "eml"])
def test_mail_moves_out(server: DemoServer, account: Account, tmp_path: Path, format: str) -> None:
    message = sample("moving-out", b"From the start\r\n>From\r\n\r\nFrom the middle\r\n")
    submit(server, account, message.raw, account.address)
    client = imap(server, account)
    client.select("INBOX")
    client.store("1", "+FLAGS", r"(\Answered)")
    client.logout()
    out = tmp_path / "out"
    assert "messages exported" in transfer(server, "export", account.address, out, "--format", format)
    if format == "maildir":
        (kept,) = list(mailbox.Maildir(out, create=False))
        assert kept.get_flags() == "R"
        assert_unchanged_lines(message.raw, kept.as_bytes())
    elif format == "mbox":
        (kept,) = list(mailbox.mbox(out / "INBOX", create=False))
        assert "A" in kept.get_flags()
        # Python leaves the quoting of mboxrd as it is.
        assert b"\n>From the start\n>From\n\n>From the middle\n" in kept.as_bytes()
    else:
        (file,) = out.glob("*.eml")
        assert_unchanged(message.raw, file.read_bytes())
        assert r"\Answered" in (out / "flags.txt").read_text()


def test_what_mbsync_made_moves_in(server: DemoServer, account: Account, second_account: Account, tmp_path: Path) -> None:
    messages = [plain(f"sync-{number}") for number in range(3)]
    for message in messages:
        submit(server, account, message.raw, account.address)
    inbox = mbsync(server, account, tmp_path)
    assert len(maildir_messages(inbox)) == 3
    transfer(server, "import", second_account.address, tmp_path / "Maildir")
    received = fetch_all(server, second_account)
    for message in messages:
        assert any(message.message_id.encode() in raw for raw in received)


def test_mistakes_are_named(server: DemoServer, account: Account, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert f"{nowhere}: there is no such file or directory" in transfer(
        server, "import", account.address, nowhere, expect=74)  # fmt: skip
    assert "there is no user" in transfer(server, "import", "nobody@latchmail.test", tmp_path, expect=67)
    assert "no mail found" in transfer(server, "import", account.address, tmp_path, expect=74)
    (tmp_path / "empty.eml").write_bytes(b"")
    assert "empty.eml: the message is empty" in transfer(server, "import", account.address, tmp_path, expect=1)
