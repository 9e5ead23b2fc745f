"""Dovecot as a peer: Debian's packages, unpacked below .build/peers and run from there, never installed.

Its high-performance login mode and its sdbox store are used: the cheapest it offers. It must be started as root, because
it gives up its rights to two system users.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .servers import PASSWORD, VERIFIER, Certificate, Server, ServerFailed, free_port, run

PACKAGES = ["dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd"]

CONFIGURATION = """\
base_dir = {run}
state_dir = {state}
libexec_dir = {root}/usr/lib/dovecot
mail_plugin_dir = {root}/usr/lib/dovecot/modules
import_environment = LD_LIBRARY_PATH={libraries}
protocols = imap pop3 lmtp
listen = 127.0.0.1
log_path = {directory}/log
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
mail_location = sdbox:{directory}/mail/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
auth_mechanisms = plain
auth_failure_delay = 0
auth_username_format = %Ln
ssl = required
ssl_cert = <{chain}
ssl_key = <{key}
mail_max_userip_connections = 20000
default_vsz_limit = 2G
passdb {{
  driver = passwd-file
  args = username_format=%n {directory}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={directory}/mail/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service anvil {{
  client_limit = 15000
  chroot =
}}
service auth {{
  client_limit = 15000
}}
service stats {{
  client_limit = 15000
  chroot =
}}
"""

# service_count = 0: one login process serves many connections; by default each is a process of its own.
PROTOCOL = """\
service {protocol} {{
  process_limit = 10000
}}
service {protocol}-login {{
  chroot =
  service_count = 0
  process_min_avail = 2
  client_limit = 8000
  inet_listener {protocol} {{
    port = 0
  }}
  inet_listener {protocol}s {{
    port = {port}
    ssl = yes
  }}
}}
"""


# By TCP, without TLS.
LMTP = """\
service lmtp {{
  process_min_avail = 2
  process_limit = 100
  inet_listener lmtp {{
    port = {port}
  }}
}}
"""


def unpack(directory: Path, packages: list[str], program: str) -> Path:
    """Downloads what is not there yet, with whatever libraries this machine lacks; the root they are unpacked into."""
    root = directory / "root"
    if (root / program).exists():
        return root
    downloads = directory / "packages"
    downloads.mkdir(parents=True, exist_ok=True)
    plan = run("apt-get", "-s", "--no-install-recommends", "install", *packages)
    wanted = sorted(set(packages) | set(re.findall(r"^Inst (\S+)", plan, re.MULTILINE)))
    run("apt-get", "download", *wanted, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        run("dpkg-deb", "-x", str(package), str(root))
    return root


class Dovecot(Server):
    name = "dovecot"

    def __init__(self, directory: Path, certificate: Certificate, packages: Path) -> None:
        super().__init__(directory, certificate)
        if os.geteuid() != 0:
            raise ServerFailed("the peer Dovecot must be started as root")
        self.root = unpack(packages, PACKAGES, "usr/lib/dovecot/lmtp")
        self.libraries = f"{self.root}/usr/lib/dovecot:{self.root}/usr/lib/x86_64-linux-gnu"
        self.ports = {"imap": free_port(), "pop3": free_port(), "lmtp": free_port()}
        self.environment = os.environ | {"LD_LIBRARY_PATH": self.libraries}
        self.version = "Dovecot " + run(*self._program(), "--version", env=self.environment).split()[0]
        self._configure()

    def _program(self) -> list[str]:
        return [str(self.root / "usr/sbin/dovecot")]

    def _configure(self) -> None:
        for part in ("run", "state", "mail"):
            (self.directory / part).mkdir(exist_ok=True)
        shutil.chown(self.directory / "mail", "mail", "mail")
        text = CONFIGURATION.format(
            run=self.directory / "run",
            state=self.directory / "state",
            root=self.root,
            libraries=self.libraries,
            directory=self.directory,
            chain=self.certificate.chain,
            key=self.certificate.key,
        )
        text += LMTP.format(port=self.ports["lmtp"])
        for protocol, port in list(self.ports.items())[:2]:
            text += PROTOCOL.format(protocol=protocol, port=port)
        (self.directory / "dovecot.conf").write_text(text)

    def add_users(self, names: list[str], first_logins: list[str]) -> None:
        lines = [f"{name}:{{PLAIN}}{PASSWORD}::::::\n" for name in names]
        lines += [f"{name}:{{ARGON2ID}}{VERIFIER}::::::\n" for name in first_logins]
        users = self.directory / "users"
        users.write_text("".join(lines))
        # Its authentication process runs as the internal user.
        shutil.chown(users, "root", "daemon")
        users.chmod(0o640)

    def command(self) -> list[str]:
        return ["env", f"LD_LIBRARY_PATH={self.libraries}", *self._program(), "-F", "-c", f"{self.directory}/dovecot.conf"]

    def forget(self) -> None:
        for cache in (self.directory / "mail").rglob("dovecot.index.cache"):
            cache.unlink()


def raise_inotify_limit() -> None:
    """Each IDLE of Dovecot's is a process with an inotify instance; Debian allows 128."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < 8192:
        subprocess.run(["sysctl", "-q", "-w", "fs.inotify.max_user_instances=8192"], check=False)
