"""curl speaks all three protocols."""

import re
from pathlib import Path

import pytest

from support.messages import assert_unchanged, plain
from support.programs import curl
from support.server import Account, DemoServer

MODES = pytest.mark.parametrize("starttls", [False, True], ids=["implicit", "starttls"])
CANNOT_LOG_IN = 67
CERTIFICATE_PROBLEM = 60


@MODES
def test_imap_append_search_fetch(server: DemoServer, account: Account, tmp_path: Path, starttls: bool) -> None:
    """[8314-3.2-1s] [8314-3.2-3] [2595-3-1] [2595-3.1-2]"""
    message = plain("curl-imap", "Sent by APPEND.\r\n")
    file = tmp_path / "message.eml"
    file.write_bytes(message.raw)
    curl(server, server.imap, "INBOX", account, "--upload-file", str(file), starttls=starttls)
    found = curl(server, server.imap, "INBOX", account, "-X", "UID SEARCH SUBJECT curl-imap", starttls=starttls)
    match = re.fullmatch(rb"\* SEARCH (\d+)\r\n", found)
    assert match, found
    fetched = curl(server, server.imap, f"INBOX;UID={match.group(1).decode()}", account, starttls=starttls)
    assert fetched == message.raw
    assert b"INBOX" in curl(server, server.imap, "", account, starttls=starttls)


@MODES
def test_submission_then_pop3(server: DemoServer, account: Account, starttls: bool) -> None:
    """[8314-3.1-1s] [8314-3.1-3] [8314-3.3-1s] [8314-3.3-3] [8314-3.3-5s] [2595-4-4]"""
    message = plain("curl-smtp", "Sent by submission.\r\n.\r\nStill the same message.\r\n")
    options = ["--mail-from", account.address, "--mail-rcpt", account.address, "--upload-file", "-"]
    curl(server, server.submission, "client.example", account, *options, starttls=starttls, stdin=message.raw)
    listed = curl(server, server.pop3, "", account, starttls=starttls)
    assert re.fullmatch(rb"1 \d+\r\n", listed), listed
    fetched = curl(server, server.pop3, "1", account, starttls=starttls)
    assert int(listed.split()[1]) == len(fetched)
    assert_unchanged(message.raw, fetched)


@MODES
@pytest.mark.parametrize("protocol", ["imap", "pop3", "submission"])
def test_wrong_password(server: DemoServer, account: Account, protocol: str, starttls: bool) -> None:
    service = getattr(server, protocol)
    options = ["--mail-from", account.address, "--mail-rcpt", account.address, "-T", "-"]
    options = options if protocol == "submission" else []
    wrong = Account(account.address, account.login, "wrong")
    curl(server, service, "", wrong, *options, starttls=starttls, expect=CANNOT_LOG_IN, stdin=b"x\r\n")


@MODES
@pytest.mark.parametrize("protocol", ["imap", "pop3", "submission"])
def test_unknown_authority_is_refused_by_the_client(
    server: DemoServer, account: Account, protocol: str, starttls: bool
) -> None:
    """The demo's certificate is trusted for the demo's own authority, not for being local."""
    public = Path("/etc/ssl/certs/ca-certificates.crt")
    service = getattr(server, protocol)
    curl(server, service, "", account, starttls=starttls, ca=public, expect=CERTIFICATE_PROBLEM)
