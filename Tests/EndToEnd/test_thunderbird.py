"""Thunderbird with a screen, a keyboard and a person who has just been given an account."""

from pathlib import Path

from support.clients import imap, submit
from support.messages import sample
from support.server import Account, DemoServer
from support.thunderbird import Thunderbird


def test_sets_up_an_account_and_reads(server: DemoServer, account: Account, tmp_path: Path) -> None:
    message = sample(
        "Thunderbird", "Grüße, žluťoučký kůň.\r\n".encode(), "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )  # fmt: skip
    submit(server, account, message.raw, account.address)
    with Thunderbird(server, tmp_path) as reader:
        reader.set_up(account)
        assert "Grüße, žluťoučký kůň." in reader.read("sample Thunderbird")
        reader.control.screenshot(tmp_path / "thunderbird.png")
    assert (tmp_path / "thunderbird.png").stat().st_size > 10_000
    client = imap(server, account)
    client.select("INBOX", readonly=True)
    _, (seen,) = client.uid("SEARCH", "SEEN")
    client.logout()
    assert len(seen.split()) == 1
