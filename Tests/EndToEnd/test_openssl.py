"""What every port negotiates, seen by OpenSSL."""

from pathlib import Path

import pytest

from support.openssl import negotiated, s_client
from support.server import DemoServer
from support.wire import DIALECTS, Dialect

PORTS = pytest.mark.parametrize(
    ("dialect", "starttls"),
    [(dialect, starttls) for starttls in (False, True) for dialect in DIALECTS],
    ids=[f"{dialect.name}-{mode}" for mode in ("implicit", "starttls") for dialect in DIALECTS],
)
WEAK = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


@PORTS
def test_modern_versions(server: DemoServer, dialect: Dialect, starttls: bool) -> None:
    """[8314-4-12] [8314-1-1s] [8314-1.1-1] [8314-3-1s] [DEEP-9.1-1s]"""
    newest = negotiated(s_client(server, dialect, starttls))
    assert (newest.version, newest.group) == ("TLSv1.3", "x25519")
    older = negotiated(s_client(server, dialect, starttls, "-tls1_2"))
    assert older.version == "TLSv1.2"
    assert older.suite.startswith("TLS_ECDHE_") and "_GCM_" in older.suite


@PORTS
@pytest.mark.parametrize("version", ["-tls1_1", "-tls1"])
def test_old_versions_are_refused_with_an_alert(
    server: DemoServer, dialect: Dialect, starttls: bool, version: str
) -> None:
    """[8314-4.1-9] [2595-9-2s]"""
    output = s_client(server, dialect, starttls, version, "-cipher", WEAK, expect=1)
    assert "alert protocol version" in output


@PORTS
@pytest.mark.parametrize(
    "suite", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "eNULL", "3DES"]
)
def test_weak_suites_are_refused_with_an_alert(
    server: DemoServer, dialect: Dialect, starttls: bool, suite: str
) -> None:
    """[8314-4-13] [2595-9-2s] No RSA key transport, no CBC, no NULL, no 3DES."""
    output = s_client(server, dialect, starttls, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0", expect=1)
    if "no cipher match" not in output and "no ciphers available" not in output:
        assert "handshake failure" in output


@PORTS
def test_no_client_certificate_is_requested(server: DemoServer, dialect: Dialect, starttls: bool) -> None:
    """[8314-4.2-2] The demo accepts none, so it asks for none."""
    for version in ("-tls1_2", "-tls1_3"):
        output = s_client(server, dialect, starttls, version, "-msg")
        assert "ServerHello" in output
        assert "CertificateRequest" not in output


@PORTS
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_resumption(server: DemoServer, dialect: Dialect, starttls: bool, version: str, tmp_path: Path) -> None:
    session = str(tmp_path / "session.pem")
    assert not negotiated(s_client(server, dialect, starttls, version, "-sess_out", session)).reused
    assert negotiated(s_client(server, dialect, starttls, version, "-sess_in", session)).reused


@PORTS
def test_tls_is_closed_before_the_connection(server: DemoServer, dialect: Dialect, starttls: bool) -> None:
    """[8314-3.4-1s] The server's close_notify comes before its FIN."""
    output = s_client(server, dialect, starttls, "-msg")
    received = [line for line in output.splitlines() if line.startswith("<<<") and "RecordHeader" not in line]
    assert "close_notify" in received[-1], received[-3:]
