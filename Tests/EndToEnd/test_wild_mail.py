"""Mail as it is found: Python's own collection of real and broken messages, cut and garbled too.

More of it, from a directory of files: `WILD_MAIL=/some/where pytest Tests/EndToEnd/test_wild_mail.py`.
"""

import email
import itertools
import os
import random
import re
from email.message import Message
from pathlib import Path

import pytest
from imapclient import IMAPClient

from support.programs import run
from support.server import BINARY, Account, DemoServer
from support.wire import tls_context

ITEMS = ["ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE"]
# A message is cut and garbled as many times.
MUTATIONS = 4
# Two boundary lines in a row: an empty part to some, one boundary to others.
DOUBLED = re.compile(rb"(?m)^(--\S+)[ \t]*\r?\n\1[ \t]*\r?$")


def collections() -> list[Path]:
    found = [path for path in Path("/usr/lib").glob("python3*/test/test_email/data") if path.is_dir()]
    assert found, "Python's test data is missing: run Scripts/prepare --tests"
    return found + ([Path(os.environ["WILD_MAIL"])] if "WILD_MAIL" in os.environ else [])


def messages() -> list[bytes]:
    files = [path for collection in collections() for path in sorted(collection.rglob("*")) if path.is_file()]
    texts = [raw for path in files if 0 < len(raw := path.read_bytes()) < 1 << 20 and b"\0" not in raw]
    assert len(texts) > 40
    return texts


def garbled(raw: bytes, dice: random.Random) -> bytes:
    """Loses a piece, doubles a line, or has octets that nobody wrote."""
    start = dice.randrange(len(raw))
    end = min(len(raw), start + dice.randrange(1, 60))
    if dice.random() < 0.3:
        return raw[:start] + raw[end:]
    if dice.random() < 0.5:
        return raw[:end] + raw[start:]
    return raw[:start] + bytes(dice.choice(b'"()<>@;:\\=?\r\n \t\xff\xc3-') for _ in range(end - start)) + raw[end:]


def normalised(raw: bytes) -> bytes:
    """Line ends as the server keeps them."""
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def take_in(server: DemoServer, account: Account, work: Path, texts: list[bytes]) -> None:
    for number, raw in enumerate(texts, 1):
        (work / f"{number}.eml").write_bytes(raw)
        # Named by UIDs, in this order.
        os.utime(work / f"{number}.eml", (10**9 + number, 10**9 + number))
    (work / "flags.txt").write_text("# UIDVALIDITY 1000000000\n")
    run([BINARY, "import", account.address, work, "--state", server.state])


def fetch(server: DemoServer, account: Account, items: list[str]) -> dict[int, dict[bytes, object]]:
    with IMAPClient(server.host, server.imap.implicit, ssl_context=tls_context(server.ca), timeout=60) as client:
        client.login(account.login, account.password)
        client.select_folder("INBOX", readonly=True)
        return client.fetch("1:*", items) if client.search("ALL") else {}


def leaves(structure: object) -> int:
    """Parts that are no multipart: imapclient gives a multipart's parts as a list, and a forwarded message's inside."""
    first = structure[0]  # type: ignore[index]
    if isinstance(first, list):
        return sum(leaves(part) for part in first)
    if isinstance(first, tuple):  # inside a forwarded message imapclient leaves it as it comes
        return sum(leaves(part) for part in itertools.takewhile(lambda part: isinstance(part, tuple), structure))  # type: ignore[call-overload]
    is_message = [str(word, "ascii", "replace").lower() for word in structure[:2]] == ["message", "rfc822"]  # type: ignore[index]
    return leaves(structure[8]) if is_message and len(structure) > 9 else 1  # type: ignore[index,arg-type]


def their_leaves(part: Message) -> int:
    """Python takes the groups of fields in a delivery status for messages."""
    if not part.is_multipart() or part.get_content_type() == "message/delivery-status":
        return 1
    return sum(their_leaves(inner) for inner in part.get_payload())  # type: ignore[union-attr,arg-type]


def is_plain(message: Message) -> bool:
    """Whether nothing about it is open to opinion: then everyone must count the same parts."""
    parts = list(message.walk())
    return all(not part.defects and part.get("Content-Transfer-Encoding", "7bit").lower() in ("7bit", "8bit")
               for part in parts if part.is_multipart()) and not any(part.defects for part in parts)  # fmt: skip


@pytest.fixture
def fresh(server: DemoServer, account: Account) -> Account:
    return account


def test_every_session_sees_the_same(server: DemoServer, fresh: Account, tmp_path: Path) -> None:
    dice = random.Random(9051)
    originals = messages()
    texts = originals + [garbled(raw, dice) for raw in originals for _ in range(MUTATIONS)]
    texts = [raw for raw in texts if raw]
    take_in(server, fresh, tmp_path, texts)
    first, second = (fetch(server, fresh, ITEMS) for _ in range(2))
    assert len(first) == len(texts)
    assert first == second
    bodies = fetch(server, fresh, ["BODY.PEEK[]"])
    judged = 0
    for (uid, found), raw in zip(sorted(first.items()), texts):
        assert bodies[uid][b"BODY[]"] == normalised(raw)
        assert found[b"RFC822.SIZE"] == len(normalised(raw))
        theirs = email.message_from_bytes(normalised(raw))
        if is_plain(theirs) and not DOUBLED.search(raw):
            assert leaves(found[b"BODYSTRUCTURE"]) == their_leaves(theirs), raw[:2000]
            judged += 1
    assert judged > 40


def test_parts_are_what_python_finds(server: DemoServer, fresh: Account, tmp_path: Path) -> None:
    texts = [raw for raw in messages() if is_plain(email.message_from_bytes(raw))]
    take_in(server, fresh, tmp_path, texts)
    compared = 0
    for (uid, found), raw in zip(sorted(fetch(server, fresh, ["BODY.PEEK[1]", "BODYSTRUCTURE"]).items()), texts):
        theirs = email.message_from_bytes(normalised(raw))
        if theirs.get_content_maintype() == "multipart" and theirs.is_multipart():
            theirs = theirs.get_payload(0)
        if theirs.is_multipart() or theirs.get("Content-Transfer-Encoding", "7bit").lower() not in ("7bit", "8bit"):
            continue
        assert found[b"BODY[1]"] == theirs.get_payload(decode=True), raw[:2000]
        compared += 1
    assert compared > 20
