"""First inputs for the fuzzer: what clients say in the transcripts, and each of IMAP's commands by itself.

Usage: seeds.py TARGET DIRECTORY. The words of IMAP's commands become a dictionary, DIRECTORY.dict.
"""

import pathlib
import re
import sys

FUZZ = pathlib.Path(__file__).resolve().parent
TRANSCRIPTS = FUZZ.parent / "Tests" / "Transcripts"
PROTOCOLS = ["pop3", "submission", "imap"]
# What the first octet of a dialogue chooses beside its protocol.
TLS, LOGGED_IN, LIMITED = 4, 8, 16
# Of submission: mail goes elsewhere, too; it is LMTP.
RELAYING, LMTP = 16, 32
ESCAPES = re.compile(rb"\\(?:x(..)|(.))")
ESCAPED = {b"r": b"\r", b"n": b"\n", b"0": b"\0", b"\\": b"\\"}


def said(transcript: pathlib.Path) -> list[bytes]:
    """The client's lines: `C: ` with CRLF behind them, `C> ` with escapes."""
    lines = []
    for line in transcript.read_bytes().splitlines():
        if line.startswith(b"C:"):
            lines.append(line[2:].removeprefix(b" ") + b"\r\n")
        elif line.startswith(b"C>"):
            lines.append(ESCAPES.sub(unescaped, line[2:].removeprefix(b" ")))
    return lines


def unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else ESCAPED[match[2]]


def dialogues(protocol: str) -> list[bytes]:
    """The client's octets of every transcript of a protocol."""
    return [b"".join(lines) for path in sorted((TRANSCRIPTS / protocol).glob("*.transcript")) if (lines := said(path))]


def commands() -> list[bytes]:
    return said(FUZZ / "imap-commands.transcript")


def inputs(target: str) -> list[bytes]:
    if target == "IMAPCommand":
        return dialogues("imap") + commands()
    if target == "Sessions":
        return [
            bytes([choice | flags]) + dialogue
            for choice, protocol in enumerate(PROTOCOLS)
            for dialogue in dialogues(protocol)
            for flags in (0, TLS, TLS | LOGGED_IN)
        ] + [
            bytes([PROTOCOLS.index("submission") | TLS | LOGGED_IN | RELAYING]) + dialogue
            for dialogue in dialogues("submission")
        ] + [
            bytes([PROTOCOLS.index("submission") | LMTP]) + dialogue for dialogue in dialogues("lmtp")
        ] + [
            bytes([PROTOCOLS.index("imap") | flags]) + command
            for command in commands()
            for flags in (TLS | LOGGED_IN, TLS | LOGGED_IN | LIMITED)
        ]
    if target == "Outgoing":
        return [
            bytes([6 * flags]) + b"\r\n".join(answers(path)) + b"\r\n"
            for path in sorted((TRANSCRIPTS / "smtp-client").glob("*.transcript"))
            for flags in (0, 1, 2, 4, 10)
        ] + [
            b"\x01\0\0\0\x0dO\0\0\0\x06\0\0\1\xff\0\0\0\0" + b"\0\0\0\1c" * 7 + change + b"\0\0\0\1a"
            for change in (
                b"\0\0\0\x0ce<a@x.y>\0A=\0", b"\0\0\0\x06hA\0b\0\0", b"\0\0\0\x0ay550 5.1\0", b"\0\0\0\3bab",
            )
        ] + [
            b"\x02version: STSv1\r\nmode: enforce\r\nmx: *.x.example\r\nmax_age: 86400\r\n", b"\x02v=STSv1; id=1;",
            b"\x02v=TLSRPTv1; rua=mailto:a@x.example,https://x.example/y", b"\x03a@x\0rfc822;b@y\0550 no\0mx\0A: b\r\n\r\nc\0id",
            b"\x04\3\0\x0a\2mx\1x\0", b"\x04\5\5v=abc", b"\x05A: b\r\n\r\n" + b"x" * 200 + b"\r\n",
            b"\x05Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + b"\xfc" * 150 + b"\r\n--b--\r\n",
        ]
    return []


def answers(transcript: pathlib.Path) -> list[bytes]:
    """What the server says."""
    return [line[2:].removeprefix(b" ") for line in transcript.read_bytes().splitlines() if line.startswith(b"S:")]


def words() -> list[bytes]:
    return sorted({word for command in commands() for word in re.findall(rb"[A-Za-z0-9.+$\\-]{2,24}", command)})


def main() -> None:
    target, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    for number, content in enumerate(inputs(target)):
        (directory / f"seed-{number}").write_bytes(content)
    entries = [word.decode().replace("\\", "\\\\") for word in words()]
    directory.with_suffix(".dict").write_text("".join(f'"{entry}"\n' for entry in entries))


main()
