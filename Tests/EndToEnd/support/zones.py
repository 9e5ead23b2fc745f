"""DNS zones that are signed for a test, and served by NSD on a loopback port."""

import contextlib
import socket
import subprocess
import time
from pathlib import Path

PARENT = "zone.example"
HEAD = """$ORIGIN {zone}.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN NS ns
ns IN A 127.0.0.1
"""


class SignedZones:
    """zone.example, signed; bogus.zone.example, changed after it was signed; unsigned.zone.example, provably unsigned.

    `records` are further ones of zone.example, as in a zone file. A resolver with `anchor` as trust anchor validates.
    """

    def __init__(self, directory: Path, records: str) -> None:
        self.directory = directory
        directory.mkdir()
        with contextlib.closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.anchor = directory / "anchor"
        self._write("unsigned." + PARENT, "host IN A 127.0.0.1\n")
        self._write("bogus." + PARENT, "host IN A 127.0.0.1\n")
        delegations = self._sign("bogus." + PARENT)
        bogus = directory / ("bogus." + PARENT)
        bogus.write_text(bogus.read_text().replace("host.bogus.zone.example.\t300\tIN\tA\t127.0.0.1", "host\t300\tIN\tA\t127.0.0.2"))
        self._write(PARENT, f"{records}\nunsigned IN NS ns\nbogus IN NS ns\n{delegations}")
        self.anchor.write_text(self._sign(PARENT))

    def _write(self, zone: str, records: str) -> None:
        (self.directory / zone).write_text(HEAD.format(zone=zone) + records)

    def _run(self, *command: str) -> str:
        return subprocess.run(
            command, cwd=self.directory, check=True, stdout=subprocess.PIPE, text=True, timeout=60
        ).stdout.strip()

    def _sign(self, zone: str) -> str:
        """The zone's DS record."""
        key = self._run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone)
        self._run("ldns-signzone", "-n", "-o", zone, "-f", "signed", zone, key)
        (self.directory / "signed").rename(self.directory / zone)
        return (self.directory / (key + ".ds")).read_text()

    def __enter__(self) -> "SignedZones":
        names = [PARENT, "unsigned." + PARENT, "bogus." + PARENT]
        files = {"pidfile": "nsd.pid", "xfrdfile": "xfrd.state", "zonelistfile": "zone.list", "logfile": "nsd.log"}
        (self.directory / "nsd.conf").write_text(
            f'server:\n  ip-address: 127.0.0.1@{self.port}\n  username: ""\n  server-count: 1\n  database: ""\n'
            f'  zonesdir: "{self.directory}"\n  rrl-ratelimit: 0\n'
            + "".join(f'  {key}: "{self.directory}/{name}"\n' for key, name in files.items())
            + "remote-control:\n  control-enable: no\n"
            + "".join(f"zone:\n  name: {name}\n  zonefile: {name}\n" for name in names)
        )
        self.process = subprocess.Popen(
            ["/usr/sbin/nsd", "-d", "-c", str(self.directory / "nsd.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return self
            assert time.monotonic() < deadline and self.process.poll() is None, "nsd does not listen"
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
