"""A connection of which the test decides every byte."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from support.server import DemoServer, Service

TIMEOUT = 10.0


@dataclass(frozen=True)
class Dialect:
    """What the wall around STARTTLS looks like in one protocol."""

    name: str
    greeting: bytes
    # Sent after the greeting to reach the state in which STARTTLS is legal; its answer's last line begins with `ready`.
    hello: bytes
    ready: bytes
    starttls: bytes
    accepted: bytes
    # How an answer of refusal may begin.
    refused: tuple[bytes, ...]
    # A harmless command, and how its answer would begin.
    probe: bytes
    answered: bytes
    quit: bytes


DIALECTS = [
    Dialect(
        "imap", b"* OK", b"", b"", b"a1 STARTTLS\r\n", b"a1 OK", (b"a1 BAD", b"* BAD", b"* BYE"),
        b"a2 NOOP\r\n", b"a2 OK", b"z LOGOUT\r\n",
    ),
    Dialect(
        "pop3", b"+OK", b"", b"", b"STLS\r\n", b"+OK", (b"-ERR",),
        b"CAPA\r\n", b"+OK", b"QUIT\r\n",
    ),
    Dialect(
        "submission", b"220 ", b"EHLO client.example\r\n", b"250 ", b"STARTTLS\r\n", b"220", (b"5", b"4"),
        b"NOOP\r\n", b"250", b"QUIT\r\n",
    ),
]  # fmt: skip


def service(server: DemoServer, dialect: Dialect) -> Service:
    return {"imap": server.imap, "pop3": server.pop3, "submission": server.submission}[dialect.name]


def tls_context(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca) if ca else None)


class Wire:
    """A socket with line reading. `peer_closed` and `rest` tell how the server ended."""

    def __init__(self, port: int, host: str = "127.0.0.1", timeout: float = TIMEOUT) -> None:
        self.socket: socket.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def secure(self, context: ssl.SSLContext, name: str = "localhost") -> Self:
        assert not self.buffer, f"the server spoke before the handshake: {self.buffer!r}"
        self.socket = context.wrap_socket(self.socket, server_hostname=name)
        return self

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> bytes:
        """Some bytes; empty at the end, however it came."""
        try:
            return self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError) as error:
            if isinstance(error, ssl.SSLError) and "timed out" in str(error):
                raise
            return b""

    def line(self) -> bytes:
        """The next line with its CRLF; fewer bytes only where the connection ended."""
        while b"\n" not in self.buffer:
            piece = self.receive()
            if not piece:
                line, self.buffer = self.buffer, b""
                return line
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def until(self, prefix: bytes) -> list[bytes]:
        """Lines up to the first that begins with `prefix`, which is the last of them."""
        lines = []
        while True:
            lines.append(self.line())
            assert lines[-1], f"the connection ended before {prefix!r}: {lines}"
            if lines[-1].startswith(prefix):
                return lines

    def command(self, line: bytes, prefix: bytes) -> list[bytes]:
        self.send(line)
        return self.until(prefix)

    def rest(self) -> bytes:
        """Everything to the end of the connection, which must come."""
        data, self.buffer = self.buffer, b""
        while piece := self.receive():
            data += piece
        return data

    def reply(self, line: bytes) -> bytes:
        """Sends one SMTP or POP3 command; returns its reply's last line."""
        self.send(line)
        answer = self.line()
        while answer[3:4] == b"-" and answer[:3].isdigit():
            answer = self.line()
        return answer


def open_plain(server: DemoServer, dialect: Dialect) -> Wire:
    """A cleartext connection in the state in which STARTTLS is legal."""
    wire = Wire(service(server, dialect).starttls)
    wire.until(dialect.greeting)
    if dialect.hello:
        wire.command(dialect.hello, dialect.ready)
    return wire


def open_upgraded(server: DemoServer, dialect: Dialect) -> Wire:
    wire = open_plain(server, dialect)
    wire.command(dialect.starttls, dialect.accepted)
    return wire.secure(tls_context(server.ca))


def open_secure(server: DemoServer, dialect: Dialect) -> Wire:
    """An Implicit TLS connection, greeting read."""
    wire = Wire(service(server, dialect).implicit).secure(tls_context(server.ca))
    wire.until(dialect.greeting)
    return wire
