"""The Received field tells how a message came in (RFC 8314 §4.3, RFC 3848, RFC 6531 §4.3)."""

import base64
import poplib
import re
import smtplib

import pytest

from support.messages import plain, sample
from support.openssl import Dialogue, negotiated
from support.server import Account, DemoServer
from support.wire import DIALECTS, tls_context

SUBMISSION = DIALECTS[2]


def read_received(server: DemoServer, account: Account, utf8: bool = False) -> str:
    """The topmost Received field of the only message, unfolded."""
    pop3 = poplib.POP3_SSL(server.host, server.pop3.implicit, context=tls_context(server.ca), timeout=30)
    if utf8:
        pop3.utf8()
    pop3.user(account.login)
    pop3.pass_(account.password)
    assert pop3.stat()[0] == 1
    lines = b"\n".join(pop3.top(1, 0)[1]).decode()
    pop3.quit()
    field = re.search(r"^Received: (.*(?:\n[ \t].*)*)", lines, re.MULTILINE)
    assert field, lines
    return re.sub(r"\s+", " ", field.group(1))


# In TLS 1.2 the groups a client offers must include the curve of the certificate too (RFC 8422 §5.1).
CHOICES = {
    "tls13-x25519": ["-tls1_3", "-groups", "X25519"],
    "tls13-p256": ["-tls1_3", "-groups", "P-256"],
    "tls13-chacha": ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
    "tls13-aes128": ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
    "tls12-x25519": ["-tls1_2", "-groups", "X25519:P-256"],
    "tls12-p256": ["-tls1_2", "-groups", "P-256", "-cipher", "ECDHE+AES128"],
}


@pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])
@pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES.keys())
def test_names_what_openssl_saw(server: DemoServer, account: Account, options: list[str], starttls: bool) -> None:
    """[8314-4-15] [8314-4.3-1] [8314-4.3-2] [8314-4.3-4] [8314-4.3-8] [8314-4.3-9] [8314-4.3-10]"""
    credentials = base64.b64encode(f"\0{account.login}\0{account.password}".encode()).decode()
    with Dialogue(server, SUBMISSION, starttls, *options) as dialogue:
        dialogue.command("EHLO client.example", "250")
        dialogue.command(f"AUTH PLAIN {credentials}", "235")
        dialogue.command(f"MAIL FROM:<{account.address}>", "250")
        dialogue.command(f"RCPT TO:<{account.address}>", "250")
        dialogue.command("DATA", "354")
        dialogue.command(plain().raw.decode().replace("\r\n", "\n") + ".", "250")
        seen = negotiated(dialogue.printed)
    received = read_received(server, account)
    assert f" tls {seen.suite} group {seen.group}" in received, received
    assert re.search(r"\bwith ESMTPSA\b", received), received


def test_smtputf8(server: DemoServer, account: Account) -> None:
    message = sample("utf8", "Grüße\r\n".encode(), "Comments: žluťoučký kůň", "Content-Transfer-Encoding: 8bit")
    with smtplib.SMTP_SSL(server.host, server.submission.implicit, context=tls_context(server.ca), timeout=30) as smtp:
        smtp.login(account.login, account.password)
        smtp.sendmail(account.address, [account.address], message.raw, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    assert re.search(r"\bwith UTF8SMTPSA\b", read_received(server, account, utf8=True))
