"""Cyrus IMAP as a peer: Debian's packages, unpacked below .build/peers and run from there, never installed.

Started as root, it gives up its rights to the system user mail. It logs to syslog only, which costs it nothing where
none listens.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .dovecot import unpack
from .servers import PASSWORD, Certificate, Server, ServerFailed, free_port

PACKAGES = ["cyrus-common", "cyrus-imapd", "cyrus-pop3d", "sasl2-bin", "libsasl2-modules-db"]

SETTINGS = """\
configdirectory: {conf}
partition-default: {spool}
defaultpartition: default
proc_path: {conf}/proc
mboxname_lockpath: {conf}/lock
cyrus_user: mail
admins: cyrus
servername: localhost
autocreate_users: anyone
autocreate_quota: 0
autocreate_post: yes
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {conf}/sasldb2
sasl_mech_list: PLAIN
virtdomains: off
unixhierarchysep: yes
altnamespace: yes
tls_server_cert: {chain}
tls_server_key: {key}
tls_session_timeout: 0
lmtpsocket: {conf}/socket/lmtp
idlesocket: {conf}/socket/idle
notifysocket: {conf}/socket/notify
maxlogins_per_user: 0
maxlogins_per_host: 0
popminpoll: 0
duplicatesuppression: 0
"""

SERVICES = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {settings} -r"
}}
SERVICES {{
  imaps cmd="{programs}/imapd -C {settings} -s -U 250" listen="127.0.0.1:{imap}" prefork=2 maxchild=6000
  pop3s cmd="{programs}/pop3d -C {settings} -s -U 250" listen="127.0.0.1:{pop3}" prefork=1 maxchild=500
}}
DAEMON {{
  idled cmd="{programs}/idled -C {settings}"
}}
"""


class Cyrus(Server):
    name = "cyrus"

    def __init__(self, directory: Path, certificate: Certificate, packages: Path) -> None:
        super().__init__(directory, certificate)
        if os.geteuid() != 0:
            raise ServerFailed("the peer Cyrus must be started as root")
        self.root = unpack(packages, PACKAGES, "usr/lib/cyrus/bin/master")
        self.programs = self.root / "usr/lib/cyrus/bin"
        libraries = f"{self.root}/usr/lib:{self.root}/usr/lib/x86_64-linux-gnu"
        self.environment = os.environ | {"LD_LIBRARY_PATH": libraries}
        self.ports = {"imap": free_port(), "pop3": free_port()}
        self.version = "Cyrus " + self._version()
        self.conf = directory / "conf"
        self._configure()

    def _version(self) -> str:
        """From the package's name: imapd itself wants a working configuration before it tells."""
        for package in (self.root.parent / "packages").glob("cyrus-imapd_*.deb"):
            return package.name.split("_")[1].split("-")[0]
        return ""

    def _configure(self) -> None:
        for part in ("conf/socket", "conf/proc", "conf/db", "conf/log", "conf/msg", "conf/lock", "spool"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        # Cyrus reads the key when it has given up its rights.
        key, chain = self.directory / "server.key", self.directory / "server.pem"
        shutil.copy(self.certificate.key, key)
        shutil.copy(self.certificate.chain, chain)
        settings = self.directory / "imapd.conf"
        settings.write_text(SETTINGS.format(conf=self.conf, spool=self.directory / "spool", chain=chain, key=key))
        (self.directory / "cyrus.conf").write_text(
            SERVICES.format(programs=self.programs, settings=settings, **self.ports)
        )
        self._give_away()

    def _give_away(self) -> None:
        for path in [self.directory, *self.directory.rglob("*")]:
            shutil.chown(path, "mail", "mail")

    def add_users(self, names: list[str], first_logins: list[str]) -> None:
        """It cannot check argon2id; those users have the same password in plain form."""
        command = [f"{self.root}/usr/sbin/saslpasswd2", "-p", "-c", "-u", "localhost", "-f", f"{self.conf}/sasldb2"]
        for name in names + first_logins:
            done = subprocess.run([*command, name], input=PASSWORD.encode(), env=self.environment, capture_output=True)
            if done.returncode != 0:
                raise ServerFailed(f"saslpasswd2: {done.stderr.decode().strip()}")
        self._give_away()

    def command(self) -> list[str]:
        libraries = f"LD_LIBRARY_PATH={self.environment['LD_LIBRARY_PATH']}"
        files = ["-C", f"{self.directory}/imapd.conf", "-M", f"{self.directory}/cyrus.conf"]
        return ["env", libraries, f"{self.programs}/master", *files, "-p", f"{self.conf}/master.pid"]
