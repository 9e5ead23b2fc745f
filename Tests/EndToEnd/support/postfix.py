"""Postfix, unpacked by Scripts/prepare --tests and run from there as child processes; needs root, as Postfix does.

It takes mail for `domains` into Maildirs, or hands it on by LMTP; with `login` it wants SASL, answered by a thread here.
"""

import os
import shutil
import socket
import threading
from base64 import b64decode
from pathlib import Path

from .authority import Certificate
from .processes import PEERS, Foreign, free_ports, listens, wait_until

ROOT = PEERS / "postfix" / "root"

MAIN = """\
compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = no
meta_directory = {directory}/etc
mail_owner = mail
setgid_group = daemon
import_environment = MAIL_CONFIG={directory}/etc LD_LIBRARY_PATH={libraries}
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
inet_interfaces = all
inet_protocols = ipv4
smtp_host_lookup = native
myhostname = {name}
mydestination =
mynetworks =
alias_maps =
alias_database =
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = {catch_all}
virtual_minimum_uid = 1
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_transport = {transport}
default_transport = {default_transport}
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtputf8_enable = yes
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
"""

TLS = """\
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_security_level = {level}
smtpd_tls_session_cache_database =
"""

LOGIN = """\
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {directory}/login
smtpd_tls_auth_only = yes
"""

MASTER = """\
{host}:{port} inet n - n - - smtpd
{implicit}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""

QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()


class Postfix:
    available = os.geteuid() == 0 and (ROOT / "usr/lib/postfix/sbin/master").exists()

    def __init__(
        self, directory: Path, name: str = "postfix.example", domains: str = "right.example", host: str = "127.0.0.1",
        port: int | None = None, certificate: Certificate | None = None, level: str = "may", transport: str = "virtual",
        login: tuple[str, str] | None = None, extra: str = "",
    ) -> None:  # fmt: skip
        directory.mkdir(parents=True)
        # Its processes run as others, below directories that pytest keeps to itself.
        for parent in (directory, *directory.parents):
            if parent.owner() == "root" and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        self.directory, self.host = directory, host
        self.port, self.implicit = port or free_ports(1)[0], free_ports(1)[0]
        self.responder = LoginResponder(directory / "login", *login) if login else None
        libraries = f"{ROOT}/usr/lib/postfix:{ROOT}/usr/lib/x86_64-linux-gnu"
        self.environment = {"LD_LIBRARY_PATH": libraries, "MAIL_CONFIG": f"{directory}/etc"}
        self.lay_out()
        configuration = MAIN.format(
            directory=directory, root=ROOT, libraries=libraries, name=name, domains=domains, transport=transport,
            catch_all="static:all/" if transport == "virtual" else "static:all", default_transport="smtp" if login is None else "discard",
        )  # fmt: skip
        if certificate is not None:
            configuration += TLS.format(key=certificate.key, chain=certificate.chain, level=level)
        if login:
            configuration += LOGIN.format(directory=directory)
        (directory / "etc/main.cf").write_text(configuration + extra)
        wrapped = f"{host}:{self.implicit} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes" if certificate else ""
        (directory / "etc/master.cf").write_text(MASTER.format(host=host, port=self.port, implicit=wrapped))
        self.start()

    def lay_out(self) -> None:
        for part in ("etc", "data", "mail", "spool", *(f"spool/{queue}" for queue in QUEUES), "spool/pid"):
            (self.directory / part).mkdir()
        for part in ("data", "mail", *(f"spool/{queue}" for queue in QUEUES)):
            shutil.chown(self.directory / part, "mail", "mail")
        for part, mode in (("maildrop", 0o730), ("public", 0o710)):
            path = self.directory / "spool" / part
            path.mkdir()
            shutil.chown(path, "mail", "daemon")
            path.chmod(mode)

    def start(self) -> None:
        program = f"{ROOT}/usr/lib/postfix/sbin/master"
        self.process = Foreign(
            [program, "-d", "-c", self.directory / "etc"], self.directory / "spool", self.environment
        )  # fmt: skip
        self.process.wait_for(lambda: listens(self.port, self.host), "Postfix")

    def stop(self) -> None:
        self.process.stop()
        if self.responder:
            self.responder.stop()

    def __enter__(self) -> "Postfix":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self) -> str:
        path = self.directory / "log"
        return (path.read_text(errors="replace") if path.exists() else "") + self.process.log()

    def mail(self) -> list[bytes]:
        """All that was delivered, with LF line ends, as Maildirs have them."""
        return [path.read_bytes() for path in sorted((self.directory / "mail/all/new").glob("*"))]

    def wait_for_mail(self, count: int = 1, seconds: float = 60) -> list[bytes]:
        wait_until(lambda: len(self.mail()) >= count, f"{count} messages at Postfix: {self.directory}/log", seconds)
        return self.mail()


class LoginResponder:
    """Dovecot's authentication protocol, as far as Postfix speaks it: PLAIN alone, one user."""

    def __init__(self, path: Path, user: str, password: str) -> None:
        self.expected = f"\0{user}\0{password}".encode()
        self.user = user
        self.attempts: list[bytes] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o666)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            stream.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00112233445566778899aabbccddeeff\nDONE\n")
            stream.flush()
            for line in stream:
                words = line.rstrip(b"\n").split(b"\t")
                if words[0] != b"AUTH":
                    continue
                response = next((word[5:] for word in words if word.startswith(b"resp=")), b"")
                self.attempts.append(b64decode(response))
                if self.attempts[-1] == self.expected:
                    stream.write(b"OK\t%s\tuser=%s\n" % (words[1], self.user.encode()))
                else:
                    stream.write(b"FAIL\t%s\n" % words[1])
                stream.flush()

    def stop(self) -> None:
        self.listener.close()
