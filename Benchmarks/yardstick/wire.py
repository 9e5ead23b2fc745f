"""A connection read by lines and octets. It counts, so that a reply of gigabytes needs no memory."""

import socket
import ssl

# Seconds before a silent server ends the run.
PATIENCE = 300


class Closed(Exception):
    """The server closed the connection in the middle of a reply."""


class Refused(Exception):
    """The server answered, and the answer was no."""


def tls_context(authority: str) -> ssl.SSLContext:
    """TLS 1.3 only and no resumption, so that every server does the same handshake."""
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class Connection:
    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        """Without a context there is no TLS."""
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname="localhost") if context else plain
        self.buffer = b""
        self.position = 0
        self.received = 0

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _fill(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed
        self.received += len(data)
        self.buffer = self.buffer[self.position :] + data
        self.position = 0

    def line(self) -> bytes:
        """The next line without its CRLF."""
        while True:
            end = self.buffer.find(b"\n", self.position)
            if end >= 0:
                line = self.buffer[self.position : end]
                self.position = end + 1
                return line.rstrip(b"\r")
            self._fill()

    def skip(self, count: int) -> None:
        while count > 0:
            available = len(self.buffer) - self.position
            if available == 0:
                self._fill()
                continue
            taken = min(available, count)
            self.position += taken
            count -= taken

    def close(self) -> None:
        self.socket.close()
