"""A certificate authority of the test's own, and certificates right and wrong."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    chain: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context

    def tlsa(self) -> str:
        """DANE-EE, the public key's SHA-256 (RFC 7672 §3.1.1): what stands behind `TLSA`."""
        public = openssl("x509", "-in", self.chain, "-noout", "-pubkey")
        der = openssl("pkey", "-pubin", "-outform", "DER", stdin=public)
        return "3 1 1 " + openssl("dgst", "-sha256", "-r", stdin=der).split()[0].decode()


class Authority:
    def __init__(self, directory: Path, name: str = "Test Authority") -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = directory / "authority.pem", directory / "authority.key"
        self.count = 0
        openssl(
            "req", "-x509", "-nodes", "-days", "30", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign",
            "-keyout", self.key, "-out", self.certificate,
        )  # fmt: skip

    def issue(self, *names: str, days: int = 30, expired: bool = False) -> Certificate:
        self.count += 1
        base = self.directory / f"{self.count}"
        key, request, chain = (base.with_suffix(suffix) for suffix in (".key", ".csr", ".pem"))
        openssl(
            "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={names[0]}",
            "-keyout", key, "-out", request,
        )  # fmt: skip
        extensions = base.with_suffix(".ext")
        kinds = ("IP:" + name if name[-1].isdigit() else "DNS:" + name for name in names)
        extensions.write_text(f"subjectAltName={','.join(kinds)}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
        validity = ["-days", str(days)]
        if expired:
            validity = ["-not_before", "20200101000000Z", "-not_after", "20200201000000Z"]
        self.sign(request, extensions, chain, validity)
        return Certificate(chain, key)

    def sign(self, request: Path, extensions: Path, chain: Path, validity: list[str]) -> None:
        common = ["-in", request, "-CA", self.certificate, "-CAkey", self.key, "-extfile", extensions, "-out", chain]
        if validity[0] == "-days":
            openssl("x509", "-req", "-CAcreateserial", *common, *validity)
            return
        # `openssl x509` of OpenSSL 3.0 cannot set both dates; `openssl ca` can.
        database = self.directory / f"ca-{self.count}"
        database.mkdir()
        (database / "index.txt").write_text("")
        (database / "serial").write_text("1000\n")
        config = database / "ca.cnf"
        config.write_text(f"""\
[ca]
default_ca = d
[d]
database = {database}/index.txt
serial = {database}/serial
new_certs_dir = {database}
default_md = sha256
policy = p
unique_subject = no
[p]
commonName = supplied
""")
        openssl(
            "ca", "-batch", "-config", config, "-cert", self.certificate, "-keyfile", self.key, "-in", request,
            "-extfile", extensions, "-startdate", validity[1], "-enddate", validity[3], "-out", chain, "-notext",
        )  # fmt: skip


def openssl(*arguments: str | Path, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
