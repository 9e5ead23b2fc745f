"""The sender is killed again and again while mail is on its way between two servers: each message that was taken arrives,
none is lost, and few arrive twice."""

import os
import random
import re
import smtplib
import ssl
import threading
import time
from collections import Counter
from pathlib import Path

from support.authority import Authority
from support.processes import wait_until
from support.server import verify_store
from support.site import Site

# The ordinary run is for every change; CRASH_MESSAGES=10000 for a night.
MESSAGES = int(os.environ.get("CRASH_MESSAGES", "400"))
CLIENTS = 4
KILLS = 6


class Sender(threading.Thread):
    """Sends its numbers until each was taken; what it was told was taken is remembered."""

    def __init__(self, site: Site, numbers: list[int], taken: set[int]) -> None:
        super().__init__(daemon=True)
        self.site, self.numbers, self.taken = site, numbers, taken
        self.attempts = 0

    def run(self) -> None:
        while self.numbers:
            try:
                with self.site.smtp() as client:
                    while self.numbers:
                        self.send(client, self.numbers[-1])
                        self.taken.add(self.numbers.pop())
            except (OSError, smtplib.SMTPException, ssl.SSLError):
                time.sleep(0.1)

    def send(self, client: smtplib.SMTP, number: int) -> None:
        self.attempts += 1
        message = f"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: number {number}\r\n\r\n{'x' * 200}\r\n"
        client.sendmail("ada@example.org", ["bob@example.net"], message.encode())


def test_no_message_is_lost_when_the_sender_is_killed(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    receiver = Site(tmp_path / "receiver", authority, domain="example.net", users=("bob",))
    receiver.settings["listeners"]["lmtp"] = {"loopback": [f"127.0.0.1:{receiver.lmtp}"]}
    receiver.write()
    sender = Site(
        tmp_path / "sender", authority, users=("ada",),
        relay={"mode": "direct", "transports": [f"example.net=lmtp:127.0.0.1:{receiver.lmtp}"]},
        submission={"messages-per-hour": "none", "recipients-per-day": "none"}, log={"level": "info"},
    )  # fmt: skip
    with receiver, sender:
        taken: set[int] = set()
        threads = [Sender(sender, list(range(start, MESSAGES, CLIENTS)), taken) for start in range(CLIENTS)]
        for thread in threads:
            thread.start()
        chance = random.Random(20261121)
        for kill in range(KILLS):
            # At some point of the work that is left, not of time: the machine may be slow.
            aim = MESSAGES * (kill + chance.random()) / KILLS
            wait_until(lambda: len(taken) >= aim or not any(t.is_alive() for t in threads), "messages are taken", 300)
            time.sleep(chance.random() * 0.2)
            sender.kill()
            sender.start()
        for thread in threads:
            thread.join(600)
            assert not thread.is_alive()
        assert taken == set(range(MESSAGES))
        wait_until(lambda: "example.net" not in sender.queue(), f"the queue is empty: {sender.log_path}", 300)
        arrived = Counter(numbers(receiver))
        assert set(arrived) == set(range(MESSAGES))
        twice = sum(count - 1 for count in arrived.values())
        print(f"{MESSAGES} messages, {KILLS} kills, {twice} arrived more than once")
        # At each kill: what a client was sending and had no answer for, and what was being delivered.
        assert twice <= KILLS * (CLIENTS + 4 * 10)
    for site in (receiver, sender):
        checked = verify_store(site.directory / "state")
        assert checked.returncode == 0, checked.stdout + checked.stderr


def numbers(receiver: Site) -> list[int]:
    return [
        int(found.group(1)) for message in receiver.mailbox("bob")
        if (found := re.search(rb"^Subject: number (\d+)\r$", message, re.M))
    ]  # fmt: skip
