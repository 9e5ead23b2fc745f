"""What the end-to-end tests share: one server for most of them, an account of its own for each."""

import imaplib
import itertools
import os
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.server import Account, DemoServer, raise_file_limit
from support.wire import tls_context

SHARED_ACCOUNTS = 30


def pytest_configure(config: pytest.Config) -> None:
    raise_file_limit()
    # Root must say that it wants to stay root.
    if os.geteuid() == 0:
        os.environ.setdefault("LATCHMAIL_RUN_AS", "root")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    with DemoServer(tmp_path_factory.mktemp("shared") / "state", accounts=SHARED_ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="session")
def rotation(server: DemoServer) -> Iterator[Account]:
    return itertools.cycle(server.accounts)


@pytest.fixture
def account(server: DemoServer, rotation: Iterator[Account]) -> Account:
    """An account whose INBOX is empty, used by no other test at the time."""
    chosen = next(rotation)
    empty_inbox(server, chosen)
    return chosen


@pytest.fixture
def second_account(server: DemoServer, rotation: Iterator[Account]) -> Account:
    chosen = next(rotation)
    empty_inbox(server, chosen)
    return chosen


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., DemoServer]]:
    """Starts servers of the test's own; what still runs at its end is stopped."""
    started: list[DemoServer] = []

    def start(name: str = "state", accounts: int = 2) -> DemoServer:
        started.append(DemoServer(tmp_path / name, accounts=accounts))
        return started[-1]

    yield start
    for running in started:
        with running:
            pass


def empty_inbox(server: DemoServer, account: Account) -> None:
    with imaplib.IMAP4_SSL(server.host, server.imap.implicit, ssl_context=tls_context(server.ca), timeout=30) as imap:
        imap.login(account.login, account.password)
        _, (count,) = imap.select("INBOX")
        if int(count):
            imap.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
            imap.expunge()
