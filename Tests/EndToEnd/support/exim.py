"""Exim, unpacked by Scripts/prepare --tests and run from there as the user `mail`; needs root, to become that user.

It takes mail for `domains` into a Maildir, or hands it on by LMTP; with `login` it wants AUTH, and takes mail for all.
Of mail that it was asked to tell of, it tells by LMTP to `notices`.
"""

import os
import shutil
from pathlib import Path

from .authority import Certificate
from .processes import PEERS, Foreign, free_ports, listens, wait_until

ROOT = PEERS / "exim" / "root"
PROGRAM = ROOT / "usr/sbin/exim4"
LIBRARIES = f"{ROOT}/usr/lib:{ROOT}/usr/lib/x86_64-linux-gnu"

MAIN = """\
keep_environment = LD_LIBRARY_PATH
exim_path = {directory}/exim4
exim_user = mail
exim_group = mail
deliver_drop_privilege
primary_hostname = {name}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%slog
log_selector = +all
pid_file_path = {directory}/pid
local_interfaces = 127.0.0.1.{port} : 127.0.0.1.{implicit}
tls_on_connect_ports = {implicit}
host_lookup =
rfc1413_query_timeout = 0s
smtp_enforce_sync = true
smtp_accept_max = 100
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
chunking_advertise_hosts = {chunking}
message_size_limit = 0
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt
{tls}

begin acl
check_mail:
  {encrypted}
  accept
check_rcpt:
  deny message = 550 5.1.1 no such user
       local_parts = nobody
       domains = {domains}
  accept authenticated = *
  accept domains = {domains}
  deny message = 550 5.7.1 no relaying

begin routers
notices:
  driver = accept
  senders = :
  condition = ${{if !eq{{$domain}}{{{domains}}}}}
  transport = notices
all:
  driver = accept
  transport = {transport}

begin transports
maildir:
  driver = appendfile
  maildir_format
  create_directory
  directory = {directory}/mail
lmtp_socket:
  driver = lmtp
  socket = {lmtp}
  batch_max = 100
lmtp_loopback:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  hosts_override
  allow_localhost
  port = {lmtp}
notices:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  hosts_override
  allow_localhost
  port = {notices}

begin retry
* * F,1h,1s

begin authenticators
{login}
"""

LOGIN = """\
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


class Exim:
    available = os.geteuid() == 0 and PROGRAM.exists()

    def __init__(
        self, directory: Path, name: str = "exim.example", domains: str = "right.example", port: int | None = None,
        certificate: Certificate | None = None, encrypted: bool = False, login: tuple[str, str] | None = None,
        lmtp: Path | int | None = None, notices: int = 9, chunking: bool = True,
    ) -> None:  # fmt: skip
        """`lmtp` is a socket's path or a loopback port."""
        for part in ("", "spool", "log", "mail"):
            (directory / part).mkdir(parents=True, exist_ok=True)
            shutil.chown(directory / part, "mail", "mail")
        # It runs as another user, below directories that pytest keeps to itself.
        for parent in directory.parents:
            if parent.owner() == "root" and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        # Debian's is set-user-ID: such programs are given no libraries.
        shutil.copyfile(PROGRAM, directory / "exim4")
        (directory / "exim4").chmod(0o755)
        self.directory = directory
        ports = free_ports(2)
        self.port, self.implicit = port or ports[0], ports[1]
        tls = "tls_advertise_hosts ="
        if certificate is not None:
            key = directory / "key"
            key.write_bytes(certificate.key.read_bytes())
            shutil.chown(key, "mail", "mail")
            key.chmod(0o400)
            chain = directory / "chain"
            chain.write_bytes(certificate.chain.read_bytes())
            tls = f"tls_advertise_hosts = *\ntls_certificate = {chain}\ntls_privatekey = {key}"
        transport = "maildir" if lmtp is None else "lmtp_socket" if isinstance(lmtp, Path) else "lmtp_loopback"
        (directory / "conf").write_text(MAIN.format(
            directory=directory, name=name, domains=domains, port=self.port, implicit=self.implicit, tls=tls,
            encrypted="deny message = 530 5.7.0 encryption needed\n       !encrypted = *" if encrypted else "",
            transport=transport, lmtp=lmtp or 9, notices=notices, chunking="*" if chunking else "",
            login=LOGIN.format(user=login[0], password=login[1]) if login else "",
        ))  # fmt: skip
        self.start()

    def start(self) -> None:
        command = ["setpriv", "--reuid=mail", "--regid=mail", "--clear-groups"]
        command += [str(self.directory / "exim4"), "-C", str(self.directory / "conf"), "-bdf", "-q1s"]
        self.process = Foreign(command, self.directory, {"LD_LIBRARY_PATH": LIBRARIES})
        self.process.wait_for(lambda: listens(self.port), "Exim")

    def stop(self) -> None:
        self.process.stop()

    def __enter__(self) -> "Exim":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted((self.directory / "log").iterdir()))

    def mail(self) -> list[bytes]:
        """All that was delivered, with LF line ends, as Maildirs have them."""
        return [path.read_bytes() for path in sorted((self.directory / "mail/new").glob("*"))]

    def wait_for_mail(self, count: int = 1, seconds: float = 60) -> list[bytes]:
        wait_until(lambda: len(self.mail()) >= count, f"{count} messages at Exim: {self.directory}/log", seconds)
        return self.mail()
