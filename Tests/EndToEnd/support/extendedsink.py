"""aiosmtpd with extensions that it does not know: it offers what it is told to, and keeps the parameters that come.

    extendedsink.py PORT CERTIFICATE KEY 'EXTENSION…' …

Writes each message that it takes as one line of JSON. `Extended` runs it for tests.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Sequence

EXTENSIONS = ("REQUIRETLS", "BY", "MT-PRIORITY", "HOLDFOR", "HOLDUNTIL", "RET", "ENVID", "NOTIFY", "ORCPT")


async def main() -> None:
    from aiosmtpd.smtp import SMTP, Envelope, Session

    class Extending(SMTP):
        """Parameters of the extensions are taken out before aiosmtpd judges them."""

        def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
            own = [word for word in params if word.partition("=")[0] in EXTENSIONS]
            return super()._getparams([word for word in params if word not in own])

    class Handler:
        async def handle_EHLO(
            self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
        ) -> list[str]:
            envelope.mail_from = None
            session.host_name = hostname
            return [*responses[:-1], *(f"250-{word}" for word in sys.argv[4:]), responses[-1]]

        async def handle_MAIL(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            envelope.mail_from = address
            session.parameters, session.recipients = options, []
            return "250 2.1.0 ok"

        async def handle_RCPT(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            envelope.rcpt_tos.append(address)
            session.recipients.append(options)
            return "250 2.1.5 ok"

        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            message = {
                "mail": session.parameters, "recipients": dict(zip(envelope.rcpt_tos, session.recipients)),
                "octets": (envelope.original_content or b"").decode("latin-1"), "secured": session.ssl is not None,
                "peer": session.peer[1],
            }  # fmt: skip
            print(json.dumps(message), flush=True)
            return "250 2.0.0 taken"

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])

    def make() -> SMTP:
        return Extending(
            Handler(), hostname="localhost", enable_SMTPUTF8=True, tls_context=context,
            loop=asyncio.get_running_loop(), command_call_limit=1000,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
else:
    from .authority import Certificate
    from .processes import Foreign, free_ports, listens, wait_until

    class Extended:
        def __init__(self, directory: Path, certificate: Certificate, *extensions: str) -> None:
            directory.mkdir()
            (self.port,) = free_ports(1)
            command = ["/usr/bin/python3", __file__, str(self.port), certificate.chain, certificate.key, *extensions]
            self.process = Foreign(command, directory)
            self.process.wait_for(lambda: listens(self.port), "aiosmtpd")

        def messages(self) -> list[dict]:
            return [json.loads(line) for line in self.process.log().splitlines() if line.startswith("{")]

        def wait(self, count: int = 1) -> list[dict]:
            wait_until(lambda: len(self.messages()) >= count, f"{count} messages: {self.process.log_path}")
            return self.messages()

        def __enter__(self) -> "Extended":
            return self

        def __exit__(self, *_: object) -> None:
            self.process.stop()
