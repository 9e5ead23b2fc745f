"""Foreign servers as child processes: each in a group of its own, ended by that group, never by a name."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Sequence

from .server import ROOT

PEERS = ROOT / ".build" / "peers"


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind((host, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """The machine may be busy: the limit is generous, and reached only when something is wrong."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Foreign:
    """A running program that others wrote."""

    def __init__(self, command: Sequence[str | Path], directory: Path, environment: dict[str, str] | None = None) -> None:
        self.log_path = directory / "output"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        def settled() -> bool:
            assert self.process.poll() is None, f"it ended: {self.log()}"
            return bool(condition())

        wait_until(settled, f"{what}: {self.log_path}")

    def stop(self, patience: float = 10) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        # What it left behind in its group.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
