"""What attackers do to mail over TLS, other than at the wall."""

import ssl

import pytest

from support.clients import fetch_all, smtp
from support.messages import plain
from support.server import Account, DemoServer
from support.wire import DIALECTS, Dialect, Wire, open_plain, open_secure, service, tls_context

EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
IMAP, POP3, SUBMISSION = DIALECTS


def test_imap_cleartext_login_is_refused(server: DemoServer, account: Account) -> None:
    """[2595-3.2-2] [2595-2.3-1s] [2595-2.2-1s] [2595-6-1s] [DEEP-9.1-5s] Refused before a literal is invited."""
    with open_plain(server, IMAP) as wire:
        for line in (
            f'a LOGIN {account.login} "{account.password}"', "a LOGIN {5}", f"a LOGIN {account.login} {{5}}",
            "a AUTHENTICATE PLAIN", "a AUTHENTICATE PLAIN AHUxAHB3", "a AUTHENTICATE LOGIN",
        ):  # fmt: skip
            wire.send(line.encode() + b"\r\n")
            answer = wire.line()
            assert answer.startswith((b"a NO", b"a BAD")), (line, answer)
        wire.send(f'a LOGIN {account.login} "{account.password}"\r\n'.encode())
        assert wire.line().startswith(b"a NO")


def test_pop3_cleartext_login_is_refused(server: DemoServer, account: Account) -> None:
    """[2595-2.3-1s] [2595-2.2-1s] [2595-6-1s] [DEEP-9.1-5s]"""
    with open_plain(server, POP3) as wire:
        for line in (f"USER {account.login}", f"PASS {account.password}", "AUTH PLAIN", "AUTH PLAIN AHUxAHB3", "STAT"):
            assert wire.reply(line.encode() + b"\r\n").startswith(b"-ERR"), line


def test_submission_cleartext_is_refused(server: DemoServer, account: Account) -> None:
    """[8314-3.3-6] [2595-2.3-1s] [2595-2.2-1s] [2595-6-1s] [DEEP-9.1-5s] Neither AUTH nor MAIL before TLS."""
    with open_plain(server, SUBMISSION) as wire:
        for line in ("AUTH PLAIN", "AUTH PLAIN AHUxAHB3", "AUTH LOGIN", f"MAIL FROM:<{account.address}>", "DATA"):
            assert wire.reply(line.encode() + b"\r\n").startswith(b"5"), line


def test_cleartext_denial_says_nothing_about_the_password(server: DemoServer, account: Account) -> None:
    """[8314-4.1-4] [8314-4.1-5] Right, wrong and unknown get the same answer."""
    logins = [(account.login, account.password), (account.login, "wrong"), ("nobody", "wrong")]
    answers = {"imap": set(), "pop3": set()}
    for login, password in logins:
        with open_plain(server, IMAP) as wire:
            answers["imap"].add(b"".join(wire.command(f'a LOGIN {login} "{password}"\r\n'.encode(), b"a ")))
        with open_plain(server, POP3) as wire:
            answers["pop3"].add(wire.reply(f"USER {login}\r\n".encode()) + wire.reply(f"PASS {password}\r\n".encode()))
    assert len(answers["imap"]) == 1 and len(answers["pop3"]) == 1, answers


def test_denial_inside_tls_is_the_same_for_unknown_users(server: DemoServer, account: Account) -> None:
    """[8314-4.1-5] [2595-6-6]"""
    seen = set()
    for login in (account.login, "nobody-of-this-name"):
        with open_secure(server, IMAP) as wire:
            seen.add(b"".join(wire.command(f'a LOGIN {login} "wrong"\r\n'.encode(), b"a ")))
    assert len(seen) == 1 and seen.pop().startswith(b"a NO")


@EVERY
def test_foreign_application_protocol(server: DemoServer, dialect: Dialect) -> None:
    """ALPACA: a browser that is led here offers h2; it gets no greeting."""
    context = tls_context(server.ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with Wire(service(server, dialect).implicit) as wire:
        try:
            wire.secure(context)
        except (ssl.SSLError, OSError):
            return
        assert wire.rest() == b""


@pytest.mark.parametrize("dialect", [IMAP, POP3], ids=lambda dialect: dialect.name)
def test_own_application_protocol(server: DemoServer, dialect: Dialect) -> None:
    """`imap` and `pop3` are registered ALPN identifiers (RFC 7301); submission has none."""
    context = tls_context(server.ca)
    context.set_alpn_protocols([dialect.name])
    with Wire(service(server, dialect).implicit).secure(context) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        assert wire.socket.selected_alpn_protocol() == dialect.name
        wire.until(dialect.greeting)


@EVERY
@pytest.mark.parametrize("verb", [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT"])
def test_http_closes_the_connection(server: DemoServer, dialect: Dialect, verb: bytes) -> None:
    """ALPACA: on both kinds of port; nothing of the request comes back."""
    request = verb + b" /<script>alert(1)</script> HTTP/1.1\r\nHost: localhost\r\nCookie: secret=1\r\n\r\n"
    for connect in (open_secure, open_plain):
        with connect(server, dialect) as wire:
            wire.send(request)
            answer = wire.rest()
            assert b"script" not in answer and b"secret" not in answer, answer


FORGED_ENDS = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n",
    b"\r\n\x00.\r\n", b"\r\n.\x00\r\n",
]  # fmt: skip


@pytest.mark.parametrize("end", FORGED_ENDS, ids=repr)
def test_smuggling(server: DemoServer, account: Account, end: bytes) -> None:
    """Only CRLF.CRLF ends the data; a forged end is refused with the message, and what follows is not obeyed."""
    address = account.address.encode()
    smuggled = b"MAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n" % (address, address)
    client = smtp(server, account)
    client.mail(account.address)
    client.rcpt(account.address)
    assert client.docmd("DATA")[0] == 354
    assert client.sock is not None
    client.sock.sendall(plain("forged").raw + b"text" + end + smuggled + b".\r\n")
    code, _ = client.getreply()
    assert 500 <= code < 600, code
    assert client.noop()[0] == 250
    client.quit()
    assert fetch_all(server, account) == []


BAD_LINES = {
    "imap": [
        b":", b"a:b NOOP", b"*", b"+ x", b"a", b"a ", b"a (((((((((", b"a LOGIN {99999999999999999999}", b'a LOGIN "',
        b"a FETCH 0 (", b"\x00\x01\x02", b"\xff\xfe a NOOP", b"a UID FETCH 99999999999:1 BODY[<>]", b"a LOGIN {-1}",
        b"a SEARCH CHARSET {3}", b"a AUTHENTICATE", b"a ID (((", b"a ENABLE " + b"X " * 100,
    ],
    "pop3": [
        b":", b"USER:x", b"USER", b"PASS", b"APOP x y", b"RETR -1", b"RETR 99999999999999999999", b"TOP 1",
        b"\x00", b"\xff\xfe", b" ", b"LIST:1", b"UIDL 0 0", b"AUTH :", b"CAPA x",
    ],
    "submission": [
        b":", b"MAIL FROM", b"MAIL FROM:", b"MAIL FROM:<<>>", b"RCPT TO:<@:@>", b"AUTH =", b"AUTH PLAIN =====",
        b"BDAT 99999999999999999999 LAST", b"BDAT -1", b"\x00", b"\xff", b"EHLO", b"EHLO " + b"x" * 400, b"VRFY \x01",
    ],
}  # fmt: skip


@EVERY
def test_bad_lines_harm_only_their_own_connection(server: DemoServer, dialect: Dialect) -> None:
    """A peer of ours dies of a colon. Every line gets an answer or the end; a bystander is served throughout."""
    with open_secure(server, dialect) as bystander:
        if dialect.hello:
            bystander.command(dialect.hello, dialect.ready)
        for bad in BAD_LINES[dialect.name]:
            with open_secure(server, dialect) as wire:
                wire.send(bad + b"\r\n")
                wire.send(dialect.quit)
                wire.rest()
            bystander.send(dialect.probe)
            bystander.until(dialect.answered)
            if dialect.name == "pop3":
                bystander.until(b".\r\n")


@EVERY
def test_answers_carry_no_line_of_the_clients(server: DemoServer, dialect: Dialect) -> None:
    """Input is not reflected: a tag or name with an injected line does not come back as one."""
    with open_secure(server, dialect) as wire:
        wire.send(b"EHLO x\r\n" if dialect.name == "submission" else b"")
        wire.send(b"<script>alert(1)</script> x\r\n" + dialect.quit)
        assert b"<script>" not in wire.rest()


def test_secrets_stay_out_of_the_log(server: DemoServer, account: Account) -> None:
    marker = "marker-secret-4711"
    for line in (f'a LOGIN {account.login} "{marker}"', f"a LOGIN {account.login} {marker} too many"):
        with open_secure(server, IMAP) as wire:
            wire.command(line.encode() + b"\r\n", b"a ")
    with open_secure(server, POP3) as wire:
        wire.reply(f"USER {account.login}\r\n".encode())
        wire.reply(f"PASS {marker}\r\n".encode())
    assert marker not in server.log()
    assert account.password not in server.log()


def test_log_names_cipher_with_the_login(server: DemoServer, account: Account) -> None:
    """[8314-4-16] [DEEP-9.2-5]"""
    with smtp(server, account) as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        cipher = client.sock.cipher()
    lines = [line for line in server.log().splitlines() if "authenticated" in line and account.login in line]
    assert cipher is not None and cipher[0] in lines[-1], lines[-1:]
