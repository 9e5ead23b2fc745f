"""aerc and alpine: mail readers that live on a terminal, driven by what they show."""

import os
from pathlib import Path

import pexpect

from support.programs import write_private
from support.server import Account, DemoServer

PATIENCE = 30


def spawn(server: DemoServer, home: Path, program: str, *arguments: str, **environment: str) -> pexpect.spawn:
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": str(home), "SSL_CERT_FILE": str(server.ca)}
    return pexpect.spawn(
        program, list(arguments), env={**env, **environment}, dimensions=(40, 120), timeout=PATIENCE, encoding="utf-8"
    )


def aerc_read(server: DemoServer, account: Account, work: Path, subject: str) -> bytes:
    """Opens INBOX, waits for the message with this subject, pipes the selected message to a file; returns the file."""
    folder = work / "aerc"
    folder.mkdir(mode=0o700)
    password = account.password.replace(" ", "%20")
    write_private(
        folder / "accounts.conf",
        f"[demo]\nsource = imaps://{account.login}:{password}@{server.name}:{server.imap.implicit}\n"
        f"default = INBOX\nfrom = {account.address}\ncopy-to = Sent\n",
    )
    piped = work / "aerc.eml"
    reader = spawn(server, work, "aerc", XDG_CONFIG_HOME=str(work))
    try:
        reader.expect(subject)
        reader.send(f":pipe -b -m sh -c 'cat > {piped}.part && mv {piped}.part {piped}'\r")
        wait_for(piped, reader)
        reader.send(":flag\r")
        reader.send(":quit\r")
        reader.expect(pexpect.EOF)
    finally:
        reader.close(force=True)
    return piped.read_bytes()


def alpine_read(server: DemoServer, account: Account, work: Path, subject: str) -> bytes:
    """Opens INBOX, exports the message with this subject, marks it deleted, expunges and quits; returns the file."""
    config = write_private(
        work / "pinerc",
        f"inbox-path={{{server.name}:{server.imap.implicit}/ssl/user={account.login}}}INBOX\n"
        f"user-domain=example.org\nlast-version-used=99.99\n"
        f"feature-list=quit-without-confirm,expunge-without-confirm,disable-password-file-saving,"
        f"disable-password-caching\n",
    )
    exported = work / "alpine.eml"
    reader = spawn(server, work, "alpine", "-p", str(config), "-I", "i")
    try:
        reader.expect("PASSWORD:")
        reader.send(account.password + "\r")
        reader.expect(subject)
        reader.send("e")
        reader.expect("EXPORT:")
        reader.send("\x15" + str(exported) + "\r")
        wait_for(exported, reader)
        reader.send("d")
        reader.send("q")
        reader.expect(pexpect.EOF)
    finally:
        reader.close(force=True)
    return exported.read_bytes()


def wait_for(path: Path, reader: pexpect.spawn) -> None:
    """Lets the program draw until it has written a file."""
    for _ in range(PATIENCE * 10):
        if path.exists() and path.stat().st_size > 0:
            return
        try:
            reader.expect(pexpect.EOF, timeout=0.1)
        except pexpect.TIMEOUT:
            continue
        break
    raise AssertionError(f"{path.name} was not written:\n{reader.before}")
