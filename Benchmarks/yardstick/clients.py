"""Just enough IMAP, POP3, submission and LMTP to load a server, pipelining nothing that is being measured."""

import base64
import ssl

from .wire import Connection, Refused


class IMAPClient:
    def __init__(self, port: int, context: ssl.SSLContext, user: str, password: str) -> None:
        self.connection = Connection(port, context)
        self.tags = 0
        self.connection.line()
        self.command(f"LOGIN {user} {password}")

    def command(self, text: str) -> int:
        """Sends it and waits for its tagged OK; how many untagged responses came."""
        self.send(text)
        return self.wait()

    def send(self, text: str, literal: bytes | None = None) -> None:
        """With a literal, as LITERAL+ (RFC 7888) has it: no waiting for a continuation."""
        self.tags += 1
        data = f"t{self.tags} {text}".encode()
        if literal is not None:
            data += b" {%d+}\r\n" % len(literal) + literal
        self.connection.write(data + b"\r\n")

    def wait(self, tag: int | None = None) -> int:
        wanted = b"t%d " % (tag or self.tags)
        line = self.connection.line
        untagged = 0
        while True:
            text = line()
            if text.startswith(wanted):
                if not text.startswith(wanted + b"OK"):
                    raise Refused(text.decode(errors="replace"))
                return untagged
            untagged += 1
            while text.endswith(b"}"):
                self.connection.skip(int(text[text.rindex(b"{") + 1 : -1]))
                text = line()

    def offers(self, extension: str) -> bool:
        """Whether a capability begins like it."""
        self.send("CAPABILITY")
        line = self.connection.line().decode()
        self.wait()
        return any(word.startswith(extension) for word in line.split())

    def idle(self) -> None:
        self.send("IDLE")
        while not (text := self.connection.line()).startswith(b"+"):
            if not text.startswith(b"*"):
                raise Refused(text.decode(errors="replace"))

    def logout(self) -> None:
        self.command("LOGOUT")
        self.connection.close()


class POP3Client:
    def __init__(self, port: int, context: ssl.SSLContext, user: str, password: str) -> None:
        self.connection = Connection(port, context)
        self._reply()
        self.command(f"USER {user}")
        self.command(f"PASS {password}")

    def command(self, text: str) -> None:
        self.connection.write(text.encode() + b"\r\n")
        self._reply()

    def _reply(self) -> None:
        text = self.connection.line()
        if not text.startswith(b"+OK"):
            raise Refused(text.decode(errors="replace"))

    def retrieve(self, number: int) -> None:
        self.command(f"RETR {number}")
        while self.connection.line() != b".":
            pass

    def quit(self) -> None:
        self.command("QUIT")
        self.connection.close()


class SMTPClient:
    """What submission and LMTP (RFC 2033) have in common."""

    def __init__(self, port: int, context: ssl.SSLContext | None, hello: str) -> None:
        self.connection = Connection(port, context)
        self._reply(220)
        self.command(f"{hello} client.bench.test", 250)

    def command(self, text: str, code: int) -> None:
        self.connection.write(text.encode() + b"\r\n")
        self._reply(code)

    def _reply(self, code: int) -> None:
        while (text := self.connection.line())[3:4] == b"-":
            pass
        if int(text[:3]) != code:
            raise Refused(text.decode(errors="replace"))

    def send(self, sender: str, recipients: list[str], message: bytes, replies: int = 1) -> None:
        """The envelope and DATA in one write, as PIPELINING (RFC 2920) allows."""
        envelope = f"MAIL FROM:<{sender}>\r\n" + "".join(f"RCPT TO:<{to}>\r\n" for to in recipients) + "DATA\r\n"
        self.connection.write(envelope.encode())
        for code in [250, *(250 for _ in recipients), 354]:
            self._reply(code)
        self.connection.write(message + b".\r\n")
        for _ in range(replies):
            self._reply(250)

    def quit(self) -> None:
        self.command("QUIT", 221)
        self.connection.close()


class SubmissionClient(SMTPClient):
    def __init__(self, port: int, context: ssl.SSLContext, user: str, password: str) -> None:
        super().__init__(port, context, "EHLO")
        credentials = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.command(f"AUTH PLAIN {credentials}", 235)


class LMTPClient(SMTPClient):
    def __init__(self, port: int) -> None:
        super().__init__(port, None, "LHLO")

