"""`latchmaild serve`: what an operator does, from a configuration to a renewed certificate."""

import imaplib
import os
import poplib
import signal
import smtplib
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from support.server import BINARY
from support.wire import Wire

PASSWORD = "correct horse"


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "90", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,DNS:mail.example.org",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Installation:
    """A configuration, its state directory and, once started, its server."""

    def __init__(self, directory: Path, minimum: str = "1.2") -> None:
        self.directory = directory
        self.certificate, self.key = make_certificate(directory, "first")
        self.imaps, self.imap, self.pops, self.pop, self.submissions, self.submission = free_ports(6)
        self.config = directory / "latchmail.yaml"
        self.config.write_text(f"""\
hostname: mail.example.org
state-directory: {directory}/state
default-domain: example.org
tls:
  certificate: {self.certificate}
  key: {self.key}
  minimum-version: "{minimum}"
listeners:
  imap: {{implicit: ["127.0.0.1:{self.imaps}"], starttls: ["127.0.0.1:{self.imap}"]}}
  pop3: {{implicit: ["127.0.0.1:{self.pops}"], starttls: ["127.0.0.1:{self.pop}"]}}
  submission: {{implicit: ["127.0.0.1:{self.submissions}"], starttls: ["127.0.0.1:{self.submission}"]}}
""")
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str, stdin: str = "", expect: int = 0) -> str:
        command = [BINARY, *arguments, "--config", self.config]
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
        assert result.returncode == expect, result.stdout + result.stderr
        return result.stdout + result.stderr

    def start(self) -> None:
        log = (self.directory / "log").open("ab")
        self.process = subprocess.Popen([BINARY, "serve", "--config", self.config], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.submission), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.directory / "log").read_text()
                time.sleep(0.05)
        raise AssertionError("the server does not listen")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0
            self.process = None

    def context(self, certificate: Path | None = None) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate or self.certificate))

    def login(self, name: str, password: str, context: ssl.SSLContext | None = None) -> imaplib.IMAP4_SSL:
        client = imaplib.IMAP4_SSL("localhost", self.imaps, ssl_context=context or self.context(), timeout=30)
        client.login(name, password)
        return client


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.command("domain", "add", "example.org")
    made.command("user", "add", "ada@example.org", stdin=PASSWORD + "\n")
    yield made
    made.stop()


def test_every_listener_serves(installation: Installation) -> None:
    """[8314-4-1] [8314-4-4] [8314-4-5] [DEEP-9.2-2b] [DEEP-10.2-2] [8314-3.3-5s]"""
    installation.command("check")
    installation.start()
    context = installation.context()
    message = b"From: ada@example.org\r\nTo: ada@example.org\r\nSubject: one\r\n\r\nHello.\r\n"
    with smtplib.SMTP_SSL("localhost", installation.submissions, context=context, timeout=30) as client:
        client.login("ada", PASSWORD)
        client.sendmail("ada@example.org", ["ada@example.org"], message)
    with smtplib.SMTP("localhost", installation.submission, timeout=30) as client:
        client.starttls(context=context)
        client.login("ada@example.org", PASSWORD)
        client.sendmail("ada@example.org", ["ada@example.org"], message)
    with installation.login("ada", PASSWORD) as client:
        assert client.select("INBOX")[1] == [b"2"]
    with imaplib.IMAP4("localhost", installation.imap, timeout=30) as client:
        client.starttls(context)
        client.login("ada", PASSWORD)
        assert client.select("INBOX")[1] == [b"2"]
    pops = poplib.POP3_SSL("localhost", installation.pops, context=context, timeout=30)
    pops.user("ada")
    pops.pass_(PASSWORD)
    assert pops.stat()[0] == 2
    pops.quit()
    pop = poplib.POP3("localhost", installation.pop, timeout=30)
    pop.stls(context)
    pop.user("ada")
    pop.pass_(PASSWORD)
    assert pop.stat()[0] == 2
    pop.quit()
    installation.stop()
    assert "authenticated" in (installation.directory / "log").read_text()
    assert PASSWORD not in (installation.directory / "log").read_text()
    installation.command("verify")


def test_users_change_while_it_runs(installation: Installation) -> None:
    installation.start()
    installation.command("user", "add", "bob@example.org", stdin="first\n")
    installation.login("bob", "first").logout()
    installation.command("user", "passwd", "bob@example.org", stdin="second\n")
    with pytest.raises(imaplib.IMAP4.error):
        installation.login("bob", "first")
    installation.login("bob", "second").logout()
    assert "bob@example.org" in installation.command("user", "list", "--json")
    installation.command("user", "delete", "bob@example.org")
    with pytest.raises(imaplib.IMAP4.error):
        installation.login("bob", "second")


def test_a_renewed_certificate_is_taken_without_a_break(installation: Installation) -> None:
    """[8314-4.4-1]"""
    installation.start()
    before = installation.login("ada", PASSWORD)
    fresh, key = make_certificate(installation.directory, "second")
    os.replace(fresh, installation.certificate)
    os.replace(key, installation.key)
    assert installation.process is not None
    installation.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while True:
        try:
            installation.login("ada", PASSWORD, installation.context(installation.certificate)).logout()
            break
        except ssl.SSLCertVerificationError:
            assert time.monotonic() < deadline, "the new certificate is not served"
            time.sleep(0.1)
    assert before.noop()[0] == "OK"
    before.logout()


def test_a_bad_certificate_is_refused_and_the_old_one_kept(installation: Installation) -> None:
    installation.start()
    good = installation.certificate.read_bytes()
    installation.certificate.write_text("no certificate")
    assert installation.process is not None
    installation.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    trusted = installation.directory / "good.pem"
    trusted.write_bytes(good)
    installation.login("ada", PASSWORD, installation.context(trusted)).logout()
    assert str(installation.certificate) in (installation.directory / "log").read_text()
    assert "certificate" in installation.command("check", expect=78)


def test_the_minimum_version_can_be_raised(tmp_path: Path) -> None:
    """[2595-2.2-3s] [2595-2.5-1s] [2595-2.5-2] [2595-9-2s]"""
    installation = Installation(tmp_path, minimum="1.3")
    installation.command("domain", "add", "example.org")
    installation.command("user", "add", "ada@example.org", stdin=PASSWORD + "\n")
    installation.start()
    try:
        installation.login("ada", PASSWORD).logout()
        old = installation.context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            installation.login("ada", PASSWORD, old)
        client = imaplib.IMAP4("localhost", installation.imap, timeout=30)
        with pytest.raises(ssl.SSLError):
            client.starttls(old)
    finally:
        installation.stop()


def test_the_standard_ports_are_the_default(tmp_path: Path) -> None:
    """[8314-7.1-1] [8314-7.2-1] [8314-7.3-1] [DEEP-11.3-1] [DEEP-11.4-1] [DEEP-11.5-1]"""
    certificate, key = make_certificate(tmp_path, "only")
    config = tmp_path / "latchmail.yaml"
    config.write_text(f"tls: {{certificate: {certificate}, key: {key}}}\nstate-directory: {tmp_path}/state\n")
    result = subprocess.run([BINARY, "check", "--config", config], capture_output=True, text=True, timeout=60)
    shown = result.stdout + result.stderr
    for port in ("*:993", "*:995", "*:465", "*:143", "*:110", "*:587"):
        assert port in shown, shown


@pytest.mark.parametrize("text", ["hostnme: x\n", "limits: {connections: many}\n", "tls: [1]\n", "a: [\n"])
def test_a_mistake_in_the_configuration_is_named(tmp_path: Path, text: str) -> None:
    config = tmp_path / "latchmail.yaml"
    config.write_text(text)
    for command in ("check", "serve"):
        result = subprocess.run([BINARY, command, "--config", config], capture_output=True, text=True, timeout=60)
        assert result.returncode == 78, result
        assert "latchmail.yaml:" in result.stdout + result.stderr


def test_ending_tls_ends_the_connection(installation: Installation) -> None:
    """After close_notify nothing in the clear is heard. [2595-2.2-2s]"""
    installation.start()
    raw = socket.create_connection(("localhost", installation.imap), 30)
    raw.settimeout(30)
    raw.recv(4096)
    raw.sendall(b"a STARTTLS\r\n")
    assert raw.recv(4096).startswith(b"a OK")
    secure = installation.context().wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=True)
    secure.sendall(b"b NOOP\r\n")
    assert secure.recv(4096).startswith(b"b OK")
    bare = secure.unwrap()
    try:
        bare.sendall(b"c NOOP\r\n")
        heard = bare.recv(4096)
    except OSError:
        heard = b""
    assert heard == b""


def test_message_limit(installation: Installation) -> None:
    """RFC 9738: of a larger mailbox the last messages, and where to go on."""
    with installation.config.open("a") as config:
        config.write("imap: {message-limit: 1000}\n")
    assert "imap.message-limit: 1000" in installation.command("check")
    installation.start()
    with Wire(installation.imaps).secure(installation.context()) as wire:
        wire.until(b"* OK")
        welcome = wire.command(f'a LOGIN ada "{PASSWORD}"\r\n'.encode(), b"a OK")
        assert b" MESSAGELIMIT=1000" in welcome[-1]
        for _ in range(2):
            wire.command(b"b APPEND INBOX" + b" {1+}\r\nx" * 600 + b"\r\n", b"b OK")
        wire.command(b"c SELECT INBOX\r\n", b"c OK")
        *fetched, answer = wire.command(b"d FETCH 1:* UID\r\n", b"d ")
        assert len(fetched) == 1000 and fetched[0] == b"* 201 FETCH (UID 201)\r\n"
        assert answer.startswith(b"d OK [MESSAGELIMIT 1000 201] ")
        (answer,) = wire.command(b"e COPY 1:* Archive\r\n", b"e ")
        assert answer.startswith(b"e NO [MESSAGELIMIT 1000 201] ")
        *_, answer = wire.command(b"f UID FETCH 1:200 UID\r\n", b"f ")
        assert answer.startswith(b"f OK FETCH completed")
