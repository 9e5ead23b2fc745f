"""testssl.sh and sslscan look for what is wrong with every port's TLS, and find only what a private test CA brings."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from support.programs import run
from support.server import DemoServer

PORTS = [
    ("imap", "implicit", ""), ("imap", "starttls", "imap"), ("pop3", "implicit", ""), ("pop3", "starttls", "pop3"),
    ("submission", "implicit", ""), ("submission", "starttls", "smtp"),
]  # fmt: skip
EVERY_PORT = pytest.mark.parametrize(("service", "security", "starttls"), PORTS, ids=lambda word: word or "tls")

# What testssl.sh says of any certificate of a private authority that no browser knows and that has no service around
# it: nothing of it is about this server's TLS.
ALLOWED = {
    # no root that the scanner knows
    "cert_chain_of_trust", "cert_trust",
    # neither CRL nor OCSP, so nothing to staple or to put into a log
    "cert_revocation", "cert_crlDistributionPoints", "cert_ocspURL", "cert_mustStapleExtension", "OCSP_stapling",
    "ocsp_stapling", "certificate_transparency",
    # no DNS
    "DNS_CAArecord",
    # the demo's certificate is for localhost and lives for a year
    "cert_validityPeriod", "cert_extlifeSpan",
    # the scanner's own client gives up when it is greeted by a mail server
    "sessionresumption_ticket",
    # which programs could not be simulated by the openssl at hand, and what the scanner itself lacks
    "engine_problem", "scanTime", "scanProblem",
}  # fmt: skip


def port(server: DemoServer, service: str, security: str) -> int:
    return getattr(getattr(server, service), security)


def scan(server: DemoServer, number: int, work: Path, *options: str) -> list[dict[str, str]]:
    """Findings of at least low severity."""
    found = work / "findings.json"
    run(
        ["timeout", "200", "testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
         "--add-ca", server.ca, "--severity", "LOW", "--jsonfile", found, *options, f"127.0.0.1:{number}"],
        expect=None, seconds=240,
    )  # fmt: skip
    findings = json.loads(found.read_text())
    fatal = [one for one in findings if one["severity"] in ("FATAL", "WARN") and one["id"] not in ALLOWED]
    assert not fatal, fatal
    return findings


def not_allowed(findings: list[dict[str, str]]) -> list[str]:
    return [
        f"{one['id']}: {one['severity']}: {one['finding']}"
        for one in findings
        if one["id"].split(" ")[0] not in ALLOWED and one["severity"] not in ("INFO", "OK", "DEBUG")
    ]


def test_testssl_finds_nothing(server: DemoServer, tmp_path: Path) -> None:
    """Everything that it looks at but simulated clients."""
    options = ("--protocols", "--server-defaults", "--server-preference", "--fs", "--vulnerable")
    assert not_allowed(scan(server, server.imap.implicit, tmp_path, *options)) == []


@pytest.mark.parametrize(("service", "starttls"), [("imap", "imap"), ("pop3", "pop3"), ("submission", "smtp")])
def test_testssl_finds_nothing_behind_starttls(
    server: DemoServer, tmp_path: Path, service: str, starttls: str
) -> None:  # fmt: skip
    options = ("--starttls", starttls, "--protocols", "--ccs-injection", "--ticketbleed", "--renegotiation", "--crime")
    assert not_allowed(scan(server, port(server, service, "starttls"), tmp_path, *options)) == []


@EVERY_PORT
def test_sslscan_finds_nothing(server: DemoServer, service: str, security: str, starttls: str) -> None:
    """Only TLS 1.2 and 1.3, only suites with forward secrecy and AEAD."""
    options = [f"--starttls-{starttls}"] if starttls else []
    done = run(["sslscan", "--xml=-", *options, f"127.0.0.1:{port(server, service, security)}"], seconds=120)
    test = ElementTree.fromstring(done.stdout).find("ssltest")
    assert test is not None
    enabled = {(one.get("type"), one.get("version")) for one in test.iter("protocol") if one.get("enabled") == "1"}
    assert enabled == {("tls", "1.2"), ("tls", "1.3")}
    ciphers = [one.get("cipher", "") for one in test.iter("cipher")]
    assert len(ciphers) >= 4
    for cipher in ciphers:
        assert cipher.startswith(("TLS_AES_", "TLS_CHACHA20_", "ECDHE-")), ciphers
        assert "GCM" in cipher or "POLY1305" in cipher, ciphers
    assert all(int(one.get("bits", "0")) >= 128 for one in test.iter("cipher"))
    assert all(one.get("vulnerable") == "0" for one in test.iter("heartbleed"))
    (renegotiation,) = test.iter("renegotiation")
    assert renegotiation.get("supported") == "0" or renegotiation.get("secure") == "1"
    assert all(one.get("supported") == "0" for one in test.iter("compression"))
