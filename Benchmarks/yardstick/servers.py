"""The servers under the yardstick: each a private one on loopback ports, with the same certificate and the same users."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .meter import ControlGroup, Meter

PASSWORD = "yardstick-password"
# Of PASSWORD, at the cost latchmaild gives new passwords; every server checks this same one.
VERIFIER = "$argon2id$v=19$m=19456,t=2,p=1$eWFyZHN0aWNrLXNhbHQuLg$4WGR0ZUiiZadSn+NesOp2xSmyr1H4EEeF29NLBczLfI"
DOMAIN = "bench.test"

# The server gets the first processor, the client the second, where there are two.
SERVER_PROCESSOR, CLIENT_PROCESSOR = 0, 1


class ServerFailed(Exception):
    pass


class Certificate:
    """An authority and an ECDSA P-256 certificate for localhost, made once per directory by openssl(1)."""

    def __init__(self, directory: Path) -> None:
        self.authority = directory / "authority.pem"
        self.chain = directory / "server.pem"
        self.key = directory / "server.key"
        if self.chain.exists():
            return
        directory.mkdir(parents=True, exist_ok=True)
        self._make(directory)

    def _make(self, directory: Path) -> None:
        authority_key = directory / "authority.key"
        for key in (authority_key, self.key):
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(key))
            key.chmod(0o600)
        subject = ["-subj", "/CN=yardstick authority", "-days", "3650"]
        run("openssl", "req", "-x509", "-new", "-key", str(authority_key), "-out", str(self.authority), *subject)
        request = directory / "server.csr"
        run("openssl", "req", "-new", "-key", str(self.key), "-subj", "/CN=localhost", "-out", str(request))
        extensions = directory / "extensions"
        extensions.write_text(
            "basicConstraints=CA:false\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
            "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
        )
        signer = ["-CA", str(self.authority), "-CAkey", str(authority_key), "-CAcreateserial", "-days", "800"]
        run("openssl", "x509", "-req", "-in", str(request), *signer, "-out", str(self.chain), "-extfile", str(extensions))


def run(*command: str, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def forget_pages() -> None:
    """Empties the page cache, where this process may: what follows reads the disk."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        pass


class Server:
    """One running server. `ports` names what it speaks: imap, pop3, submission, with TLS from the first octet; lmtp, without."""

    name = ""
    version = ""

    def __init__(self, directory: Path, certificate: Certificate) -> None:
        self.directory = directory
        self.certificate = certificate
        self.ports: dict[str, int] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.group = ControlGroup(f"yardstick-{self.name}-{os.getpid()}")
        directory.mkdir(parents=True, exist_ok=True)

    def add_users(self, names: list[str], first_logins: list[str]) -> None:
        """`first_logins` have VERIFIER; the others what costs this server least after their first login."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def forget(self) -> None:
        """Removes derived state that first listing builds. Called while the server is down."""

    @property
    def meter(self) -> Meter:
        if self.process is None:
            raise ServerFailed(f"{self.name} is not running")
        return Meter(self.process.pid, self.group)

    def start(self) -> None:
        def settle_in() -> None:
            self.group.enter()
            if (os.cpu_count() or 1) > CLIENT_PROCESSOR:
                os.sched_setaffinity(0, {SERVER_PROCESSOR})

        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=settle_in
            )
        self._wait_until_listening()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + 30
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                        raise ServerFailed(f"{self.name} does not listen; see {self.directory / 'output'}") from None
                    time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart_cold(self) -> None:
        self.stop()
        self.forget()
        forget_pages()
        self.start()

    def close(self) -> None:
        self.stop()
        time.sleep(0.5)
        self.group.remove()


class Latchmaild(Server):
    name = "latchmaild"

    def __init__(self, directory: Path, certificate: Certificate, binary: Path) -> None:
        super().__init__(directory, certificate)
        self.binary = binary
        self.version = "latchmaild " + run(str(binary), "--version").strip()
        self.ports = {"imap": free_port(), "pop3": free_port(), "submission": free_port(), "lmtp": free_port()}
        self.configuration = directory / "latchmaild.yaml"
        listeners = "".join(
            f"  {protocol}:\n    implicit: ['127.0.0.1:{port}']\n    starttls: []\n"
            for protocol, port in self.ports.items() if protocol != "lmtp"
        ) + f"  lmtp:\n    loopback: ['127.0.0.1:{self.ports['lmtp']}']\n"
        self.configuration.write_text(
            f"hostname: localhost\nstate-directory: {directory / 'state'}\ndefault-domain: {DOMAIN}\n"
            f"{'run-as: root' if os.geteuid() == 0 else ''}\n"
            f"tls:\n  certificate: {certificate.chain}\n  key: {certificate.key}\nlisteners:\n{listeners}"
            "submission:\n  messages-per-hour: none\n  recipients-per-day: none\n"
            "limits:\n  connections: 20000\n  connections-per-address: 20000\nlog:\n  level: info\n"
        )
        (directory / "state").mkdir(mode=0o700, exist_ok=True)

    def command(self) -> list[str]:
        return [str(self.binary), "serve", "--config", str(self.configuration)]

    def add_users(self, names: list[str], first_logins: list[str]) -> None:
        users = self.directory / "users"
        users.write_text("".join(f"{name}@{DOMAIN}:{{ARGON2ID}}{VERIFIER}\n" for name in names + first_logins))
        users.chmod(0o600)
        configuration = ["--config", str(self.configuration)]
        run(str(self.binary), "domain", "add", DOMAIN, *configuration)
        run(str(self.binary), "user", "import", str(users), *configuration)
