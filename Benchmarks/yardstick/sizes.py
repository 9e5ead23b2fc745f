"""How much of everything: the full size, whose figures docs/performance.md gives, and one for a smoke run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    runs: int
    # Messages of 4 KiB in the large INBOX, and how many of them COPY and EXPUNGE take.
    large: int
    moved: int
    # Messages of 30 KiB in the INBOX read whole.
    bulk: int
    # Users with 100 messages of 4 KiB each.
    users: int
    logins: int
    argon2_logins: int
    idle: int
    appends: int
    submissions: int
    deliveries: int
    pop3_sessions: int
    # Everyday commands, of all clients together.
    mixed: int


FULL = Sizes(
    runs=3, large=100_000, moved=10_000, bulk=10_000, users=50, logins=600, argon2_logins=40, idle=1000, appends=2000,
    submissions=400, deliveries=2000, pop3_sessions=60, mixed=10_000,
)
QUICK = Sizes(
    runs=1, large=2_000, moved=200, bulk=200, users=4, logins=50, argon2_logins=4, idle=300, appends=100,
    submissions=40, deliveries=100, pop3_sessions=8, mixed=400,
)

MESSAGES_PER_USER = 100
SMALL_MESSAGE = 4096
BULK_MESSAGE = 30 * 1024
