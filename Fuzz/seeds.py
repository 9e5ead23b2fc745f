"""First inputs for the fuzzer: what clients say in the transcripts. Usage: seeds.py TARGET DIRECTORY"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Transcripts"
PROTOCOLS = ["pop3", "submission", "imap"]
TLS, LOGGED_IN = 4, 8


def dialogues(protocol: str) -> list[bytes]:
    """The client's octets of every transcript of a protocol."""
    found = []
    for path in sorted((ROOT / protocol).glob("*.transcript")):
        lines = path.read_text(encoding="utf-8").splitlines()
        said = [line[2:].removeprefix(" ") for line in lines if line.startswith("C:")]
        if said:
            found.append("".join(line + "\r\n" for line in said).encode())
    return found


def inputs(target: str) -> list[bytes]:
    if target == "IMAPCommand":
        return dialogues("imap")
    if target == "Sessions":
        return [
            bytes([choice | flags]) + dialogue
            for choice, protocol in enumerate(PROTOCOLS)
            for dialogue in dialogues(protocol)
            for flags in (0, TLS, TLS | LOGGED_IN)
        ]
    return []


def main() -> None:
    target, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    for number, content in enumerate(inputs(target)):
        (directory / f"seed-{number}").write_bytes(content)


main()
