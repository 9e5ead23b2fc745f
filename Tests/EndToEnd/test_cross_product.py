"""What any program sends, any other reads unchanged."""

import re
from pathlib import Path
from typing import Callable

import imapclient
import pytest

from support.clients import fetch_all, lines_of, pop3, submit
from support.mailboxes import fetchmail, maildir_messages, mbsync, mutt_read, without_mark
from support.messages import Sample, assert_unchanged, assert_unchanged_lines, hard_samples, sample
from support.programs import curl, msmtp, swaks
from support.server import Account, DemoServer
from support.wire import tls_context

Sender = Callable[[DemoServer, Account, Path, bytes], None]
Reader = Callable[[DemoServer, Account, Path], list[bytes]]


def send_by_curl(server: DemoServer, account: Account, work: Path, raw: bytes) -> None:
    options = ["--mail-from", account.address, "--mail-rcpt", account.address, "--upload-file", "-"]
    curl(server, server.submission, "client.example", account, *options, stdin=raw)


def read_by_imapclient(server: DemoServer, account: Account, work: Path) -> list[bytes]:
    context = tls_context(server.ca)
    client = imapclient.IMAPClient(server.host, server.imap.implicit, ssl_context=context, timeout=30)
    client.login(account.login, account.password)
    client.select_folder("INBOX", readonly=True)
    messages = [answer[b"BODY[]"] for answer in client.fetch("1:*", ["BODY.PEEK[]"]).values()]
    client.logout()
    return messages


def read_by_poplib(server: DemoServer, account: Account, work: Path) -> list[bytes]:
    client = pop3(server, account)
    messages = [lines_of(client.retr(number)) for number in range(1, client.stat()[0] + 1)]
    client.quit()
    return messages


def read_by_curl_imap(server: DemoServer, account: Account, work: Path) -> list[bytes]:
    found = curl(server, server.imap, "INBOX?ALL", account)
    uids = re.findall(rb"\d+", found)
    return [curl(server, server.imap, f"INBOX;MAILINDEX={number.decode()}", account) for number in uids]


def read_by_curl_pop3(server: DemoServer, account: Account, work: Path) -> list[bytes]:
    numbers = [line.split()[0].decode() for line in curl(server, server.pop3, "", account).splitlines()]
    return [curl(server, server.pop3, number, account) for number in numbers]


def read_by_mbsync(server: DemoServer, account: Account, work: Path) -> list[bytes]:
    return [without_mark(path.read_bytes()) for path in maildir_messages(mbsync(server, account, work / "mbsync"))]


SENDERS: dict[str, Sender] = {
    "smtplib": lambda server, account, work, raw: submit(server, account, raw, account.address),
    "curl": send_by_curl,
    "msmtp": lambda server, account, work, raw: msmtp(server, account, work, raw, [account.address], False),
    "swaks": lambda server, account, work, raw: swaks(server, account, work, raw, [account.address], True),
}
# The value says whether the reader keeps CRLF; the others store lines with LF, as Unix programs do.
READERS: dict[str, tuple[Reader, bool]] = {
    "imaplib": (lambda server, account, work: fetch_all(server, account), True),
    "imapclient": (read_by_imapclient, True),
    "poplib": (read_by_poplib, True),
    "curl-imap": (read_by_curl_imap, True),
    "curl-pop3": (read_by_curl_pop3, True),
    "mbsync": (read_by_mbsync, False),
    "mutt": (lambda server, account, work: mutt_read(server, account, work), False),
    "fetchmail-imap": (lambda server, account, work: fetchmail(server, account, work / "fi", "imap", keep=True), False),
    "fetchmail-pop3": (lambda server, account, work: fetchmail(server, account, work / "fp", "pop3", keep=True), False),
}


def complaint(message: Sample, received: list[bytes], keeps_crlf: bool) -> str | None:
    mine = [raw for raw in received if message.message_id.encode() in raw]
    if len(mine) != 1:
        return f"{message.name} is there {len(mine)} times"
    try:
        (assert_unchanged if keeps_crlf else assert_unchanged_lines)(message.raw, mine[0])
    except AssertionError as error:
        return f"{message.name}: {error}"
    return None


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS.keys())
def test_every_reader_reads_what_one_sends(
    server: DemoServer, account: Account, tmp_path: Path, sender: Sender
) -> None:  # fmt: skip
    messages = hard_samples()
    for message in messages:
        sender(server, account, tmp_path, message.raw)
    complaints = []
    for name, (reader, keeps_crlf) in READERS.items():
        received = reader(server, account, tmp_path)
        complaints += [f"{name}: {said}" for message in messages if (said := complaint(message, received, keeps_crlf))]
    assert not complaints, "\n".join(complaints)


def test_internationalized_headers(server: DemoServer, account: Account) -> None:
    """A message sent with SMTPUTF8 is read by clients that say they can."""
    message = sample("smtputf8", "Ahoj\r\n".encode(), "Comments: Žluťoučký kůň", "Content-Transfer-Encoding: 8bit")
    submit(server, account, message.raw, account.address, utf8=True)
    client = pop3(server, account, utf8=True)
    assert_unchanged(message.raw, lines_of(client.retr(1)))
    client.quit()
    reader = imapclient.IMAPClient(server.host, server.imap.implicit, ssl_context=tls_context(server.ca), timeout=30)
    reader.login(account.login, account.password)
    reader._imap.enable("UTF8=ACCEPT")
    reader.select_folder("INBOX", readonly=True)
    (answer,) = reader.fetch("1:*", ["BODY.PEEK[]"]).values()
    assert_unchanged(message.raw, answer[b"BODY[]"])
    reader.logout()
