"""smtplib: submission and its refusals."""

import smtplib

import pytest

from support.clients import fetch_all, smtp, submit
from support.messages import Sample, assert_unchanged, carried, hard_samples, plain, sample
from support.server import Account, DemoServer
from support.wire import tls_context

MODES = pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])


@MODES
def test_extensions(server: DemoServer, account: Account, starttls: bool) -> None:
    """[8314-3.3-7] AUTH is offered inside TLS; STARTTLS is not offered again."""
    client = smtp(server, account, starttls)
    client.ehlo()
    offered = set(client.esmtp_features)
    assert {"auth", "size", "8bitmime", "pipelining", "smtputf8", "enhancedstatuscodes"} <= offered
    assert "starttls" not in offered
    assert "PLAIN" in client.esmtp_features["auth"].split()
    client.quit()


@MODES
@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_mechanisms(server: DemoServer, account: Account, starttls: bool, mechanism: str) -> None:
    client = smtp(server, account, starttls)
    client.close()
    client = smtplib.SMTP_SSL(server.host, server.submission.implicit, context=tls_context(server.ca), timeout=30)
    client.ehlo()
    client.user, client.password = account.login, account.password
    assert client.auth(mechanism, getattr(client, f"auth_{mechanism}"))[0] == 235
    client.quit()


@pytest.mark.parametrize("message", hard_samples(), ids=lambda message: message.name)
def test_delivers_every_byte(server: DemoServer, account: Account, message: Sample) -> None:
    submit(server, account, message.raw, account.address)
    (received,) = fetch_all(server, account)
    assert_unchanged(carried(message.raw), received)


def test_several_recipients(server: DemoServer, account: Account, second_account: Account) -> None:
    message = plain("recipients")
    submit(server, account, message.raw, account.address, second_account.address)
    for recipient in (account, second_account):
        (received,) = fetch_all(server, recipient)
        assert_unchanged(message.raw, received)


def test_message_without_final_newline(server: DemoServer, account: Account) -> None:
    message = sample("open-end", b"no newline at the end")
    submit(server, account, message.raw, account.address)
    (received,) = fetch_all(server, account)
    assert_unchanged(carried(message.raw), received)


def test_unknown_recipient_is_refused(server: DemoServer, account: Account) -> None:
    domain = account.address.partition("@")[2]
    with smtp(server, account) as client:
        client.mail(account.address)
        assert 500 <= client.rcpt(f"nobody-here@{domain}")[0] < 600


def test_order_is_enforced(server: DemoServer, account: Account) -> None:
    """[8314-3.3-7] Nothing is taken before AUTH."""
    context = tls_context(server.ca)
    with smtplib.SMTP_SSL(server.host, server.submission.implicit, context=context, timeout=30) as client:
        client.ehlo()
        assert client.mail(account.address)[0] == 530
        client.login(account.login, account.password)
        assert client.docmd("RCPT", f"TO:<{account.address}>")[0] == 503
        assert client.docmd("DATA")[0] == 503
        assert client.mail(account.address)[0] == 250
        assert client.docmd("DATA")[0] in (503, 554)
        assert client.docmd("MAIL", "FROM:<again@example.org>")[0] == 503


def test_declared_size_over_the_limit(server: DemoServer, account: Account) -> None:
    with smtp(server, account) as client:
        client.ehlo()
        limit = int(client.esmtp_features["size"])
        assert client.docmd("MAIL", f"FROM:<{account.address}> SIZE={limit + 1}")[0] == 552
        assert client.docmd("MAIL", f"FROM:<{account.address}> SIZE=1000")[0] == 250
