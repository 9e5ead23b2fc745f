"""Messages that are hard to carry unchanged, and what "unchanged" means."""

import base64
import hashlib
import itertools
import random
from dataclasses import dataclass

# Fields a server may put on top of a message it takes in (RFC 5321 §4.4, RFC 8601, RFC 5322 §3.6.7, RFC 6409 §8.1).
TRACE_FIELDS = {b"return-path", b"received", b"authentication-results", b"delivered-to", b"sender"}

serial = itertools.count(1)


@dataclass(frozen=True)
class Sample:
    """A message in wire form: lines end with CRLF."""

    name: str
    raw: bytes
    message_id: str


def header(name: str, message_id: str, *more: str) -> bytes:
    fields = [
        "From: Sender <sender@example.org>",
        "To: Reader <reader@example.org>",
        f"Subject: sample {name}",
        "Date: Fri, 21 Nov 2025 10:00:00 +0000",
        f"Message-ID: {message_id}",
        "MIME-Version: 1.0",
        *more,
    ]
    return "".join(field + "\r\n" for field in fields).encode()


def sample(name: str, body: bytes, *more: str) -> Sample:
    message_id = f"<{name}.{next(serial)}.{random.randrange(10**9)}@e2e.example>"
    return Sample(name, header(name, message_id, *more) + b"\r\n" + body, message_id)


def plain(name: str = "plain", text: str = "One line.\r\n") -> Sample:
    return sample(name, text.encode(), "Content-Type: text/plain; charset=us-ascii")


def attachment(size: int) -> Sample:
    data = random.Random(8314).randbytes(size)
    lines = base64.encodebytes(data).replace(b"\n", b"\r\n")
    digest = hashlib.sha256(data).hexdigest()
    body = (
        b"--frontier\r\nContent-Type: text/plain\r\n\r\nSee attachment.\r\n"
        b"--frontier\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="' + digest[:8].encode() + b'.bin"\r\n\r\n'
        + lines + b"--frontier--\r\n"
    )  # fmt: skip
    return sample("attachment", body, 'Content-Type: multipart/mixed; boundary="frontier"')


def hard_samples() -> list[Sample]:
    """One of each kind, each with a fresh Message-ID, all within what SMTP with 8BITMIME can carry."""
    eight_bit = ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
    return [
        plain(),
        sample("long-lines", (b"x" * 998 + b"\r\n") * 3 + b"short\r\n"),
        sample("dots", b".\r\n..\r\n...\r\n.leading\r\n\r\n.\r\nFrom here\r\n.\r\n"),
        sample("eight-bit", "Grüße, žluťoučký kůň, 日本語\r\n".encode() * 5, *eight_bit),
        sample("empty-body", b""),
        sample("blank-lines", b"\r\n\r\n\r\n"),
        attachment(2 * 1024 * 1024),
    ]


def carried(raw: bytes) -> bytes:
    """What a message is after SMTP: it always ends with CRLF."""
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def assert_unchanged(original: bytes, received: bytes) -> None:
    """`received` is `original` with nothing but trace fields on top."""
    if not received.endswith(original):
        raise AssertionError(first_difference(original, received))
    for field in unfold(received[: len(received) - len(original)]):
        name = field.partition(b":")[0].strip().lower()
        assert name in TRACE_FIELDS, f"a field was added: {field!r}"


def assert_unchanged_lines(original: bytes, received: bytes) -> None:
    """The same for programs that store lines with LF."""
    assert_unchanged(original.replace(b"\r\n", b"\n"), received.replace(b"\r\n", b"\n"))


def unfold(head: bytes) -> list[bytes]:
    fields: list[bytes] = []
    for line in head.splitlines(keepends=True):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += line
        else:
            fields.append(line)
    return fields


def first_difference(original: bytes, received: bytes) -> str:
    start = max(received.find(original[:40]), 0)
    got = received[start:]
    at = next((i for i, (a, b) in enumerate(zip(original, got)) if a != b), min(len(original), len(got)))
    return (
        f"the message changed at byte {at} of {len(original)} (got {len(got)}): "
        f"sent …{original[max(0, at - 30) : at + 60]!r}, got …{got[max(0, at - 30) : at + 60]!r}"
    )
