"""mbsync, OfflineIMAP, getmail, fetchmail, mutt and NeoMutt: how each is set up, run, and where it leaves mail."""

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

from support.programs import TIMEOUT, run, write_private
from support.server import Account, DemoServer


def mbsync(server: DemoServer, account: Account, work: Path, starttls: bool = False) -> Path:
    """Syncs the whole account with a Maildir, both ways; returns the Maildir of INBOX."""
    port = server.imap.starttls if starttls else server.imap.implicit
    maildir = work / "Maildir"
    maildir.mkdir(parents=True, exist_ok=True)
    config = write_private(
        work / "mbsyncrc",
        f"IMAPAccount demo\nHost {server.name}\nPort {port}\nUser {account.login}\n"
        f'Pass "{account.password}"\nSSLType {"STARTTLS" if starttls else "IMAPS"}\n'
        f"CertificateFile {server.ca}\nAuthMechs LOGIN PLAIN\nTimeout 30\n\n"
        f"IMAPStore far\nAccount demo\n\n"
        f"MaildirStore near\nPath {maildir}/\nInbox {maildir}/INBOX\nSubFolders Verbatim\n\n"
        f"Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSync All\nSyncState *\n",
    )
    run(["mbsync", "-c", config, "-a"], env={"HOME": str(work)})
    return maildir / "INBOX"


def offlineimap(server: DemoServer, account: Account, work: Path, starttls: bool = False) -> Path:
    """Syncs the whole account with a Maildir, both ways; returns the Maildir of INBOX."""
    port = server.imap.starttls if starttls else server.imap.implicit
    maildir = work / "Maildir"
    config = write_private(
        work / "offlineimaprc",
        f"[general]\naccounts = demo\nmetadata = {work}/offlineimap\nui = basic\nsocktimeout = 30\n"
        f"[Account demo]\nlocalrepository = near\nremoterepository = far\n"
        f"[Repository near]\ntype = Maildir\nlocalfolders = {maildir}\n"
        f"[Repository far]\ntype = IMAP\nremotehost = {server.name}\nremoteport = {port}\n"
        f"remoteuser = {account.login}\nremotepass = {account.password}\nauth_mechanisms = PLAIN, LOGIN\n"
        f"ssl = {'no' if starttls else 'yes'}\nstarttls = {'yes' if starttls else 'no'}\n"
        f"sslcacertfile = {server.ca}\n",
    )
    run(["offlineimap", "-c", config, "-o"], env={"HOME": str(work)})
    return maildir / "INBOX"


def getmail(server: DemoServer, account: Account, work: Path, protocol: str, delete: bool) -> list[bytes]:
    """Retrieves INBOX into files; returns them."""
    inbox = work / "getmail"
    inbox.mkdir(exist_ok=True)
    kind = {"imap": "SimpleIMAPSSLRetriever", "pop3": "SimplePOP3SSLRetriever"}[protocol]
    service = server.imap if protocol == "imap" else server.pop3
    mailboxes = 'mailboxes = ("INBOX",)\n' if protocol == "imap" else ""
    config = write_private(
        work / "getmailrc",
        f"[retriever]\ntype = {kind}\nserver = {server.name}\nport = {service.implicit}\n"
        f"username = {account.login}\npassword = {account.password}\nca_certs = {server.ca}\n{mailboxes}"
        f"[destination]\ntype = MDA_external\npath = /bin/sh\nallow_root_commands = true\n"
        f"arguments = ('-c', 'cat > {inbox}/$$')\n"
        f"[options]\nread_all = false\ndelete = {'true' if delete else 'false'}\n"
        f"delivered_to = false\nreceived = false\n",
    )
    run(["getmail", f"--getmaildir={work}", f"--rcfile={config.name}"], env={"HOME": str(work)})
    return [path.read_bytes() for path in sorted(inbox.iterdir())]


def maildir_messages(maildir: Path) -> list[Path]:
    return sorted([*(maildir / "new").iterdir(), *(maildir / "cur").iterdir()])


def without_mark(raw: bytes) -> bytes:
    """A carried message, without the field that mbsync (X-TUID) or getmail puts into each."""
    marks = (b"X-TUID: ", b"X-getmail-retrieved-from-mailbox: ")
    return b"".join(line for line in raw.splitlines(keepends=True) if not line.startswith(marks))


def fetchmail(
    server: DemoServer, account: Account, work: Path, protocol: str, starttls: bool = False, keep: bool = False
) -> list[bytes]:  # fmt: skip
    """Pulls everything with an MDA that writes files; returns what it was given. Empties the mailbox unless `keep`."""
    service = server.imap if protocol == "imap" else server.pop3
    port = service.starttls if starttls else service.implicit
    inbox = work / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    security = "sslproto TLS1.2+" if starttls else "ssl"
    config = write_private(
        work / "fetchmailrc",
        f'set no bouncemail\nset no syslog\nset invisible\npoll {server.name} service {port} protocol {protocol}\n'
        f'  user "{account.login}" password "{account.password}" {security}\n'
        f'  sslcertck sslcertfile "{server.ca}" fetchall {"keep" if keep else "no keep"} no rewrite\n'
        f"  mda \"sh -c 'cat >{inbox}/$$.$(date +%N)'\"\n",
    )
    run(["fetchmail", "-f", config, "--pidfile", work / "pid", "-i", work / "ids"], env={"HOME": str(work)})
    return [path.read_bytes() for path in sorted(inbox.iterdir())]


def write_muttrc(server: DemoServer, account: Account, work: Path, starttls: bool) -> Path:
    port = server.imap.starttls if starttls else server.imap.implicit
    submission = server.submission.starttls if starttls else server.submission.implicit
    scheme = "" if starttls else "s"
    return write_private(
        work / "muttrc",
        f'set imap_user="{account.login}"\nset imap_pass="{account.password}"\n'
        f'set smtp_pass="{account.password}"\nset smtp_authenticators="plain"\n'
        f'set folder="imap{scheme}://{server.name}:{port}/"\nset spoolfile="+INBOX"\n'
        f'set smtp_url="smtp{scheme}://{account.login}@{server.name}:{submission}/"\n'
        f'set certificate_file="{server.ca}"\nset ssl_starttls=yes\nset ssl_force_tls=yes\n'
        f'set from="{account.address}"\nset realname="Mutt User"\nset use_from=yes\nset copy=no\n'
        f'set record=""\nset header_cache=""\nset message_cachedir=""\nset net_inc=0\nset wait_key=no\n'
        f'set pipe_decode=no\nset pipe_split=yes\nset pipe_sep=""\nset send_charset="us-ascii:utf-8"\n'
        f'set confirmappend=no\nset quit=yes\nset mark_old=no\n',
    )


def mutt_send(
    server: DemoServer, account: Account, work: Path, subject: str, body: bytes, to: str, *attached: Path,
    starttls: bool = False, program: str = "mutt",
) -> None:  # fmt: skip
    config = write_muttrc(server, account, work, starttls)
    options = ["-a", *attached, "--"] if attached else ["--"]
    run([program, "-n", "-F", config, "-s", subject, *options, to], stdin=body, env={"HOME": str(work)})


def mutt_read(
    server: DemoServer, account: Account, work: Path, starttls: bool = False, program: str = "mutt"
) -> list[bytes]:  # fmt: skip
    """Opens INBOX on a terminal, pipes each message into a file of its own, quits; returns the files."""
    config = write_muttrc(server, account, work, starttls)
    out = work / "piped"
    out.mkdir()
    script = write_private(work / "keep.sh", f"#!/bin/sh\ncat >{out}/$$\n")
    script.chmod(0o700)
    keys = f'push "<tag-pattern>~A<enter><tag-prefix><pipe-message>{script}<enter><exit>"'
    on_terminal([program, "-n", "-F", str(config), "-R", "-e", keys], work)
    return [path.read_bytes() for path in sorted(out.iterdir())]


def on_terminal(command: list[str], home: Path) -> None:
    """Runs a program that insists on a terminal; it must exit with 0 by itself."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="vt100", HOME=str(home), LC_ALL="C.UTF-8", LINES="24", COLUMNS="80")
        os.execvp(command[0], command)
    shown = read_terminal(pid, terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown[-2000:].decode(errors="replace")


def read_terminal(pid: int, terminal: int) -> bytes:
    """Reads until the program hangs up; kills it when its time is over."""
    deadline, shown = time.monotonic() + TIMEOUT, b""
    while True:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        try:
            piece = os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux's way of saying that the other side hung up
            piece = b""
        shown += piece
        if not piece:
            break
    if time.monotonic() >= deadline:
        print(shown.decode(errors="replace"), file=sys.stderr)
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return shown
