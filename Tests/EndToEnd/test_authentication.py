"""Mechanisms that show the server no password, by foreign clients over real TLS."""

import http.server
import imaplib
import json
import poplib
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from support.authority import Authority
from support.processes import free_ports
from support.programs import write_private
from support.site import PASSWORD, Site

ISSUER, AUDIENCE = "https://issuer.example", "mail"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class Keys:
    """An issuer's key set on loopback; counts who asks."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                body = json.dumps({"keys": outer.keys}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/jwks"

    def add(self, identifier: str, key: ec.EllipticCurvePrivateKey) -> None:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())) if hasattr(
            jwt.algorithms.ECAlgorithm, "to_jwk") else ec_jwk(key)  # fmt: skip
        self.keys.append({**public, "kid": identifier, "use": "sig", "alg": "ES256"})


def ec_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    encode = lambda value: jwt.utils.base64url_encode(value.to_bytes(32, "big")).decode()  # noqa: E731
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x), "y": encode(numbers.y)}


@pytest.fixture(scope="module")
def keys(key: ec.EllipticCurvePrivateKey) -> Iterator[Keys]:
    keys = Keys()
    keys.keys.append({"kty": "oct", "k": "AAAA", "kid": "shared"})
    keys.add("first", key)
    yield keys
    keys.server.shutdown()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, authority: Authority, keys: Keys) -> Iterator[Site]:
    imap, pop3 = free_ports(2)
    site = Site(
        tmp_path_factory.mktemp("site"), authority,
        listeners={
            "imap": {"starttls": [f"127.0.0.1:{imap}"]}, "pop3": {"implicit": [f"127.0.0.1:{pop3}"]},
        },
        authentication={"oauth": {"issuer": ISSUER, "audience": AUDIENCE, "keys": keys.url, "scope": "imap"}},
    )  # fmt: skip
    site.imap, site.pop3s = imap, pop3  # type: ignore[attr-defined]
    with site:
        yield site


def token(key: Any, identifier: str = "first", algorithm: str = "ES256", **claims: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": [AUDIENCE], "exp": now + 600, "scope": "imap email", "email": "ada@example.org"} | claims
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": identifier})


def gsasl(site: Site, mechanism: str, protocol: str = "imap", password: str = PASSWORD, *options: str) -> str:
    port = site.imap if protocol == "imap" else site.submission  # type: ignore[attr-defined]
    done = subprocess.run(
        ["gsasl", f"--{protocol}", "--client", f"--connect=localhost:{port}", "--starttls", "--mechanism", mechanism,
         "--authentication-id=ada@example.org", "--authorization-id=ada@example.org", f"--password={password}",
         f"--x509-ca-file={site.authority.certificate}", "--verbose", *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
def test_gsasl(site: Site, mechanism: str, protocol: str) -> None:
    """GNU SASL binds to the connection by tls-exporter."""
    options = [] if mechanism.endswith("PLUS") else ["--no-cb"]
    output = gsasl(site, mechanism, protocol, PASSWORD, *options)
    assert "Client authentication finished (server trusted)" in output, output
    logged = re.findall(r"info authenticated.*", site.log())
    assert any(f"mechanism={mechanism}" in line for line in logged), site.log()[-2000:]
    wrong = gsasl(site, mechanism, protocol, "wrong", *options)
    assert "failed" in wrong.lower() or "error" in wrong.lower(), wrong


def test_msmtp_scram(site: Site, tmp_path: Path) -> None:
    """msmtp, which has GNU SASL."""
    config = write_private(
        tmp_path / "msmtprc",
        f"account default\nhost localhost\nport {site.submissions}\nauth scram-sha-256\nuser ada@example.org\n"
        f'password "{PASSWORD}"\nfrom ada@example.org\ntls on\ntls_starttls off\n'
        f"tls_trust_file {site.authority.certificate}\n",
    )
    done = subprocess.run(
        ["msmtp", "-C", config, "--debug", "--", "bob@example.org"], input=b"Subject: bound\r\n\r\nx\r\n",
        capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(b"Subject: bound" in mail for mail in site.wait_for_mail("bob"))


def bearer(site: Site, text: str, *, xoauth2: bool = False) -> tuple[str, bytes, list[bytes]]:
    """imaplib: the result, and the challenges that came."""
    message = f"user=ada@example.org\1auth=Bearer {text}\1\1" if xoauth2 else f"n,a=ada@example.org,\1auth=Bearer {text}\1\1"
    challenges: list[bytes] = []

    def respond(challenge: bytes) -> bytes:
        challenges.append(challenge)
        return message.encode() if len(challenges) == 1 else b"\1"

    with imaplib.IMAP4_SSL("localhost", site.imaps, ssl_context=site.context(), timeout=60) as client:
        try:
            kind, data = client.authenticate("XOAUTH2" if xoauth2 else "OAUTHBEARER", respond)
            return kind, data[0], challenges
        except imaplib.IMAP4.error as error:
            return "NO", str(error).encode(), challenges


@pytest.mark.parametrize("xoauth2", [False, True])
def test_token(site: Site, key: Any, xoauth2: bool) -> None:
    kind, data, challenges = bearer(site, token(key), xoauth2=xoauth2)
    assert kind == "OK", data
    assert challenges == [b""]


def test_curl_with_a_token(site: Site, key: Any) -> None:
    """curl says which host it connected to, and reads the capabilities to choose."""
    done = subprocess.run(
        ["curl", "-sS", "--ssl-reqd", "--cacert", site.authority.certificate, "--user", "ada@example.org",
         "--oauth2-bearer", token(key), f"imaps://localhost:{site.imaps}/"],
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"INBOX" in done.stdout
    wrong = subprocess.run(
        ["curl", "-sS", "--ssl-reqd", "--cacert", site.authority.certificate, "--user", "ada@example.org",
         "--oauth2-bearer", token(key, aud="another"), f"imaps://localhost:{site.imaps}/"],
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert wrong.returncode == 67, wrong.stderr


def test_tokens_that_do_not_let_in(site: Site, key: Any, keys: Keys) -> None:
    now = int(time.time())
    stranger = ec.generate_private_key(ec.SECP256R1())
    public = json.dumps(ec_jwk(key))
    refused = {
        "another audience": token(key, aud="other"), "another issuer": token(key, iss="https://other.example"),
        "over": token(key, exp=now - 600), "not yet": token(key, nbf=now + 600), "another user": token(key, email="bob@example.org"),
        "nobody": token(key, email="nobody@example.org"), "unverified": token(key, email_verified=False),
        "of a stranger": token(stranger), "of an unknown key": token(stranger, "second"),
        "HMAC with the public key": token(public, algorithm="HS256"), "unsigned": token(None, algorithm="none"),
        "RSA": token(rsa.generate_private_key(65537, 2048), algorithm="RS256"), "no JWT": "abc",
    }  # fmt: skip
    for name, text in refused.items():
        kind, data, challenges = bearer(site, text)
        assert kind == "NO", name
        error = json.loads(challenges[-1])
        assert error == {"status": "invalid_token", "scope": "imap"}, name
    kind, _, challenges = bearer(site, token(key, scope="calendar"))
    assert kind == "NO" and json.loads(challenges[-1])["status"] == "insufficient_scope"
    assert keys.requests <= 3, "unknown keys are asked for at a bounded rate"


def test_what_is_offered(site: Site) -> None:
    """[2595-9-7] for the server: what reveals the password is last, and can be turned off."""
    mechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "PLAIN"]
    with imaplib.IMAP4_SSL("localhost", site.imaps, ssl_context=site.context(), timeout=60) as imap:
        assert [name[5:] for name in imap.capabilities if name.startswith("AUTH=")] == mechanisms
    pop3 = poplib.POP3_SSL("localhost", site.pop3s, context=site.context(), timeout=60)  # type: ignore[attr-defined]
    assert pop3.capa()["SASL"] == mechanisms
    pop3.quit()
    with site.smtp() as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["auth"].split() == mechanisms + ["LOGIN"]


def test_no_passwords(tmp_path: Path, authority: Authority) -> None:
    """[2595-9-7]"""
    with Site(tmp_path, authority, authentication={"plain-passwords": "off"}) as site:
        with imaplib.IMAP4_SSL("localhost", site.imaps, ssl_context=site.context(), timeout=60) as imap:
            assert "LOGINDISABLED" in imap.capabilities and "AUTH=PLAIN" not in imap.capabilities
            with pytest.raises(imaplib.IMAP4.error):
                imap.login("ada@example.org", PASSWORD)
