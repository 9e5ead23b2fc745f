"""clamd and clamav-milter, unpacked by Scripts/prepare --tests, on sockets of their own. Signatures come from a network
that tests do not have: there is one here, of the EICAR test file, which is no virus."""

from pathlib import Path

from .processes import PEERS, Foreign

ROOT = PEERS / "clamav" / "root"

# Backwards, so that nobody finds it here.
EICAR = rb"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X"[::-1]


class ClamAV:
    available = (ROOT / "usr/sbin/clamav-milter").exists()

    def __init__(self, directory: Path) -> None:
        (directory / "signatures").mkdir(parents=True)
        # Name, kind of file (0: any), place in it, octets.
        (directory / "signatures/test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
        (directory / "clamd.conf").write_text(f"""\
Foreground yes
LocalSocket {directory}/clamd
DatabaseDirectory {directory}/signatures
TemporaryDirectory {directory}
MaxThreads 2
ConcurrentDatabaseReload no
""")
        self.socket = directory / "socket"
        (directory / "milter.conf").write_text(f"""\
Foreground yes
MilterSocket unix:{self.socket}
ClamdSocket unix:{directory}/clamd
OnInfected Reject
OnFail Defer
RejectMsg Infected with %v
AddHeader Replace
TemporaryDirectory {directory}
""")
        for part in ("daemon", "milter"):
            (directory / part).mkdir()
        libraries = {"LD_LIBRARY_PATH": f"{ROOT}/usr/lib/x86_64-linux-gnu"}
        self.daemon = Foreign(
            [ROOT / "usr/sbin/clamd", "-c", directory / "clamd.conf"], directory / "daemon", libraries
        )  # fmt: skip
        self.daemon.wait_for((directory / "clamd").exists, "clamd")
        self.milter = Foreign(
            [ROOT / "usr/sbin/clamav-milter", "-c", directory / "milter.conf"], directory / "milter", libraries
        )  # fmt: skip
        self.milter.wait_for(self.socket.exists, "clamav-milter")

    def stop(self) -> None:
        self.milter.stop()
        self.daemon.stop()
