"""The real binary, started as a user starts it: `latchmaild demo --json`."""

import json
import os
import resource
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("LATCHMAILD", ROOT / ".build" / "debug" / "latchmaild"))
PASSWORD = "correct horse 7 battery"

# A debug binary hashes one argon2id password per account before it serves.
START_SECONDS = 60
STOP_SECONDS = 15
# Accounts that tests send from.
GRANTED_ACCOUNTS = 40


@dataclass(frozen=True)
class Account:
    address: str
    login: str
    password: str


@dataclass(frozen=True)
class Service:
    """Where one protocol listens."""

    name: str
    implicit: int
    starttls: int


class DemoServer:
    """A running server. Use as a context manager: leaving it stops the server and checks that it stopped cleanly."""

    def __init__(
        self, state: Path, accounts: int = 4, password: str = PASSWORD, through: tuple[str, ...] = ()
    ) -> None:
        """`through` is a command that starts another, which is given behind it."""
        assert BINARY.exists(), f"{BINARY} is missing: swift build"
        self.state = state
        self.log_path = state.with_name(state.name + ".log")
        self.log_file = self.log_path.open("ab")
        command = [*through, BINARY, "demo", "--json", "--state", state, "--accounts", str(accounts), "--password", password]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log_file, preexec_fn=raise_file_limit
        )
        try:
            self.described = json.loads(self.first_line())
        except BaseException:
            self.kill()
            raise
        self.host: str = self.described["host"]
        self.ca = Path(self.described["ca"])
        self.imap, self.pop3, self.submission = (
            Service(name, **self.described["services"][name]) for name in ("imap", "pop3", "submission")
        )
        self.accounts = [Account(**account) for account in self.described["accounts"]]
        # Samples are written by others than who sends them.
        for account in self.accounts[:GRANTED_ACCOUNTS]:
            self.command("user", "grant", account.address, "@example.org")

    def command(self, *arguments: str) -> str:
        """An operator's command to the running server."""
        done = subprocess.run([BINARY, *arguments, "--state", self.state], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # The demo's certificate names it too; some foreign programs cannot verify an address.
    name = "localhost"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def services(self) -> list[Service]:
        return [self.imap, self.pop3, self.submission]

    def first_line(self) -> bytes:
        """The JSON line; fails with the log when the server ends or stays silent."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                raise AssertionError(f"{BINARY} printed {line!r} and no more; its log:\n{self.log()}")
            line += piece
        return line

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def resident_kib(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("the server is gone")

    def stop(self) -> int:
        """Ctrl-C. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop within {STOP_SECONDS} s of SIGINT; its log:\n{self.log()}")
        finally:
            self.close_files()

    def kill(self) -> None:
        """Pulls the plug."""
        self.process.kill()
        self.process.wait()
        self.close_files()

    def close_files(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log_file.close()

    def __enter__(self) -> "DemoServer":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            code = self.stop()
            assert code == 0, f"the server exited with {code}; its log:\n{self.log()}"


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def verify_store(state: Path) -> subprocess.CompletedProcess[str]:
    """Runs the operator's check of mail at rest on a stopped server's state."""
    command = [BINARY, "verify", "--store", state / "store"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)
