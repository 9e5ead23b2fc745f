"""poplib: the whole of POP3, and what happens to DELE when the session does not end with QUIT."""

import poplib

import pytest

from support.clients import lines_of, pop3, submit
from support.messages import Sample, assert_unchanged, hard_samples, plain, sample
from support.server import Account, DemoServer

MODES = pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])


@MODES
def test_capabilities(server: DemoServer, account: Account, starttls: bool) -> None:
    """[2595-4-1] [2595-4-2] [2595-4-12] [8314-3.1-4s]"""
    client = pop3(server, account, starttls)
    capabilities = client.capa()
    assert {"TOP", "UIDL", "PIPELINING", "UTF8", "LANG", "RESP-CODES", "IMPLEMENTATION"} <= set(capabilities)
    assert "STLS" not in capabilities
    client.quit()


@MODES
def test_quit_commits(server: DemoServer, account: Account, starttls: bool) -> None:
    first, second = plain("first"), plain("second")
    for message in (first, second):
        submit(server, account, message.raw, account.address)
    client = pop3(server, account, starttls)
    assert client.stat()[0] == 2
    numbers = [int(line.split()[0]) for line in client.list()[1]]
    assert numbers == [1, 2]
    identifiers = [line.split()[1] for line in client.uidl()[1]]
    assert len(set(identifiers)) == 2
    client.dele(1)
    client.quit()
    client = pop3(server, account, starttls)
    assert [line.split()[1] for line in client.uidl()[1]] == identifiers[1:]
    assert_unchanged(second.raw, lines_of(client.retr(1)))
    client.quit()


def test_reset_and_dropped_connection_keep_the_mail(server: DemoServer, account: Account) -> None:
    submit(server, account, plain().raw, account.address)
    client = pop3(server, account)
    client.dele(1)
    with pytest.raises(poplib.error_proto):
        client.retr(1)
    client.rset()
    client.retr(1)
    client.dele(1)
    client.close()
    client = pop3(server, account)
    assert client.stat()[0] == 1
    client.quit()


def test_top(server: DemoServer, account: Account) -> None:
    message = plain("top", "line 1\r\nline 2\r\nline 3\r\n")
    submit(server, account, message.raw, account.address)
    client = pop3(server, account)
    head = lines_of(client.top(1, 0))
    assert head.endswith(message.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    assert lines_of(client.top(1, 2)) == head + b"line 1\r\nline 2\r\n"
    assert lines_of(client.top(1, 99)) == lines_of(client.retr(1))
    client.quit()


@pytest.mark.parametrize("message", hard_samples(), ids=lambda message: message.name)
def test_retrieves_what_was_submitted(server: DemoServer, account: Account, message: Sample) -> None:
    submit(server, account, message.raw, account.address)
    client = pop3(server, account)
    size = int(client.list(1).split()[2])
    received = lines_of(client.retr(1))
    assert_unchanged(message.raw, received)
    assert size == len(received)
    client.quit()


def test_utf8_and_language(server: DemoServer, account: Account) -> None:
    raw = sample("utf8", "Zażółć\r\n".encode(), "Comments: gęślą jaźń", "Content-Transfer-Encoding: 8bit").raw
    submit(server, account, raw, account.address, utf8=True)
    client = pop3(server, account, utf8=True)
    assert_unchanged(raw, lines_of(client.retr(1)))
    assert client._shortcmd("LANG *").startswith(b"+OK")
    assert client._longcmd("LANG")[1]
    client.quit()


def test_maildrop_is_locked(server: DemoServer, account: Account) -> None:
    """RFC 1939 §4: while one session holds the maildrop, a second is told [IN-USE]."""
    holder = pop3(server, account)
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        pop3(server, account)
    holder.quit()
    pop3(server, account).quit()
