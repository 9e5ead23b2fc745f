"""A server of SMTP or LMTP by aiosmtpd, for the relay's tests.

    mailsink.py starttls|implicit|lmtp CERTIFICATE KEY

Says its port, then each message it takes as one line of JSON: what the client said of it, and its octets in latin-1.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Sink:
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "parameters": envelope.mail_options,
            "octets": envelope.original_content.decode("latin-1"),
            "secured": session.ssl is not None or mode == "implicit",
            "login": (session.auth_data.login.decode() if session.auth_data else None),
        }
        print(json.dumps(message), flush=True)
        return "250 2.0.0 taken"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=data.password == b"secret", handled=False, auth_data=data)


async def main() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])

    def make() -> SMTP:
        if mode == "lmtp":
            return LMTP(Sink(), hostname="lmtp.test")
        return SMTP(
            Sink(),
            hostname="mx.test",
            enable_SMTPUTF8=True,
            tls_context=context if mode == "starttls" else None,
            require_starttls=mode == "starttls",
            authenticator=authenticate,
            auth_require_tls=mode == "starttls",
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", 0, ssl=context if mode == "implicit" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


mode = sys.argv[1]
asyncio.run(main())
