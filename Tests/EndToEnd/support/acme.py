"""Certificate authorities that speak ACME, name servers that take updates, and this server with both."""

import base64
import http.server
import json
import os
import secrets
import shutil
import ssl
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import dns.name
import dns.query
import dns.tsigkeyring
import dns.update

from .authority import Authority, openssl
from .processes import PEERS, Foreign, free_ports, listens, wait_until
from .server import BINARY, raise_file_limit
from .site import Site

DOMAIN = "dyn.example"
NAMED = PEERS / "bind9" / "root" / "usr" / "sbin" / "named"

HEAD = """\
$ORIGIN {origin}
$TTL 5
@ IN SOA ns.{origin} hostmaster.{origin} 1 3600 600 86400 5
@ IN NS ns.{origin}
ns.{origin} IN A 127.0.0.1
"""


class NameServer:
    """BIND on a loopback port, with a signed root, and below it dyn.example, which BIND signs and changes by a key.

    Resolvers with `anchor` find both secure.
    """

    available = NAMED.exists() and all(shutil.which(name) for name in ("ldns-keygen", "ldns-signzone"))

    def __init__(self, directory: Path, records: list[str] = []) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        (self.port,) = free_ports(1)
        root = HEAD.format(origin=".").replace("ns..", "ns.").replace("hostmaster..", "hostmaster.")
        (directory / "root").write_text(root + f"{DOMAIN}. IN NS ns.{DOMAIN}.\nns.{DOMAIN}. IN A 127.0.0.1\n")
        key = self.run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ".").strip()
        self.run("ldns-signzone", "-n", "-o", ".", "-f", "root.signed", "root", key)
        names = ["mail", "imap", "other", "alias"]
        (directory / "dyn").write_text(
            HEAD.format(origin=DOMAIN + ".")
            + "".join(f"{name} IN A 127.0.0.1\n" for name in names)
            + "_acme-challenge.alias IN CNAME alias.proofs\n"
            + "\n".join(records)
            + "\n"
        )
        self.key_file = directory / "acme.key"
        self.secret = secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.key_file.write_text(f'key "acme" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n')
        self.key_file.chmod(0o600)
        (directory / "keys").mkdir()
        (directory / "named.conf").write_text(f"""\
include "{self.key_file}";
controls {{ }};
options {{
  directory "{directory}"; pid-file "{directory}/pid"; session-keyfile "{directory}/session.key";
  managed-keys-directory "{directory}"; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }};
}};
zone "." {{ type primary; file "root.signed"; }};
dnssec-policy "quick" {{ keys {{ csk lifetime unlimited algorithm ecdsap256sha256; }}; dnskey-ttl 5; }};
zone "{DOMAIN}" {{
  type primary; file "dyn"; dnssec-policy "quick"; key-directory "{directory}/keys";
  update-policy {{ grant acme zonesub TXT TLSA; }};
}};
""")
        self.server = Foreign(
            [NAMED, "-g", "-c", directory / "named.conf"], directory,
            {"LD_LIBRARY_PATH": str(NAMED.parents[1] / "lib" / "x86_64-linux-gnu")},
        )  # fmt: skip
        self.server.wait_for(lambda: listens(self.port) and "all zones loaded" in self.server.log(), "BIND")
        self.server.wait_for(lambda: "RRSIG" in self.ask(f"mail.{DOMAIN}", "A"), "BIND signs")
        (public,) = (directory / "keys").glob("K*.key")
        self.anchor = directory / "anchor"
        self.anchor.write_text((directory / f"{key}.ds").read_text() + public.read_text())

    def run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            ["/usr/bin/" + program, *arguments], cwd=self.directory, capture_output=True, text=True
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, name: str, kind: str) -> str:
        return self.run("drill", "-D", "-p", str(self.port), name, "@127.0.0.1", kind)

    def publish(self, name: str, record: str) -> None:
        """Adds a TLSA record, by another program's update."""
        update = dns.update.UpdateMessage(DOMAIN, keyring=dns.tsigkeyring.from_text({"acme": self.secret}), keyalgorithm="hmac-sha256")
        update.add(dns.name.from_text(name), 2, "TLSA", record)
        answer = dns.query.tcp(update, "127.0.0.1", 30, self.port)
        assert answer.rcode() == 0, answer

    def texts(self, name: str) -> list[str]:
        answer = self.ask(f"{name}.{DOMAIN}", "TXT")
        return [line.split('"')[1] for line in answer.splitlines() if not line.startswith(";") and "\tTXT\t" in line]

    @property
    def configuration(self) -> dict[str, object]:
        return {"forwarders": [f"127.0.0.1:{self.port}"], "trust-anchor": str(self.anchor)}

    def stop(self) -> None:
        self.server.stop()


class ChallengeServer:
    """pebble-challtestsrv: a DNS whose records are set over HTTP, as a provider's."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.port, self.management = free_ports(2)
        self.server = Foreign(
            ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.port}", "-management", f"127.0.0.1:{self.management}",
             "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1"],
            directory,
        )  # fmt: skip
        self.server.wait_for(lambda: listens(self.management), "pebble-challtestsrv")

    def stop(self) -> None:
        self.server.stop()


class Pebble:
    """Let's Encrypt's test authority. Its own server's certificate is of `authority`; what it issues, of a root of its own."""

    available = shutil.which("pebble") is not None

    def __init__(
        self, directory: Path, authority: Authority, dns_port: int, http_port: int = 1, validity: int = 0,
        nonce_reject: int = 30, sleeps: int = 0, eab: dict[str, str] | None = None, port: int | None = None,
    ) -> None:  # fmt: skip
        directory.mkdir(parents=True)
        certificate = authority.issue("localhost", "127.0.0.1")
        ports = free_ports(2)
        self.port, self.management = port or ports[0], ports[1]
        self.authority = authority
        settings: dict[str, Any] = {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(certificate.chain), "privateKey": str(certificate.key), "httpPort": http_port,
            "tlsPort": 1, "ocspResponderURL": "", "externalAccountBindingRequired": eab is not None,
        }  # fmt: skip
        if eab is not None:
            settings["externalAccountMACKeys"] = eab
        if validity:
            settings["certificateValidityPeriod"] = validity
        (directory / "config.json").write_text(json.dumps({"pebble": settings}))
        environment = {
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject), "PEBBLE_AUTHZREUSE": "0", "PEBBLE_ALTERNATE_ROOTS": "1",
        }  # fmt: skip
        environment |= {"PEBBLE_VA_SLEEPTIME": str(sleeps)} if sleeps else {"PEBBLE_VA_NOSLEEP": "1"}
        self.server = Foreign(
            ["pebble", "-config", directory / "config.json", "-dnsserver", f"127.0.0.1:{dns_port}", "-strict"],
            directory, environment,
        )  # fmt: skip
        self.server.wait_for(lambda: listens(self.port) and listens(self.management), "pebble")
        context = ssl.create_default_context(cafile=str(authority.certificate))
        self.root, self.other_root = directory / "root.pem", directory / "other.pem"
        for number, root in enumerate((self.root, self.other_root)):
            url = f"https://127.0.0.1:{self.management}/roots/{number}"
            with urllib.request.urlopen(url, context=context, timeout=30) as answer:
                root.write_bytes(answer.read())

    @property
    def directory_url(self) -> str:
        return f"https://localhost:{self.port}/dir"

    def stop(self) -> None:
        self.server.stop()


class RateLimiter:
    """An authority that makes accounts, and puts every order off for an hour. It believes everybody."""

    def __init__(self, authority: Authority) -> None:
        certificate = authority.issue("localhost", "127.0.0.1")
        self.orders: list[float] = []
        limiter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, status: int, value: object, headers: dict[str, str] = {}) -> None:
                body = b"" if self.command == "HEAD" else json.dumps(value).encode()
                self.send_response(status)
                for key, text in {"Replay-Nonce": secrets.token_hex(8), "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(key, text)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                base = f"https://localhost:{limiter.port}"
                self.reply(200, {name: f"{base}/{name}" for name in ("newNonce", "newAccount", "newOrder")})

            def do_HEAD(self) -> None:
                self.reply(200, {})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/newAccount":
                    return self.reply(201, {"status": "valid"}, {"Location": f"https://localhost:{limiter.port}/account/1"})
                limiter.orders.append(time.monotonic())
                problem = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates"}
                self.reply(429, problem, {"Retry-After": "3600", "Content-Type": "application/problem+json"})

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = certificate.server_context().wrap_socket(self.server.socket, server_side=True)
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def directory_url(self) -> str:
        return f"https://localhost:{self.port}/directory"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class ACMESite(Site):
    """A server that has no certificate, and gets its own."""

    def __init__(self, directory: Path, authority: Authority, directory_url: str, names: list[str] = [], **more: Any) -> None:
        acme: dict[str, Any] = {
            "directory": directory_url, "accept-terms": True, "trust-roots": str(authority.certificate),
            "certificates": names, "contact": [f"postmaster@{DOMAIN}"], "first-retry": "1 s",
        }  # fmt: skip
        acme.update(more.pop("acme", {}))
        super().__init__(directory, authority, DOMAIN, ("ada",), acme=acme, **more)
        del self.settings["tls"]["certificate"], self.settings["tls"]["key"]
        self.write()

    def launch(self) -> "ACMESite":
        """Starts it without waiting until it serves."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", self.config], stdout=log, stderr=log, preexec_fn=raise_file_limit
            )  # fmt: skip
        return self

    def status(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            [BINARY, "certificate", "status", "--json", "--config", self.config], capture_output=True, text=True, timeout=120
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return json.loads(done.stdout)

    def wait_for_failure(self, text: str) -> None:
        wait_until(lambda: text in (self.status()[0].get("lastError") or ""), f"“{text}”: {self.log_path}", 120)

    def wait_until_serving(self) -> None:
        wait_until(lambda: listens(self.submissions), f"the server serves: {self.log_path}", 120)

    def served(self, root: Path, name: str = f"mail.{DOMAIN}") -> bytes:
        """The certificate that IMAP clients get, which must be of `root` and for `name`. DER."""
        context = ssl.create_default_context(cafile=str(root))
        import socket

        with socket.create_connection(("127.0.0.1", self.imaps), timeout=60) as plain:
            with context.wrap_socket(plain, server_hostname=name) as wrapped:
                return wrapped.getpeercert(binary_form=True) or b""


def public_key(der: bytes) -> bytes:
    certificate = ssl.DER_cert_to_PEM_cert(der).encode()
    return openssl("x509", "-noout", "-pubkey", stdin=certificate)


def alternative_names(der: bytes) -> set[str]:
    certificate = ssl.DER_cert_to_PEM_cert(der).encode()
    text = openssl("x509", "-noout", "-ext", "subjectAltName", stdin=certificate).decode()
    return {word.strip()[4:] for line in text.splitlines() for word in line.split(",") if "DNS:" in word}


def mode(path: Path) -> int:
    return os.stat(path).st_mode & 0o777
