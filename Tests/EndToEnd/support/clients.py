"""Python's own clients, connected and logged in; and every way of reading and sending one message."""

import imaplib
import poplib
import smtplib

from support.server import Account, DemoServer
from support.wire import tls_context

TIMEOUT = 30


def imap(server: DemoServer, account: Account, starttls: bool = False) -> imaplib.IMAP4:
    context = tls_context(server.ca)
    if starttls:
        client = imaplib.IMAP4(server.host, server.imap.starttls, timeout=TIMEOUT)
        client.starttls(context)
    else:
        client = imaplib.IMAP4_SSL(server.host, server.imap.implicit, ssl_context=context, timeout=TIMEOUT)
    client.login(account.login, account.password)
    return client


def pop3(server: DemoServer, account: Account, starttls: bool = False, utf8: bool = False) -> poplib.POP3:
    context = tls_context(server.ca)
    if starttls:
        client = poplib.POP3(server.host, server.pop3.starttls, timeout=TIMEOUT)
        client.stls(context)
    else:
        client = poplib.POP3_SSL(server.host, server.pop3.implicit, context=context, timeout=TIMEOUT)
    if utf8:
        client.utf8()
    client.user(account.login)
    client.pass_(account.password)
    return client


def smtp(server: DemoServer, account: Account, starttls: bool = False) -> smtplib.SMTP:
    context = tls_context(server.ca)
    if starttls:
        client = smtplib.SMTP(server.host, server.submission.starttls, timeout=TIMEOUT)
        client.starttls(context=context)
    else:
        client = smtplib.SMTP_SSL(server.host, server.submission.implicit, context=context, timeout=TIMEOUT)
    client.login(account.login, account.password)
    return client


def submit(server: DemoServer, account: Account, raw: bytes, *recipients: str, utf8: bool = False) -> None:
    """Sends by smtplib, which doubles leading dots and changes nothing else."""
    options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else ["BODY=8BITMIME"]
    with smtp(server, account) as client:
        client.sendmail(account.address, list(recipients), raw, mail_options=options)


def fetch_all(server: DemoServer, account: Account, mailbox: str = "INBOX") -> list[bytes]:
    """Every message of a mailbox, by IMAP, unseen."""
    client = imap(server, account)
    client.select(mailbox, readonly=True)
    _, found = client.uid("SEARCH", "ALL")
    messages = [fetch(client, uid.decode()) for uid in found[0].split()]
    client.logout()
    return messages


def fetch(client: imaplib.IMAP4, uid: str, section: str = "") -> bytes:
    """BODY.PEEK[section] of one message."""
    status, data = client.uid("FETCH", uid, f"(BODY.PEEK[{section}])")
    assert status == "OK"
    return next(part[1] for part in data if isinstance(part, tuple))


def lines_of(answer: tuple[bytes, list[bytes], int]) -> bytes:
    """A poplib answer's lines as they were on the wire, dots undone."""
    return b"".join(line + b"\r\n" for line in answer[1])
