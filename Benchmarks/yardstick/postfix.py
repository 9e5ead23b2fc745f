"""Postfix as a peer for submission: Debian's package, unpacked below .build/peers and run from there, never installed.

Passwords are checked by a Dovecot that does nothing else, as most providers have it. What is accepted has been synced to
its queue, and goes from there to Postfix's own "discard". It must be started as root, because it gives up its rights.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

from .dovecot import PACKAGES as DOVECOT_PACKAGES
from .dovecot import unpack
from .servers import PASSWORD, VERIFIER, Certificate, Server, ServerFailed, free_port, run

AUTHENTICATION = """\
base_dir = {directory}/auth
state_dir = {directory}/auth
libexec_dir = {root}/usr/lib/dovecot
mail_plugin_dir = {root}/usr/lib/dovecot/modules
import_environment = LD_LIBRARY_PATH={libraries}
protocols =
log_path = {directory}/auth.log
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
ssl = no
auth_mechanisms = plain
auth_failure_delay = 0
auth_username_format = %Ln
passdb {{
  driver = passwd-file
  args = username_format=%n {directory}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home=/nonexistent
}}
service auth {{
  client_limit = 15000
  unix_listener {directory}/auth/submission {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""

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
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.bench.test
mydestination =
mynetworks =
default_transport = discard:
relay_transport = discard:
local_transport = discard:
alias_maps =
alias_database =
smtpd_tls_chain_files = {key}, {chain}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {directory}/auth/submission
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_session_cache_database =
smtpd_peername_lookup = no
default_process_limit = 200
"""

MASTER = """\
127.0.0.1:{submission} inet n - n - 200 smtpd
  -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""

QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()


class Postfix(Server):
    name = "postfix"

    def __init__(self, directory: Path, certificate: Certificate, packages: Path) -> None:
        super().__init__(directory, certificate)
        if os.geteuid() != 0:
            raise ServerFailed("the peer Postfix must be started as root")
        self.root = unpack(packages / "postfix", ["postfix"], "usr/lib/postfix/sbin/master")
        self.dovecot = unpack(packages / "dovecot", DOVECOT_PACKAGES, "usr/lib/dovecot/lmtp")
        self.libraries = f"{self.root}/usr/lib/postfix:{self.root}/usr/lib/x86_64-linux-gnu"
        self.environment = os.environ | {"LD_LIBRARY_PATH": self.libraries, "MAIL_CONFIG": f"{directory}/etc"}
        self.ports = {"submission": free_port()}
        self.authentication: subprocess.Popen[bytes] | None = None
        self._configure()
        self.version = "Postfix " + run(f"{self.root}/usr/sbin/postconf", "-h", "mail_version", env=self.environment).strip()

    def _configure(self) -> None:
        for part in ("etc", "data", "spool", "auth", *(f"spool/{queue}" for queue in QUEUES), "spool/pid"):
            (self.directory / part).mkdir(exist_ok=True)
        for part in ("data", *(f"spool/{queue}" for queue in QUEUES)):
            shutil.chown(self.directory / part, "mail")
            (self.directory / part).chmod(0o700)
        for part, mode in (("maildrop", 0o730), ("public", 0o710)):
            path = self.directory / "spool" / part
            path.mkdir(exist_ok=True)
            shutil.chown(path, "mail", "daemon")
            path.chmod(mode)
        names = dict(
            directory=self.directory, root=self.root, libraries=self.libraries, key=self.certificate.key,
            chain=self.certificate.chain,
        )
        (self.directory / "etc/main.cf").write_text(MAIN.format(**names))
        (self.directory / "etc/master.cf").write_text(MASTER.format(**self.ports))
        names |= dict(root=self.dovecot, libraries=self._dovecot_libraries())
        (self.directory / "auth.conf").write_text(AUTHENTICATION.format(**names))

    def _dovecot_libraries(self) -> str:
        return f"{self.dovecot}/usr/lib/dovecot:{self.dovecot}/usr/lib/x86_64-linux-gnu"

    def add_users(self, names: list[str], first_logins: list[str]) -> None:
        lines = [f"{name}:{{PLAIN}}{PASSWORD}::::::\n" for name in names]
        lines += [f"{name}:{{ARGON2ID}}{VERIFIER}::::::\n" for name in first_logins]
        users = self.directory / "users"
        users.write_text("".join(lines))
        shutil.chown(users, "root", "daemon")
        users.chmod(0o640)

    def command(self) -> list[str]:
        environment = [f"LD_LIBRARY_PATH={self.libraries}", f"MAIL_CONFIG={self.directory}/etc"]
        program = f"{self.root}/usr/lib/postfix/sbin/master"
        return ["env", f"--chdir={self.directory}/spool", *environment, program, "-d", "-c", f"{self.directory}/etc"]

    def start(self) -> None:
        def settle_in() -> None:
            self.group.enter()

        program = [f"{self.dovecot}/usr/sbin/dovecot", "-F", "-c", f"{self.directory}/auth.conf"]
        with open(self.directory / "output", "ab") as output:
            self.authentication = subprocess.Popen(
                ["env", f"LD_LIBRARY_PATH={self._dovecot_libraries()}", *program],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=settle_in,
            )
        deadline = time.monotonic() + 20
        while not (self.directory / "auth/submission").exists():
            if time.monotonic() > deadline:
                raise ServerFailed(f"no authentication for Postfix; see {self.directory / 'auth.log'}")
            time.sleep(0.1)
        super().start()

    def stop(self) -> None:
        super().stop()
        if self.authentication is not None:
            self.authentication.terminate()
            self.authentication.wait(30)
            self.authentication = None
