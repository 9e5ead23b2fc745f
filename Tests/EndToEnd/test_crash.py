"""Nothing that was answered 250 is lost, whatever happens to the process."""

import os
import smtplib
import threading
import time
from pathlib import Path

from support.clients import fetch_all, imap, pop3, smtp
from support.messages import Sample, assert_unchanged, attachment, plain
from support.server import Account, DemoServer, verify_store

ROUNDS = int(os.environ.get("LATCHMAIL_CRASH_ROUNDS", "20"))
SENDERS = 50
ACCOUNTS = 5


class Sender(threading.Thread):
    """Submits one message after another until the server dies under it; remembers what was acknowledged."""

    def __init__(self, server: DemoServer, account: Account, number: int) -> None:
        super().__init__()
        self.server, self.account, self.number = server, account, number
        self.acknowledged: list[Sample] = []
        self.attempted: list[Sample] = []

    def run(self) -> None:
        try:
            client = smtp(self.server, self.account)
            while True:
                message = attachment(20_000) if self.number % 5 == 0 else plain("crash", f"from {self.number}\r\n" * 50)
                self.attempted.append(message)
                client.sendmail(self.account.address, [self.account.address], message.raw)
                self.acknowledged.append(message)
        except (OSError, smtplib.SMTPException):
            return


def crash_once(server: DemoServer, delay: float) -> list[Sender]:
    """50 clients submit; after `delay` from the first acknowledgement the process is killed."""
    senders = [Sender(server, server.accounts[number % ACCOUNTS], number) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + 30
    while not any(sender.acknowledged for sender in senders) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(delay)
    server.kill()
    for sender in senders:
        sender.join(30)
    return senders


def test_kill_during_submissions(tmp_path: Path) -> None:
    """Each acknowledged message is there exactly once and whole; one that was not is whole or absent."""
    state, senders = tmp_path / "state", []
    for number in range(ROUNDS):
        senders += crash_once(DemoServer(state, accounts=ACCOUNTS), delay=0.02 + 0.017 * (number % 11))
    acknowledged = {message.message_id: message for sender in senders for message in sender.acknowledged}
    attempted = {message.message_id: message for sender in senders for message in sender.attempted}
    assert len(acknowledged) >= ROUNDS
    found: list[str] = []
    with DemoServer(state, accounts=ACCOUNTS) as server:
        for account in server.accounts:
            for raw in fetch_all(server, account):
                name = message_id(raw)
                if name in attempted:
                    assert_unchanged(attempted[name].raw, raw)
                    found.append(name)
    assert len(found) == len(set(found)), "a message is there twice"
    assert acknowledged.keys() <= set(found), f"{len(acknowledged.keys() - set(found))} acknowledged messages are lost"
    checked = verify_store(state)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    print(f"{ROUNDS} crashes: {len(acknowledged)} acknowledged, {len(found)} found, {len(attempted)} attempted")


def message_id(raw: bytes) -> str:
    head = raw.partition(b"\r\n\r\n")[0]
    fields = [line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")]
    return fields[0].partition(b":")[2].strip().decode() if fields else ""


def test_kill_keeps_flags_folders_and_deletions(tmp_path: Path) -> None:
    state, kept, deleted = tmp_path / "state", plain("kept"), plain("deleted")
    server = DemoServer(state)
    account = server.accounts[0]
    client = imap(server, account)
    client.create("Kept")
    for message in (kept, deleted):
        client.append("Kept", "", "", message.raw)
    client.select("Kept")
    client.store("1", "+FLAGS", r"(\Flagged $Kept)")
    client.store("2", "+FLAGS", r"(\Deleted)")
    client.expunge()
    server.kill()
    with DemoServer(state) as server:
        client = imap(server, account)
        assert client.select("Kept")[1] == [b"1"]
        assert client.search(None, "FLAGGED", "KEYWORD", "$Kept")[1] == [b"1"]
        client.logout()
        assert fetch_all(server, account, "Kept") == [kept.raw]
    assert verify_store(state).returncode == 0


def test_kill_keeps_what_quit_deleted(tmp_path: Path) -> None:
    """RFC 1939 §6: when QUIT was answered, the update is done."""
    state = tmp_path / "state"
    server = DemoServer(state)
    account = server.accounts[0]
    with smtp(server, account) as sender:
        for _ in range(2):
            sender.sendmail(account.address, [account.address], plain().raw)
    client = pop3(server, account)
    count = client.stat()[0]
    client.dele(1)
    client.quit()
    server.kill()
    with DemoServer(state) as server:
        client = pop3(server, account)
        assert client.stat()[0] == count - 1
        client.quit()
