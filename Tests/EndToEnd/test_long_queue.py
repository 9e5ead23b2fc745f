"""A long queue in the real server: it starts with it, and works it off, in memory that does not grow with it.

    QUEUE_MESSAGES=100000 pytest -s test_long_queue.py      for the figures of docs/performance.md
"""

import os
import re
import socket
import ssl
import threading
import time
from base64 import b64encode
from pathlib import Path

from support.authority import Authority
from support.processes import Foreign, free_ports, listens, wait_until
from support.server import verify_store
from support.site import PASSWORD, Site

MESSAGES = int(os.environ.get("QUEUE_MESSAGES", "5000"))
CLIENTS = 8
# Messages whose answers are not waited for one by one.
AHEAD = 50

# What a server needs to deliver at all, in a debug build: connections, statements, allocators' reserves. A queue that was
# held in memory would need a kilobyte for each message and more.
GROWTH_KIB = 48 * 1024 + MESSAGES // 10
START_SECONDS = 30
SECONDS_PER_MESSAGE = 0.1


class Submitter(threading.Thread):
    """Sends messages by chunks, many at a time: without waiting for each answer."""

    def __init__(self, site: Site, numbers: range) -> None:
        super().__init__(daemon=True)
        self.site, self.numbers, self.problem = site, numbers, None

    def run(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.site.submissions), 60) as plain:
                with self.site.context().wrap_socket(plain, server_hostname="localhost") as connection:
                    self.send(connection)
        except (OSError, ssl.SSLError, AssertionError) as problem:
            self.problem = problem

    def send(self, connection: ssl.SSLSocket) -> None:
        replies = connection.makefile("rb")

        def expect(code: bytes) -> None:
            line = replies.readline()
            while line[3:4] == b"-":
                line = replies.readline()
            assert line.startswith(code), line

        expect(b"220")
        login = b64encode(f"\0ada@{self.site.domain}\0{PASSWORD}".encode())
        for line in (b"EHLO client.example", b"AUTH PLAIN " + login):
            connection.sendall(line + b"\r\n")
            expect(b"2")
        for start in range(0, len(self.numbers), AHEAD):
            group = self.numbers[start : start + AHEAD]
            connection.sendall(b"".join(self.transaction(number) for number in group))
            for _ in range(3 * len(group)):
                expect(b"250")

    @staticmethod
    def transaction(number: int) -> bytes:
        body = (
            b"From: ada@example.org\r\nTo: joe@right.example\r\nSubject: number %d\r\n"
            b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\n\r\n" % (number, number)
        ) + b"x" * 70 + b"\r\n"
        envelope = b"MAIL FROM:<ada@example.org>\r\nRCPT TO:<joe@right.example>\r\n"
        return envelope + b"BDAT %d LAST\r\n" % len(body) + body


def fill(site: Site) -> float:
    began = time.monotonic()
    submitters = [Submitter(site, range(first, MESSAGES, CLIENTS)) for first in range(CLIENTS)]
    for submitter in submitters:
        submitter.start()
    for submitter in submitters:
        submitter.join()
        assert submitter.problem is None, f"{submitter.problem!r}: {site.log_path}"
    return time.monotonic() - began


def resident_kib(site: Site) -> int:
    assert site.process is not None
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{site.process.pid}/status").read_text())
    assert found
    return int(found[1])


def test_a_long_queue_is_worked_off_in_little_memory(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    site = Site(
        tmp_path / "site", Authority(tmp_path / "authority"), users=("ada",), log={"level": "warning"},
        relay={"mode": "direct", "transports": [f"right.example=lmtp:127.0.0.1:{port}"]},
        submission={"messages-per-hour": "none", "recipients-per-day": "none"},
    )  # fmt: skip
    with site:
        filling = fill(site)
        filled = resident_kib(site)
        site.stop()
        began = time.monotonic()
        site.start()
        starting = time.monotonic() - began
        assert starting < START_SECONDS
        before = resident_kib(site)
        status = tmp_path / "status"
        program = Path(__file__).with_name("support") / "fastsink.py"
        sink = Foreign(["/usr/bin/python3", program, str(port), status], tmp_path)
        try:
            sink.wait_for(lambda: listens(port), "the sink")
            began, most, taken = time.monotonic(), before, 0
            while taken < MESSAGES:
                assert time.monotonic() - began < 60 + MESSAGES * SECONDS_PER_MESSAGE, f"{taken} came: {site.log_path}"
                most = max(most, resident_kib(site))
                taken = int(status.read_text().split()[1]) if status.exists() else 0
                time.sleep(0.1)
            draining = time.monotonic() - began
            wait_until(lambda: "right.example" not in site.queue(), "the queue is empty")
            most = max(most, resident_kib(site))
            # Each came, and came once: nothing was killed.
            assert status.read_text() == f"{MESSAGES} {MESSAGES}"
        finally:
            sink.stop()
        print(
            f"{MESSAGES} messages: taken in {filling:.1f} s, start {starting:.2f} s, gone in {draining:.1f} s; resident "
            f"{filled} KiB after the first, {before} KiB after the start, {most} KiB at most, {resident_kib(site)} KiB at the end"
        )
        assert most - before < GROWTH_KIB
    assert verify_store(tmp_path / "site/state").returncode == 0
