"""NOTIFY (RFC 5465): one connection is told of all mailboxes, and soon."""

import imaplib
import re
import smtplib
import time

import pytest

from support.clients import imap, smtp
from support.messages import plain
from support.server import Account, DemoServer
from support.wire import DIALECTS, Wire, open_secure

IMAP = DIALECTS[0]
MESSAGES = "(MessageNew MessageExpunge FlagChange)"

# From the change to the line that tells of it.
TOLD_WITHIN = 0.1


def watching(server: DemoServer, account: Account, groups: str) -> Wire:
    """A connection that has no mailbox selected and waits."""
    wire = open_secure(server, IMAP)
    wire.command(f'l LOGIN {account.login} "{account.password}"\r\n'.encode(), b"l OK")
    wire.command(f"n NOTIFY SET {groups}\r\n".encode(), b"n OK")
    return wire


def told(wire: Wire, prefix: bytes) -> bytes:
    return wire.until(prefix)[-1]


@pytest.fixture
def mailbox(server: DemoServer, account: Account):
    """A mailbox of the account that is gone afterwards."""
    client = imap(server, account)
    name = f"Watched-{time.time_ns()}"
    assert client.create(name)[0] == "OK"
    yield name
    client.delete(name)
    client.logout()


@pytest.mark.parametrize("kind", ["delivery", "append", "flags"])
def test_told_at_once(server: DemoServer, account: Account, mailbox: str, kind: str) -> None:
    """From a message's acceptance, or another session's command, to the line that tells a waiting client."""
    client = imap(server, account)
    sender: smtplib.SMTP = smtp(server, account)
    target = "INBOX" if kind == "delivery" else mailbox
    if kind == "flags":
        assert client.append(target, "", "", plain("watched").raw)[0] == "OK"
        client.select(target)
    taken = []
    with watching(server, account, f"(personal {MESSAGES})") as wire:
        for turn in range(9):
            raw = plain(f"turn {turn}").raw
            began = time.monotonic()
            if kind == "delivery":
                sender.sendmail(account.address, [account.address], raw)
            elif kind == "append":
                client.append(target, "", "", raw)
            else:
                client.store("1", "+-"[turn % 2] + "FLAGS", r"(\Seen)")
            line = told(wire, b"* STATUS " + target.encode())
            taken.append(time.monotonic() - began)
            if kind != "flags":
                assert b"MESSAGES %d " % (turn + 1) in line, line
    # What else the machine does must not decide: half of the times are enough.
    assert sorted(taken)[len(taken) // 2] < TOLD_WITHIN, taken
    sender.quit()
    client.logout()


def test_new_mail_comes_with_what_was_asked_for(server: DemoServer, account: Account) -> None:
    """A client that never asks: EXISTS and FETCH come by themselves, EXPUNGE too."""
    items = "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
    with watching(server, account, f"(selected (MessageNew {items} MessageExpunge FlagChange))") as wire:
        wire.command(b"s SELECT INBOX\r\n", b"s OK")
        with smtp(server, account) as sender:
            sender.sendmail(account.address, [account.address], plain("by itself").raw)
        told(wire, b"* 1 EXISTS")
        fetched = told(wire, b"* 1 FETCH (UID ")
        uid = re.match(rb"\* 1 FETCH \(UID (\d+) BODY\[HEADER\.FIELDS \(SUBJECT\)\] \{\d+\}\r\n", fetched)
        assert uid, fetched
        assert wire.line() == b"Subject: sample by itself\r\n"
        told(wire, b")")
        other = imap(server, account)
        other.select("INBOX")
        other.uid("STORE", uid.group(1).decode(), "+FLAGS.SILENT", r"(\Deleted)")
        assert rb"\Deleted" in told(wire, b"* 1 FETCH (UID " + uid.group(1))
        other.expunge()
        told(wire, b"* 1 EXPUNGE")
        other.logout()
        wire.command(b"o LOGOUT\r\n", b"o OK")


def test_names_subscriptions_and_annotations(server: DemoServer, account: Account) -> None:
    events = "MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange"
    client = imap(server, account)
    first, second = f"First-{time.time_ns()}", f"Second-{time.time_ns()}"
    with watching(server, account, f"(personal ({events}))") as wire:
        client.create(first)
        assert first.encode() in told(wire, b"* LIST ")
        client.rename(first, second)
        assert told(wire, b"* LIST ").rstrip().endswith(f'"/" {second} ("OLDNAME" ({first}))'.encode())
        client.subscribe(second)
        assert rb"\Subscribed" in told(wire, b"* LIST ")
        client.unsubscribe(second)
        assert rb"\Subscribed" not in told(wire, b"* LIST ")
        imaplib.Commands.setdefault("SETMETADATA", ("AUTH", "SELECTED"))
        client.xatom("SETMETADATA", second, '(/private/comment "mine")')
        assert told(wire, b"* METADATA ") == f"* METADATA {second} /private/comment\r\n".encode()
        client.delete(second)
        assert rb"\NonExistent" in told(wire, b"* LIST ")
    client.logout()


def test_others_mailboxes(server: DemoServer, account: Account, second_account: Account) -> None:
    """As far as their owner gives rights, and as long."""
    owner, name = imap(server, second_account), f"Shared-{time.time_ns()}"
    assert owner.create(name)[0] == "OK"
    full = f'"Other Users/{second_account.address}/{name}"'.encode()
    with watching(server, account, '(subtree "Other Users" (MessageNew MessageExpunge MailboxName))') as wire:
        owner.append(name, "", "", plain("before").raw)
        owner.setacl(name, account.address, "lr")
        assert full in told(wire, b"* LIST ")
        owner.append(name, "", "", plain("seen").raw)
        while b"MESSAGES 2 " not in told(wire, b"* STATUS " + full):
            pass
        owner.deleteacl(name, account.address)
        assert told(wire, b"* LIST (\\NonExistent").rstrip().endswith(full)
        owner.append(name, "", "", plain("unseen").raw)
        assert not [line for line in wire.command(b"x NOOP\r\n", b"x OK") if line.startswith(b"* STATUS")]
    owner.delete(name)
    owner.logout()
