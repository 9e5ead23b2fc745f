"""`openssl s_client` as a witness of what was negotiated."""

import re
import subprocess
import threading
from dataclasses import dataclass
from functools import cache
from typing import Self

from support.programs import TIMEOUT, run
from support.server import DemoServer
from support.wire import Dialect, service

STARTTLS_NAMES = {"imap": "imap", "pop3": "pop3", "submission": "smtp"}
# s_client's name of a key exchange group → the name in IANA's TLS Supported Groups registry.
GROUPS = {"X25519": "x25519", "ECDH, prime256v1": "secp256r1", "ECDH, secp384r1": "secp384r1"}


def target(server: DemoServer, dialect: Dialect, starttls: bool) -> list[str]:
    ports = service(server, dialect)
    where = ["-connect", f"{server.host}:{ports.starttls if starttls else ports.implicit}", "-servername", server.name]
    return where + (["-starttls", STARTTLS_NAMES[dialect.name]] if starttls else [])


def s_client(server: DemoServer, dialect: Dialect, starttls: bool, *options: str, expect: int | None = 0) -> str:
    """Connects, says goodbye, returns all that s_client printed."""
    command = ["openssl", "s_client", *target(server, dialect, starttls), "-CAfile", str(server.ca)]
    command += ["-verify_return_error", "-verify_hostname", server.name, "-nocommands", "-ign_eof", *options]
    result = run(command, stdin=dialect.quit, expect=expect)
    return (result.stdout + result.stderr).decode(errors="replace")


@dataclass(frozen=True)
class Negotiated:
    version: str
    suite: str
    group: str
    reused: bool


def negotiated(output: str) -> Negotiated:
    line = re.search(r"^(New|Reused), (\S+), Cipher is (\S+)$", output, re.MULTILINE)
    assert line, output
    key = re.search(r"^Server Temp Key: (.+), \d+ bits$", output, re.MULTILINE)
    group = GROUPS.get(key.group(1), key.group(1)) if key else ""
    return Negotiated(line.group(2), iana_names()[line.group(3)], group, line.group(1) == "Reused")


@cache
def iana_names() -> dict[str, str]:
    """OpenSSL's name of a cipher suite → IANA's."""
    rows = run(["openssl", "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]).stdout.decode().splitlines()
    return {row.split()[2]: row.split()[0] for row in rows}


class Dialogue:
    """An SMTP dialogue through s_client; what it prints about the connection is kept in `printed`."""

    def __init__(self, server: DemoServer, dialect: Dialect, starttls: bool, *options: str) -> None:
        command = ["openssl", "s_client", *target(server, dialect, starttls), "-CAfile", str(server.ca)]
        command += ["-nocommands", "-ign_eof", "-crlf", *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.watchdog = threading.Timer(TIMEOUT, self.process.kill)
        self.watchdog.start()
        self.printed = ""
        # With -starttls, s_client reads the greeting itself.
        if not starttls:
            self.reply("220")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()

    def send(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def reply(self, code: str) -> str:
        """Reads to the last line of the next reply, which must begin with `code`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line
            if re.match(r"\d{3} ", line):
                assert line.startswith(code), self.printed
                return line
        raise AssertionError(f"the connection ended:\n{self.printed}")

    def command(self, line: str, code: str) -> str:
        self.send(line + "\n")
        return self.reply(code)
