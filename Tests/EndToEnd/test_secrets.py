"""No password, token or message appears in a log, whatever goes wrong with it."""

import base64
import os
import smtplib
import ssl
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.site import PASSWORD, Site
from support.wire import Wire

# Each is looked for as it is, and in the forms in which it travels.
WRONG, LOGIN_WRONG, BODY = "Wr0ngHorse-7f3a", "N0tTheBattery-91c4", "Secret-text-of-a-message-55e2"


def forms(secret: str, *users: str) -> set[str]:
    plain = {base64.b64encode(f"\0{user}\0{secret}".encode()).decode().rstrip("=") for user in users}
    return plain | {secret, base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()}


@pytest.fixture(params=["text", "json"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    log = {"level": "debug", "format": request.param}
    listeners = {
        "imap": {"starttls": ["127.0.0.1:0"]}, "pop3": {"implicit": ["127.0.0.1:0"]},
        "lmtp": {"socket": str(tmp_path / "lmtp")},
    }  # fmt: skip
    with Site(tmp_path / "site", Authority(tmp_path / "authority"), log=log, listeners=listeners) as running:
        yield running


def plain(user: str, secret: str) -> bytes:
    return base64.b64encode(f"\0{user}\0{secret}".encode())


def imap(site: Site, *commands: bytes) -> None:
    """Says each, whatever is answered; the end of the connection ends it."""
    with Wire(site.imaps).secure(site.context()) as wire:
        wire.until(b"* OK")
        for number, command in enumerate(commands):
            wire.send(command)
            if command.endswith(b"\r\n") and not command.startswith(b"="):
                try:
                    wire.line()
                except (OSError, ssl.SSLError):
                    return


def misuse_imap(site: Site) -> None:
    user = b"ada@example.org"
    imap(site, b'a LOGIN %s "%s"\r\n' % (user, WRONG.encode()))
    imap(site, b"a LOGIN %s %s extra\r\n" % (user, WRONG.encode()))
    imap(site, b'a LOGIN "%s" "%s\r\n' % (user, WRONG.encode()))
    imap(site, b'LOGIN %s "%s"\r\n' % (user, WRONG.encode()))
    imap(site, b"a LOGIN %s {%d+}\r\n%s\r\n" % (user, len(WRONG), WRONG.encode()))
    imap(site, b"a LOGIN {%d}\r\n" % len(WRONG), WRONG.encode() + b" x\r\n")
    imap(site, b"a AUTHENTICATE PLAIN %s\r\n" % plain("ada@example.org", WRONG))
    imap(site, b"a AUTHENTICATE PLAIN\r\n", plain("ada@example.org", WRONG) + b"!\r\n")
    imap(site, b"a AUTHENTICATE LOGIN\r\n", base64.b64encode(user) + b"\r\n", base64.b64encode(LOGIN_WRONG.encode()) + b"\r\n")
    imap(site, b"a AUTHENTICATE PLAIN\r\n", WRONG.encode() + b"\r\n")
    imap(site, b"a AUTHENTICATE SCRAM-SHA-256 %s\r\n" % plain("ada@example.org", WRONG))
    # A whole session, and a message that is not taken.
    imap(
        site, b'a LOGIN %s "%s"\r\n' % (user, PASSWORD.encode()), b"b APPEND Nowhere {%d+}\r\n" % len(BODY),
        BODY.encode() + b"\r\n", b"c SEARCH TEXT %s BROKEN\r\n" % BODY.encode(), b'd LOGIN %s "%s"\r\n' % (user, WRONG.encode()),
    )  # fmt: skip


def misuse_submission(site: Site) -> None:
    def say(*lines: bytes) -> None:
        with Wire(site.submissions).secure(site.context()) as wire:
            wire.line()
            wire.send(b"EHLO client.example\r\n")
            wire.until(b"250 ")
            for line in lines:
                wire.send(line + b"\r\n")
                if not wire.line():
                    return

    say(b"AUTH PLAIN " + plain("ada@example.org", WRONG))
    say(b"AUTH PLAIN", plain("ada@example.org", WRONG)[:-3])
    say(b"AUTH LOGIN", base64.b64encode(b"ada@example.org"), base64.b64encode(LOGIN_WRONG.encode()))
    say(b"AUTH PLAIN " + plain("ada@example.org", WRONG) + b" extra", WRONG.encode())
    say(b"MAIL FROM:<ada@example.org> AUTH=" + WRONG.encode(), b"RCPT TO:<x@y.example>", b"DATA", BODY.encode())
    with site.smtp() as client:
        for broken in (f"Subject: x\r\n\r\n{BODY}\rbare\r\n.\r\n", f"From: stranger@else.example\r\n\r\n{BODY}\r\n.\r\n"):
            try:
                client.mail("ada@example.org")
                client.rcpt("bob@example.org")
                client.putcmd("data")
                client.getreply()
                client.send(broken)
                client.getreply()
            except smtplib.SMTPException:
                return


def cleartext(site: Site) -> None:
    """Passwords that a client sends before TLS."""
    with Wire(site.submission) as wire:
        wire.line()
        for line in (b"EHLO x", b"AUTH PLAIN " + plain("ada@example.org", WRONG), b"STARTTLS\r\nAUTH PLAIN " + plain("ada", WRONG)):
            wire.send(line + b"\r\n")
            wire.line()


def test_no_secret_is_logged(site: Site) -> None:
    misuse_imap(site)
    misuse_submission(site)
    cleartext(site)
    assert site.process is not None
    environment = Path(f"/proc/{site.process.pid}/cmdline").read_text()
    site.stop()
    log = site.log()
    assert "authentication failed" in log and "authenticated" in log
    users = ("ada@example.org", "ada")
    secrets = set().union(*(forms(one, *users) for one in (WRONG, LOGIN_WRONG, BODY, PASSWORD)))
    found = sorted(secret for secret in secrets if secret in log or secret in environment)
    assert not found, [line for line in log.splitlines() if any(secret in line for secret in found)]
    assert "BEGIN" not in log and "argon2id$" not in log and os.linesep in log
