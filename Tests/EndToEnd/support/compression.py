"""DEFLATE around a connection (RFC 4978), by Python's own zlib."""

import imaplib
import zlib

from support.wire import Wire


class Squeezer:
    """Both directions of a connection: raw DEFLATE, flushed behind every write."""

    def __init__(self, level: int = 9) -> None:
        self.out = zlib.compressobj(level, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)
        self.sent = self.received = 0

    def squeeze(self, data: bytes) -> bytes:
        squeezed = self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH)
        self.sent += len(squeezed)
        return squeezed

    def expand(self, data: bytes) -> bytes:
        self.received += len(data)
        return self.into.decompress(data)


class CompressedWire(Wire):
    """A Wire from COMPRESS on. The one it is made from must not be used any more."""

    def __init__(self, wire: Wire, level: int = 9) -> None:
        assert not wire.buffer, f"the server spoke before it was asked: {wire.buffer!r}"
        self.socket = wire.socket
        self.buffer = b""
        self.squeezer = Squeezer(level)

    def send(self, data: bytes) -> None:
        super().send(self.squeezer.squeeze(data))

    def in_the_clear(self) -> Wire:
        """The same connection when compression has ended."""
        wire = Wire.__new__(Wire)
        wire.socket, wire.buffer = self.socket, b""
        return wire

    def receive(self) -> bytes:
        while data := super().receive():
            if expanded := self.squeezer.expand(data):
                return expanded
        return b""


def compress(client: imaplib.IMAP4) -> Squeezer:
    """Makes imaplib's client speak compressed from here on."""
    status, text = client.xatom("COMPRESS", "DEFLATE")
    assert status == "OK", text
    squeezer = Squeezer()
    client.send = lambda data: client.sock.sendall(squeezer.squeeze(data))  # type: ignore[method-assign]
    client._file = client.file = ExpandingFile(client, squeezer)  # type: ignore[attr-defined]
    client.read = client.file.read  # type: ignore[method-assign]
    client.readline = client.file.readline  # type: ignore[method-assign]
    return squeezer


class ExpandingFile:
    """What imaplib reads its socket through."""

    def __init__(self, client: imaplib.IMAP4, squeezer: Squeezer) -> None:
        self.socket = client.sock
        self.squeezer = squeezer
        self.buffer = bytearray()

    def fill(self) -> bool:
        data = self.socket.recv(65536)
        self.buffer += self.squeezer.expand(data)
        return bool(data)

    def take(self, count: int) -> bytes:
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def read(self, size: int) -> bytes:
        while len(self.buffer) < size and self.fill():
            pass
        return self.take(size)

    def readline(self) -> bytes:
        while b"\n" not in self.buffer and self.fill():
            pass
        return self.take(self.buffer.find(b"\n") + 1 or len(self.buffer))

    def close(self) -> None:
        pass
