"""What is measured. Each measure loads one running server and reports what the server's process tree used meanwhile."""

import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import mail
from .clients import IMAPClient, LMTPClient, POP3Client, SubmissionClient
from .servers import PASSWORD, Server
from .sizes import BULK_MESSAGE, MESSAGES_PER_USER, SMALL_MESSAGE, Sizes
from .wire import tls_context

LISTING = "UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE)"


@dataclass(frozen=True)
class Row:
    """One figure: CPU milliseconds per operation unless `unit` says otherwise. Wall time is the client's too."""

    measure: str
    value: float
    unit: str = "ms"
    wall: float = 0


class Load:
    """One server, and the clients' side of every measure."""

    def __init__(self, server: Server, sizes: Sizes, take: Callable[[Row], None]) -> None:
        self.server = server
        self.sizes = sizes
        self.take = take
        self.context: ssl.SSLContext = tls_context(str(server.certificate.authority))
        self.fresh_logins = 0

    @property
    def users(self) -> list[str]:
        return [f"u{n}" for n in range(self.sizes.users)] + ["large", "bulk", "recipient"]

    @property
    def first_logins(self) -> list[str]:
        """Enough that each logs in once: afterwards a verification may be remembered."""
        return [f"a{n}" for n in range(self.sizes.argon2_logins * self.sizes.runs)]

    def user(self, number: int) -> str:
        return f"u{number % self.sizes.users}"

    def imap(self, user: str) -> IMAPClient:
        return IMAPClient(self.server.ports["imap"], self.context, user, PASSWORD)

    # ---- timing

    def timed(self, measure: str, operations: int, work: Callable[[], object], settle: float = 0.05) -> None:
        """What the server does within `settle` seconds after the answer belongs to the work, too."""
        meter = self.server.meter
        before, began = meter.cpu(), time.monotonic()
        work()
        wall = time.monotonic() - began
        time.sleep(settle)
        self.take(Row(measure, (meter.cpu() - before) * 1000 / operations, wall=wall))

    def crowd(self, concurrency: int, jobs: Iterable[Callable[[], None]]) -> None:
        """Does the jobs on as many threads. The first failure is raised."""
        waiting, lock, failures = iter(jobs), threading.Lock(), []

        def work() -> None:
            while not failures:
                with lock:
                    job = next(waiting, None)
                if job is None:
                    return
                try:
                    job()
                except Exception as failure:
                    failures.append(failure)

        threads = [threading.Thread(target=work) for _ in range(concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def rest(self) -> float:
        """Waits until the server does nothing by itself any more, some minutes at most: CPU seconds it took."""
        meter, deadline = self.server.meter, time.monotonic() + 300
        began = last = meter.cpu()
        idle = 0
        # Work may come in turns some seconds apart.
        while idle < 5 and time.monotonic() < deadline:
            time.sleep(1)
            now = meter.cpu()
            idle = idle + 1 if now - last < 0.01 else 0
            last = now
        return last - began

    # ---- mail to measure with

    def fill(self) -> None:
        """Without IMAP there is no mail to read either."""
        if "imap" not in self.server.ports:
            return
        for number in range(self.sizes.users):
            self._append_all(self.user(number), MESSAGES_PER_USER, SMALL_MESSAGE)
        self._append_all("bulk", self.sizes.bulk, BULK_MESSAGE)
        self.rest()
        self._append_all("large", self.sizes.large, SMALL_MESSAGE)
        # What is left to do, such as indexing, also goes on while mail comes in.
        self.take(Row("work left after APPEND, per message", self.rest() * 1000 / self.sizes.large))

    def _append_all(self, user: str, count: int, octets: int) -> None:
        """Pipelined, a few at a time: neither side's socket buffers fill up while the other writes."""
        window = 64
        client = self.imap(user)
        for number in range(count):
            head = f"APPEND INBOX {mail.flags(number)} {mail.internal_date(number)}"
            client.send(head, mail.message(number, octets))
            if client.tags % window == 0:
                client.wait()
        client.command("NOOP")
        client.logout()

    # ---- measures

    def login(self) -> None:
        for number in range(self.sizes.users):
            self.imap(self.user(number)).logout()
        count = self.sizes.logins
        jobs = [lambda n=n: self.imap(self.user(n)).logout() for n in range(count)]
        self.timed("login and logout", count, lambda: self.crowd(8, jobs), settle=0.3)

    def first_login(self) -> None:
        count = self.sizes.argon2_logins
        first = self.fresh_logins
        self.fresh_logins += count
        jobs = [lambda n=n: self.imap(f"a{n}").logout() for n in range(first, first + count)]
        self.timed("first login (argon2id)", count, lambda: self.crowd(4, jobs), settle=0.3)

    def idle(self) -> None:
        clients: list[IMAPClient] = []

        def connect(number: int) -> None:
            client = self.imap(self.user(number))
            clients.append(client)
            client.command("SELECT INBOX")
            client.idle()

        meter = self.server.meter
        before = meter.memory()
        self.crowd(8, [lambda n=n: connect(n) for n in range(self.sizes.idle)])
        time.sleep(3)
        after = meter.memory()
        used, began = meter.cpu(), time.monotonic()
        time.sleep(5)
        idling = (meter.cpu() - used) / (time.monotonic() - began)
        self.take(Row("idle connection, PSS", (after.pss - before.pss) / self.sizes.idle, "KiB"))
        self.take(Row("CPU while all are idle", idling * 1000, "ms/s"))
        for client in clients:
            client.connection.close()
        time.sleep(1)

    def large(self) -> None:
        self.server.restart_cold()
        client = self.imap("large")
        for measure, command in (("SELECT, cold", "SELECT INBOX"), ("FETCH ENVELOPE, cold", LISTING)):
            self.timed(measure, 1, lambda command=command: client.command(command))
        client.logout()
        client = self.imap("large")
        moved = self.sizes.moved
        for measure, command in (
            ("SELECT, warm", "SELECT INBOX"),
            ("FETCH 1:* (FLAGS)", "UID FETCH 1:* (FLAGS)"),
            ("FETCH ENVELOPE, warm", LISTING),
            ("SEARCH UNSEEN", "SEARCH UNSEEN"),
            ("SEARCH SUBJECT", f"SEARCH SUBJECT {mail.RARE_IN_SUBJECT}"),
            ("SEARCH TEXT", f"SEARCH TEXT {mail.RARE_IN_TEXT}"),
            ("SORT (REVERSE DATE)", "UID SORT (REVERSE DATE) UTF-8 ALL"),
            ("THREAD REFERENCES", "UID THREAD REFERENCES UTF-8 ALL"),
            ("STORE 1:* +FLAGS", "UID STORE 1:* +FLAGS (\\Seen)"),
            ("", "UID STORE 1:* -FLAGS.SILENT (\\Seen)"),
            ("", "CREATE Copies"),
            ("COPY", f"COPY 1:{moved} Copies"),
            ("", "DELETE Copies"),
        ):
            if measure.split(" ")[0] in ("SORT", "THREAD") and not client.offers(measure.split(" ")[0]):
                continue
            if measure:
                self.timed(measure, 1, lambda command=command: client.command(command))
            else:
                client.command(command)
        client.logout()

    def expunge(self) -> None:
        client = self.imap("large")
        client.command("SELECT INBOX")
        client.command(f"STORE 1:{self.sizes.moved} +FLAGS.SILENT (\\Deleted)")
        self.timed("EXPUNGE", 1, lambda: client.command("EXPUNGE"), settle=0.3)
        client.logout()

    def bulk(self) -> None:
        client = self.imap("bulk")
        client.command("SELECT INBOX")
        before, cpu, began = client.connection.received, self.server.meter.cpu(), time.monotonic()
        client.command("UID FETCH 1:* (BODY.PEEK[])")
        wall = time.monotonic() - began
        time.sleep(0.05)
        gibibytes = (client.connection.received - before) / (1 << 30)
        self.take(Row("FETCH of bodies", (self.server.meter.cpu() - cpu) / gibibytes, "s/GiB", wall))
        client.logout()

    def append(self) -> None:
        for connections in (1, 20):
            clients = [self.imap(self.user(n)) for n in range(connections)]
            each = max(self.sizes.appends // connections, 1)
            for client in clients:
                try:
                    client.command("CREATE Appended")
                except Exception:
                    client.command("NOOP")  # there from an earlier run; it stays, as mailboxes in use do

            def fill(client: IMAPClient, first: int) -> None:
                for number in range(first, first + each):
                    client.send("APPEND Appended", mail.message(number, SMALL_MESSAGE))
                    client.wait()

            jobs = [lambda c=client, n=n: fill(c, n * each) for n, client in enumerate(clients)]
            measure = f"APPEND 4 KiB, {connections} connection" + ("s" if connections > 1 else "")
            self.timed(measure, each * connections, lambda: self.crowd(connections, jobs), settle=0.3)
            for client in clients:
                client.logout()

    def mixed(self) -> None:
        """What mail programs do all day, each client in a mailbox of its own, in an order that is the same each time."""
        clients = [self.imap(self.user(number)) for number in range(self.sizes.users)]
        each = self.sizes.mixed // len(clients)

        def work(client: IMAPClient, number: int) -> None:
            chooser = random.Random(number)
            client.command("SELECT INBOX")
            for turn in range(each - 1):
                client.send(*mail.everyday_command(chooser, number * each + turn))
                client.wait()

        jobs = [lambda c=client, n=n: work(c, n) for n, client in enumerate(clients)]
        meter = self.server.meter
        cpu, began = meter.cpu(), time.monotonic()
        self.crowd(len(clients), jobs)
        wall = time.monotonic() - began
        time.sleep(0.3)
        self.take(Row("everyday commands", each * len(clients) / (meter.cpu() - cpu), "/CPU s", wall))
        for client in clients:
            client.logout()

    def submission(self) -> None:
        for per_connection, recipients in ((1, 1), (10, 1), (10, 10)):
            sessions = max(self.sizes.submissions // per_connection, 1)
            addressees = [f"{self.user(n)}@bench.test" for n in range(recipients - 1)] + ["recipient@bench.test"]

            def submit(number: int) -> None:
                user = self.user(number)
                client = SubmissionClient(self.server.ports["submission"], self.context, user, PASSWORD)
                for k in range(per_connection):
                    body = mail.message(number * per_connection + k, SMALL_MESSAGE, f"{user}@bench.test")
                    client.send(f"{user}@bench.test", addressees, body)
                client.quit()

            jobs = [lambda n=n: submit(n) for n in range(sessions)]
            measure = f"submission, {per_connection} message" + ("s" if per_connection > 1 else "") + " a connection"
            measure += f", {recipients} recipients" if recipients > 1 else ""
            self.timed(measure, sessions * per_connection, lambda: self.crowd(8, jobs), settle=0.5)

    def lmtp(self) -> None:
        for connections in (1, 20):
            each = max(self.sizes.deliveries // connections, 1)

            def deliver(client: LMTPClient, first: int) -> None:
                for number in range(first, first + each):
                    to = f"{self.user(number)}@bench.test"
                    client.send("sender@sender.example", [to], mail.message(number, SMALL_MESSAGE))

            clients = [LMTPClient(self.server.ports["lmtp"]) for _ in range(connections)]
            jobs = [lambda c=client, n=n: deliver(c, n * each) for n, client in enumerate(clients)]
            measure = f"LMTP 4 KiB, {connections} connection" + ("s" if connections > 1 else "")
            self.timed(measure, each * connections, lambda: self.crowd(connections, jobs), settle=0.3)
            for client in clients:
                client.quit()

    def pop3(self) -> None:
        def session(number: int) -> None:
            client = POP3Client(self.server.ports["pop3"], self.context, self.user(number), PASSWORD)
            client.command("STAT")
            for message in range(1, MESSAGES_PER_USER + 1):
                client.retrieve(message)
            client.quit()

        count = self.sizes.pop3_sessions
        # A mailbox admits one session at a time, and sessions end out of order.
        concurrency = max(1, min(4, self.sizes.users // 2))
        jobs = [lambda n=n: session(n) for n in range(count)]
        self.timed("POP3 session with 100 RETR", count, lambda: self.crowd(concurrency, jobs), settle=0.3)


# EXPUNGE last: it takes messages away.
MEASURES = {
    "login": "imap", "first_login": "imap", "idle": "imap", "large": "imap", "bulk": "imap", "append": "imap",
    "mixed": "imap",
    "submission": "submission", "lmtp": "lmtp", "pop3": "pop3", "expunge": "imap",
}
