"""Messages made from their number alone: every server and every run holds the same mail."""

import random

WORDS = (
    "river ledger harbour signal window carbon meadow invoice planet copper summer garden report weekly budget travel "
    "kitchen marble notice orange system letter member branch winter engine valley museum doctor parcel ticket camera "
    "forest island bridge market number yellow silver shadow silent velvet thunder acoustic"
).split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

# One message in a hundred has the first word in its subject, one in two hundred the second near the end of its text.
RARE_IN_SUBJECT = "zanzibar"
RARE_IN_TEXT = "quixotic"


def _prose(octets: int) -> bytes:
    chooser = random.Random(1)
    lines: list[str] = []
    length = 0
    while length < octets:
        line = " ".join(chooser.choice(WORDS) for _ in range(10))
        lines.append(line)
        length += len(line) + 2
    return "\r\n".join(lines).encode()


# Bodies are cut from this; making each word by word would take longer than the measuring.
_POOL = _prose(1 << 20)


def internal_date(number: int) -> str:
    day, month, year = 1 + number % 28, MONTHS[number // 28 % 12], 2016 + number // 336 % 10
    return f'"{day:2d}-{month}-{year} {number % 24:02d}:{number % 60:02d}:{number % 59:02d} +0000"'


def flags(number: int) -> str:
    return "(\\Flagged)" if number % 4 == 1 else "(\\Seen)" if number % 7 == 3 else "()"


def message(number: int, octets: int, author: str = "") -> bytes:
    """CRLF line ends, no line that begins with a dot, exactly `octets` long."""
    chooser = random.Random(number)
    one, two, three, four = (WORDS[chooser.randrange(len(WORDS))] for _ in range(4))
    date = f"{1 + number % 28} {MONTHS[number % 12]} {2016 + number % 10} {number % 24:02d}:00:00 +0000"
    subject = RARE_IN_SUBJECT if number % 100 == 7 else three
    reply = number % 3 == 0
    header = (
        f"Return-Path: <{one}.{number}@sender.example>\r\n"
        f"Received: from relay.example.net (relay.example.net [192.0.2.{number % 250}])\r\n"
        f"\tby mx.bench.test with ESMTPS id {number:08X}\r\n\tfor <user@bench.test>; {date}\r\n"
        f'From: "{one} {two}" <{author or f"{one}.{number}@sender.example"}>\r\nTo: "{two}" <user@bench.test>\r\n'
        f"Cc: {three}@cc.example, {four}@cc.example\r\n"
        f"Subject: {'Re: ' if reply else ''}{one} {subject} {four} {number}\r\n"
        f"Date: {date}\r\nMessage-ID: <{number:08x}.{one}@sender.example>\r\n"
        + ("In-Reply-To: <0.0@sender.example>\r\nReferences: <0.1@sender.example> <0.0@sender.example>\r\n" * reply)
        + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()
    tail = (RARE_IN_TEXT.encode() + b" " if number % 200 == 11 else b"") + b"end\r\n"
    start = number * 97 % (len(_POOL) // 2)
    body = _POOL[start : start + octets - len(header) - len(tail)]
    # A cut line end would leave a bare CR or LF.
    if body.endswith(b"\r"):
        body = body[:-1] + b"x"
    if body.startswith(b"\n"):
        body = b"x" + body[1:]
    return header + body + tail


def everyday_command(chooser: random.Random, number: int) -> tuple[str, bytes | None]:
    """One of the commands that mail programs send most, and its literal: of ten, four read, two look, two change."""
    one = chooser.randint(1, 90)
    return chooser.choice(
        [
            (f"FETCH {one} (UID FLAGS BODY.PEEK[])", None),
            (f"FETCH {one}:{one + 9} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", None),
            (f"FETCH {one}:{one + 9} (UID BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT)])", None),
            ("UID FETCH 1:* (FLAGS)", None),
            ("STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)", None),
            ("NOOP", None),
            ('LIST "" *', None),
            (f"STORE {one} +FLAGS (\\Seen)", None),
            (f"STORE {one} -FLAGS.SILENT (\\Seen)", None),
            ("UID SEARCH UNSEEN SINCE 1-Jan-2020", None),
            ("APPEND INBOX", message(number, 4096)),
        ]
    )
