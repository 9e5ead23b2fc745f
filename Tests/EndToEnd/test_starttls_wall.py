"""STARTTLS is a wall: nothing said before it counts behind it (VU#555316, CVE-2011-0411)."""

import ssl
import time

import pytest

from support.server import Account, DemoServer
from support.wire import DIALECTS, Dialect, Wire, open_plain, open_secure, open_upgraded, service, tls_context

EVERY = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
ALERT_RECORD = b"\x15\x03"


def client_hello(server: DemoServer) -> bytes:
    """The first flight of a real client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = tls_context(server.ca).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read()


def assert_refused(wire: Wire, dialect: Dialect) -> None:
    """One error reply, then the end: no handshake, no answer to what followed."""
    answer = wire.rest()
    assert answer.startswith(dialect.refused), answer
    assert dialect.accepted not in answer and dialect.answered not in answer, answer
    assert b"\x16\x03" not in answer


def assert_only_tls(wire: Wire) -> None:
    """After STARTTLS was accepted, plaintext gets at most an alert."""
    answer = wire.rest()
    assert answer == b"" or answer.startswith(ALERT_RECORD), answer


@EVERY
@pytest.mark.parametrize("behind", ["command", "partial", "hello", "command and hello", "one octet"])
def test_bytes_in_the_same_segment(server: DemoServer, dialect: Dialect, behind: str) -> None:
    """[8314-A-1s] Command, partial line or ClientHello in STARTTLS's own segment: refused and closed."""
    hello = client_hello(server)
    tail = {
        "command": dialect.probe, "partial": dialect.probe[:-3], "hello": hello,
        "command and hello": dialect.probe + hello, "one octet": b"\x16",
    }[behind]  # fmt: skip
    with open_plain(server, dialect) as wire:
        wire.send(dialect.starttls + tail)
        assert_refused(wire, dialect)


@EVERY
def test_injection_is_logged(server: DemoServer, dialect: Dialect) -> None:
    """[8314-A-1s]"""
    before = server.log().count("protocol violation")
    with open_plain(server, dialect) as wire:
        wire.send(dialect.starttls + dialect.probe)
        wire.rest()
    deadline = time.monotonic() + 5
    while server.log().count("protocol violation") == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.log().count("protocol violation") > before


@EVERY
@pytest.mark.parametrize("pause", [0.0, 0.02, 0.2])
def test_second_segment_of_plaintext(server: DemoServer, dialect: Dialect, pause: float) -> None:
    """[8314-A-1s] However the second segment races the answer, it is not obeyed."""
    with open_plain(server, dialect) as wire:
        wire.send(dialect.starttls)
        time.sleep(pause)
        try:
            wire.send(dialect.probe * 3)
        except OSError:
            pass
        answer = wire.rest()
    if answer.startswith(dialect.accepted):
        answer = answer.partition(b"\r\n")[2]
        assert answer == b"" or answer.startswith(ALERT_RECORD), answer
    else:
        assert answer.startswith(dialect.refused) and dialect.answered not in answer, answer


@EVERY
def test_plaintext_instead_of_a_handshake(server: DemoServer, dialect: Dialect) -> None:
    """[2595-3.1-2] [2595-4-4] After the answer only TLS is understood."""
    with open_plain(server, dialect) as wire:
        wire.command(dialect.starttls, dialect.accepted)
        wire.send(dialect.probe * 50)
        assert_only_tls(wire)


@EVERY
def test_injected_command_is_not_answered_inside_tls(server: DemoServer, dialect: Dialect) -> None:
    """[8314-A-1s] Plaintext that arrives between the answer and the ClientHello never reaches the session."""
    with open_plain(server, dialect) as wire:
        wire.command(dialect.starttls, dialect.accepted)
        wire.send(dialect.probe)
        with pytest.raises((ssl.SSLError, OSError)):
            wire.secure(tls_context(server.ca))


@EVERY
def test_half_a_line_before_starttls(server: DemoServer, dialect: Dialect) -> None:
    """A line cut in two segments is one line: `XX` + STARTTLS is no STARTTLS."""
    with open_plain(server, dialect) as wire:
        wire.send(b"XX")
        time.sleep(0.05)
        wire.send(dialect.starttls)
        answer = wire.line()
        assert answer and not answer.startswith(dialect.accepted), answer


def test_open_literal_hides_nothing(server: DemoServer) -> None:
    """[8314-A-1s] No literal stays open across the wall, synchronizing or not."""
    for opener in (b"a0 LOGIN {5}\r\n", b"a0 APPEND INBOX {4000}\r\n"):
        with open_plain(server, DIALECTS[0]) as wire:
            answer = wire.command(opener, b"a0 ")
            assert not any(line.startswith(b"+") for line in answer), answer
    for opener in (b"a0 LOGIN {40+}\r\n", b"a0 APPEND INBOX {4000+}\r\n"):
        with open_plain(server, DIALECTS[0]) as wire:
            wire.send(opener + b"a1 STARTTLS\r\n")
            wire.send(client_hello(server))
            wire.socket.settimeout(3)
            try:
                answer = wire.rest()
            except TimeoutError:
                answer = wire.buffer
            assert b"\x16\x03\x03" not in answer and b"a1 OK" not in answer, answer


@EVERY
def test_starttls_with_an_argument(server: DemoServer, dialect: Dialect) -> None:
    """[2595-3.1-1] [2595-4-3]"""
    with open_plain(server, dialect) as wire:
        wire.send(dialect.starttls.replace(b"\r\n", b" now\r\n"))
        answer = wire.line()
        expected = {"imap": b"a1 BAD", "pop3": b"-ERR", "submission": b"501"}[dialect.name]
        assert answer.startswith(expected), answer
        wire.command(dialect.starttls, dialect.accepted)
        wire.secure(tls_context(server.ca))


@EVERY
def test_starttls_inside_tls(server: DemoServer, dialect: Dialect) -> None:
    """[2595-3.1-4] [2595-4-5] [2595-4-13] Refused on both kinds of port, and the session goes on."""
    for connect in (open_secure, open_upgraded):
        with connect(server, dialect) as wire:
            if dialect.hello:
                wire.command(dialect.hello, dialect.ready)
            wire.send(dialect.starttls)
            assert wire.line().startswith((b"a1 BAD", b"a1 NO", b"-ERR", b"5"))
            wire.send(dialect.probe)
            wire.until(dialect.answered)


def test_starttls_after_login(server: DemoServer, account: Account) -> None:
    """[2595-3.1-4] [2595-4-3] [2595-8-4]"""
    logins = {
        "imap": [f'a0 LOGIN {account.login} "{account.password}"\r\n'],
        "pop3": [f"USER {account.login}\r\n", f"PASS {account.password}\r\n"],
    }
    for dialect in DIALECTS[:2]:
        with open_upgraded(server, dialect) as wire:
            for line in logins[dialect.name]:
                wire.command(line.encode(), {"imap": b"a0 OK", "pop3": b"+OK"}[dialect.name])
            wire.send(dialect.starttls)
            assert wire.line().startswith((b"a1 BAD", b"-ERR"))


def test_capabilities_change_at_the_wall(server: DemoServer) -> None:
    """[2595-3-1] [2595-8-1] [2595-3.1-10] [2595-3.1-12] [2595-3.2-1] [2595-3.2-3]"""
    with open_plain(server, DIALECTS[0]) as wire:
        before = b"".join(wire.command(b"c CAPABILITY\r\n", b"c OK"))
        assert b"STARTTLS" in before and b"LOGINDISABLED" in before
        assert b"AUTH=PLAIN" not in before and b"AUTH=LOGIN" not in before
        wire.command(DIALECTS[0].starttls, DIALECTS[0].accepted)
        wire.secure(tls_context(server.ca))
        after = b"".join(wire.command(b"c CAPABILITY\r\n", b"c OK"))
        assert b"STARTTLS" not in after and b"LOGINDISABLED" not in after and b"AUTH=PLAIN" in after


def test_pop3_capabilities_change_at_the_wall(server: DemoServer) -> None:
    """[2595-4-2] [2595-4-12] [2595-8-2]"""
    with open_plain(server, DIALECTS[1]) as wire:
        before = b"".join(wire.command(b"CAPA\r\n", b".\r\n"))
        assert b"STLS\r\n" in before and b"\nUSER\r\n" not in before and b"PLAIN" not in before
        wire.command(DIALECTS[1].starttls, DIALECTS[1].accepted)
        wire.secure(tls_context(server.ca))
        after = b"".join(wire.command(b"CAPA\r\n", b".\r\n"))
        assert b"STLS\r\n" not in after and b"\nUSER\r\n" in after and b"PLAIN" in after


def test_submission_forgets_everything(server: DemoServer, account: Account) -> None:
    """RFC 3207 §4.2: EHLO is forgotten, and the new one offers AUTH but no STARTTLS."""
    dialect = DIALECTS[2]
    with open_plain(server, dialect) as wire:
        wire.send(dialect.hello)
        before = b"".join(wire.until(b"250 "))
        assert b"STARTTLS" in before and b"AUTH" not in before
        wire.command(dialect.starttls, dialect.accepted)
        wire.secure(tls_context(server.ca))
        assert wire.reply(f"MAIL FROM:<{account.address}>\r\n".encode()).startswith(b"5")
        assert wire.reply(b"AUTH PLAIN\r\n").startswith(b"503")
        wire.send(dialect.hello)
        after = b"".join(wire.until(b"250 "))
        assert b"STARTTLS" not in after and b"AUTH" in after


@EVERY
def test_abandoned_handshake_harms_nobody(server: DemoServer, dialect: Dialect) -> None:
    for cut in (1, 5, 80):
        with open_plain(server, dialect) as wire:
            wire.command(dialect.starttls, dialect.accepted)
            wire.send(client_hello(server)[:cut])
    with open_upgraded(server, dialect) as wire:
        if dialect.hello:
            wire.command(dialect.hello, dialect.ready)
        wire.command(dialect.probe, dialect.answered)


@EVERY
def test_starttls_port_does_not_answer_a_bare_hello(server: DemoServer, dialect: Dialect) -> None:
    """[8314-2-2] A cleartext port never takes TLS without being asked, an Implicit TLS port never cleartext."""
    with Wire(service(server, dialect).starttls) as wire:
        wire.until(dialect.greeting)
        with pytest.raises((ssl.SSLError, OSError)):
            wire.secure(tls_context(server.ca))
    with Wire(service(server, dialect).implicit) as wire:
        wire.send(dialect.probe)
        assert_only_tls(wire)
