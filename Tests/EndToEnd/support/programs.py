"""Runs foreign programs. A missing program is a failure: Scripts/prepare --tests installs them."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Sequence

from support.server import Account, DemoServer, Service

TIMEOUT = 60


def run(
    command: Sequence[str | Path], *, stdin: bytes = b"", expect: int | None = 0, env: dict[str, str] | None = None,
    seconds: float = TIMEOUT,
) -> subprocess.CompletedProcess[bytes]:
    """Runs it to its end; fails unless it exits with `expect` (None: any)."""
    program = str(command[0])
    assert shutil.which(program), f"{program} is missing: run Scripts/prepare --tests"
    result = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, timeout=seconds,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
    )  # fmt: skip
    if expect is not None and result.returncode != expect:
        shown = b"\n".join([result.stdout[-4000:], result.stderr[-4000:]]).decode(errors="replace")
        said = " ".join(map(str, command))
        raise AssertionError(f"{program} exited with {result.returncode}, not {expect}:\n{said}\n{shown}")
    return result


def curl(
    server: DemoServer, service: Service, path: str, account: Account, *options: str, starttls: bool = False,
    expect: int | None = 0, stdin: bytes = b"", ca: Path | None = None,
) -> bytes:  # fmt: skip
    """curl against one service; returns what it printed."""
    scheme = {"imap": "imap", "pop3": "pop3", "submission": "smtp"}[service.name] + ("" if starttls else "s")
    port = service.starttls if starttls else service.implicit
    command = [
        "curl", "-sS", "--ssl-reqd", "--max-time", "30", "--cacert", str(ca or server.ca),
        "--user", f"{account.login}:{account.password}", *options, f"{scheme}://{server.host}:{port}/{path}",
    ]  # fmt: skip
    return run(command, stdin=stdin, expect=expect).stdout


def write_private(path: Path, text: str) -> Path:
    """A file only its owner can read: msmtp and fetchmail insist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def msmtp(server: DemoServer, account: Account, work: Path, message: bytes, to: Sequence[str], starttls: bool) -> None:
    port = server.submission.starttls if starttls else server.submission.implicit
    config = write_private(
        work / "msmtprc",
        f"account default\nhost {server.name}\nport {port}\nauth plain\nuser {account.login}\n"
        f'password "{account.password}"\nfrom {account.address}\ntls on\ntls_starttls {"on" if starttls else "off"}\n'
        f"tls_trust_file {server.ca}\nundisclosed_recipients off\nset_from_header off\nset_date_header off\n",
    )
    run(["msmtp", "-C", config, "--", *to], stdin=message)


def swaks(server: DemoServer, account: Account, work: Path, message: bytes, to: Sequence[str], starttls: bool) -> None:
    """swaks mends what it is given (final newline, %WORD%) unless told not to; then the data is all ours, dots too."""
    file = work / "swaks.eml"
    file.write_bytes(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
    tls = ["--tls", "--port", str(server.submission.starttls)]
    if not starttls:
        tls = ["--tls-on-connect", "--port", str(server.submission.implicit)]
    command = [
        "swaks", "--server", server.name, *tls, "--tls-verify", "--tls-ca-path", str(server.ca),
        "--auth", "PLAIN", "--auth-user", account.login, "--auth-password", account.password,
        "--from", account.address, "--to", ",".join(to), "--data", f"@{file}", "--no-data-fixup",
    ]  # fmt: skip
    run(command)
