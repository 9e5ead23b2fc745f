"""An installation of this server as an operator makes it, with relaying, delivery and filters as a test wants them."""

import imaplib
import json
import os
import signal
import smtplib
import ssl
import subprocess
from pathlib import Path
from typing import Any

from .authority import Authority
from .processes import free_ports, listens, wait_until
from .server import BINARY, raise_file_limit

PASSWORD = "correct horse"


class Site:
    """`users` are local parts at `domain`. `configuration` goes on top of what every test needs."""

    def __init__(
        self, directory: Path, authority: Authority, domain: str = "example.org", users: tuple[str, ...] = ("ada", "bob"),
        **configuration: Any,
    ) -> None:  # fmt: skip
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.authority, self.domain = directory, authority, domain
        self.hostname = f"mail.{domain}"
        certificate = authority.issue(self.hostname, "localhost")
        self.imaps, self.submissions, self.submission, self.lmtp = free_ports(4)
        self.log_path, self.process = directory / "log", None
        self.settings: dict[str, Any] = {
            "hostname": self.hostname,
            "state-directory": str(directory / "state"),
            "default-domain": domain,
            "tls": {
                "certificate": str(certificate.chain), "key": str(certificate.key),
                "trust-roots": str(authority.certificate),
            },
            "listeners": {
                "imap": {"implicit": [f"127.0.0.1:{self.imaps}"], "starttls": []},
                "pop3": {"implicit": [], "starttls": []},
                "submission": {
                    "implicit": [f"127.0.0.1:{self.submissions}"], "starttls": [f"127.0.0.1:{self.submission}"],
                },
            },
            "queue": {"first-retry": "1 s", "longest-retry": "1 s"},
            "log": {"level": "debug"},
        }  # fmt: skip
        merge(self.settings, configuration)
        self.write()
        self.command("domain", "add", domain)
        for user in users:
            self.command("user", "add", f"{user}@{domain}", stdin=PASSWORD + "\n")

    def write(self) -> None:
        """YAML holds JSON."""
        self.config = self.directory / "latchmail.yaml"
        self.config.write_text(json.dumps(self.settings, indent=1))

    def command(self, *arguments: str, stdin: str = "", expect: int = 0) -> str:
        done = subprocess.run(
            [BINARY, *arguments, "--config", self.config], input=stdin, capture_output=True, text=True, timeout=120
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def start(self) -> "Site":
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", self.config], stdout=log, stderr=log, preexec_fn=raise_file_limit
            )  # fmt: skip

        def serves() -> bool:
            assert self.process is not None and self.process.poll() is None, self.log()
            return listens(self.submissions)

        wait_until(serves, f"the server serves: {self.log_path}")
        return self

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(60)
            self.process = None
            assert code == 0, self.log()

    def kill(self) -> None:
        """Pulls the plug."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def __enter__(self) -> "Site":
        return self.start() if self.process is None else self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What users do

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.certificate))

    def smtp(self, user: str = "ada") -> smtplib.SMTP_SSL:
        client = smtplib.SMTP_SSL("localhost", self.submissions, context=self.context(), timeout=60)
        client.login(f"{user}@{self.domain}", PASSWORD)
        return client

    def submit(
        self, recipients: str | list[str], message: bytes, sender: str = "ada", options: tuple[str, ...] = ()
    ) -> None:  # fmt: skip
        with self.smtp(sender) as client:
            refused = client.sendmail(f"{sender}@{self.domain}", recipients, message, mail_options=options)
            assert refused == {}

    def mailbox(self, user: str, name: str = "INBOX") -> list[bytes]:
        with imaplib.IMAP4_SSL("localhost", self.imaps, ssl_context=self.context(), timeout=60) as client:
            client.login(f"{user}@{self.domain}", PASSWORD)
            # One number for each time that mail came meanwhile.
            kind, counts = client.select(name, readonly=True)
            if kind != "OK" or not int(counts[-1] or 0):
                return []
            _, data = client.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in data if isinstance(part, tuple)]

    def wait_for_mail(self, user: str, count: int = 1, seconds: float = 60, name: str = "INBOX") -> list[bytes]:
        wait_until(lambda: len(self.mailbox(user, name)) >= count, f"{count} messages for {user}: {self.log_path}", seconds)
        return self.mailbox(user, name)

    def queue(self) -> str:
        return self.command("queue", "list")


def merge(base: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        key = key.replace("_", "-")
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
