"""The DNS as the tests want it: NSD on a loopback port serves the root, signed for the occasion, and a zone below it
that is not signed. Whoever asks it as a forwarder, with this root's key as trust anchor, sees nothing else."""

import shutil
import subprocess
from pathlib import Path

from .processes import Foreign, free_ports, listens

HEAD = """\
$ORIGIN {origin}
$TTL 60
@ IN SOA ns.example. hostmaster.example. 1 3600 600 86400 60
@ IN NS ns.example.
"""

CONFIGURATION = """\
server:
  ip-address: 127.0.0.1@{port}
  port: {port}
  zonesdir: "{directory}"
  zonelistfile: "{directory}/zone.list"
  xfrdfile: "{directory}/xfrd.state"
  xfrdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  database: ""
  username: ""
  chroot: ""
  logfile: "{directory}/nsd.log"
  rrl-ratelimit: 0
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root"
zone:
  name: "unsigned.example"
  zonefile: "unsigned"
"""


class Zones:
    """
    - secure: lines of records in the signed root, absolute names: `right.example. IN MX 10 mx.right.example.`
    - unsigned: the same below `unsigned.example.`
    - tampered: pairs of texts; the first becomes the second after signing, as by someone on the way
    """

    available = all(shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("nsd", "ldns-keygen", "ldns-signzone"))

    def __init__(
        self, directory: Path, secure: list[str], unsigned: list[str] = [], tampered: list[tuple[str, str]] = [],
        expired: bool = False,
    ) -> None:  # fmt: skip
        directory.mkdir(parents=True)
        self.directory = directory
        (self.port,) = free_ports(1)
        self.anchor = directory / "anchor"
        self.write(secure, unsigned, tampered, expired)
        (directory / "nsd.conf").write_text(CONFIGURATION.format(port=self.port, directory=directory))
        self.server = Foreign(["/usr/sbin/nsd", "-d", "-c", directory / "nsd.conf"], directory)
        self.server.wait_for(lambda: listens(self.port), "NSD")

    def write(
        self, secure: list[str], unsigned: list[str], tampered: list[tuple[str, str]], expired: bool
    ) -> None:  # fmt: skip
        root = HEAD.format(origin=".") + "ns.example. IN A 127.0.0.1\nunsigned.example. IN NS ns.example.\n"
        (self.directory / "root").write_text(root + "\n".join(secure) + "\n")
        (self.directory / "unsigned").write_text(HEAD.format(origin="unsigned.example.") + "\n".join(unsigned) + "\n")
        key = self.run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ".").strip()
        validity = ["-i", "20200101000000", "-e", "20200201000000"] if expired else []
        self.run("ldns-signzone", *validity, "-n", "-o", ".", "-f", "root.signed", "root", key)
        text = (self.directory / "root.signed").read_text()
        for old, new in tampered:
            assert old in text
            text = text.replace(old, new)
        (self.directory / "root").write_text(text)
        self.anchor.write_text((self.directory / f"{key}.ds").read_text())

    def run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            ["/usr/bin/" + program, *arguments], cwd=self.directory, capture_output=True, text=True
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def configuration(self) -> dict[str, object]:
        return {"forwarders": [f"127.0.0.1:{self.port}"], "trust-anchor": str(self.anchor)}

    def stop(self) -> None:
        self.server.stop()
