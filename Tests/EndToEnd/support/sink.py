"""An SMTP server whose every answer a test can choose, and which keeps what it was told to the octet."""

import re
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Received:
    """One message, as it came."""

    hello: str
    mail: str
    recipients: list[str]
    content: bytes
    secured: bool
    login: bytes | None = None


@dataclass
class Sink:
    """Listens from the start. `answers` maps a verb, or `.` for the message's end, to a reply, or to a function of the
    line that gives one (None: the usual); a reply of None ends the connection."""

    host: str = "127.0.0.1"
    port: int = 0
    context: ssl.SSLContext | None = None
    implicit: bool = False
    features: list[str] = field(default_factory=lambda: ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"])
    answers: dict[str, str | Callable[[str], str | None]] = field(default_factory=dict)
    name: str = "sink.example"
    messages: list[Received] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server((self.host, self.port), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.open: set[socket.socket] = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        self.listener.close()
        with self.lock:
            for connection in self.open:
                connection.close()

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(120)
            if self.implicit:
                assert self.context is not None
                connection = self.context.wrap_socket(connection, server_side=True)
            Dialogue(self, connection).run()
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()


class Dialogue:
    def __init__(self, sink: Sink, connection: socket.socket) -> None:
        self.sink, self.connection = sink, connection
        self.buffer = b""
        self.secured = sink.implicit
        self.hello, self.mail, self.recipients, self.login = "", "", [], None

    def run(self) -> None:
        self.say(self.chosen("greeting", "") or f"220 {self.sink.name} ESMTP")
        while True:
            line = self.line()
            if line is None:
                return
            with self.sink.lock:
                self.sink.lines.append(line)
            if not self.command(line):
                return

    def command(self, line: str) -> bool:
        verb = line.split(" ")[0].upper()
        reply = self.chosen(verb, line)
        if reply is not None:
            self.say(reply)
            return not reply.startswith("421")
        if verb in ("EHLO", "LHLO"):
            self.hello = line
            features = list(self.sink.features)
            if self.sink.context is not None and not self.secured:
                features.append("STARTTLS")
            self.say("".join(f"250-{word}\r\n" for word in [self.sink.name, *features[:-1]]) + f"250 {features[-1]}")
        elif verb == "STARTTLS":
            assert self.sink.context is not None
            self.say("220 go on")
            self.connection = self.sink.context.wrap_socket(self.connection, server_side=True)
            self.secured, self.buffer = True, b""
        elif verb == "AUTH":
            self.authenticate(line)
        elif verb == "MAIL":
            self.mail, self.recipients = line, []
            self.say("250 2.1.0 fine")
        elif verb == "RCPT":
            self.recipients.append(line)
            self.say("250 2.1.5 fine")
        elif verb == "DATA":
            self.say("354 go on")
            self.take(self.data())
        elif verb == "BDAT":
            self.chunk(line)
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            return False
        else:
            self.say("250 2.0.0 fine")
        return True

    def authenticate(self, line: str) -> None:
        words = line.split(" ")
        if len(words) < 3:
            self.say("334 ")
            words.append(self.line() or "")
        self.login = words[2].encode()
        self.say("235 2.7.0 fine")

    def chunk(self, line: str) -> None:
        words = line.split()
        size = int(words[1])
        while len(self.buffer) < size:
            self.fill()
        piece, self.buffer = self.buffer[:size], self.buffer[size:]
        self.pieces = getattr(self, "pieces", b"") + piece
        if len(words) > 2:
            whole, self.pieces = self.pieces, b""
            self.take(whole)
        else:
            self.say("250 2.0.0 fine")

    def take(self, content: bytes) -> None:
        reply = self.chosen(".", content.decode(errors="replace")) or "250 2.0.0 taken"
        if reply.startswith("2"):
            with self.sink.lock:
                self.sink.messages.append(
                    Received(self.hello, self.mail, list(self.recipients), content, self.secured, self.login)
                )
        self.say(reply)

    def chosen(self, verb: str, line: str) -> str | None:
        answer = self.sink.answers.get(verb)
        return answer(line) if callable(answer) else answer

    def say(self, reply: str) -> None:
        self.connection.sendall(reply.encode() + b"\r\n")

    def fill(self) -> None:
        more = self.connection.recv(65536)
        if not more:
            raise OSError("the peer has gone")
        self.buffer += more

    def line(self) -> str | None:
        while b"\r\n" not in self.buffer:
            more = self.connection.recv(65536)
            if not more:
                return None
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode(errors="replace")

    def data(self) -> bytes:
        """Ends at CRLF.CRLF alone; dots are taken off."""
        self.buffer = b"\r\n" + self.buffer
        while b"\r\n.\r\n" not in self.buffer:
            self.fill()
        content, self.buffer = self.buffer.split(b"\r\n.\r\n", 1)
        return re.sub(rb"\r\n\.", b"\r\n", content + b"\r\n")[2:]
