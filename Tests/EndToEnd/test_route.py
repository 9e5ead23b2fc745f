"""`latchmaild route`: what a validating resolver and published policies make of domains."""

import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from support.server import BINARY
from support.zones import SignedZones

RECORDS = f"""
plain IN MX 20 backup.plain
plain IN MX 10 mx.plain
mx.plain IN A 192.0.2.1
mx.plain IN AAAA 2001:db8::1
backup.plain IN A 192.0.2.2
dane IN MX 10 alias.dane
alias.dane IN CNAME mx.dane
mx.dane IN A 192.0.2.3
_25._tcp.mx.dane IN TLSA 3 1 1 {"ab" * 32}
useless IN MX 10 mx.useless
mx.useless IN A 192.0.2.4
_25._tcp.mx.useless IN TLSA 1 1 1 {"ab" * 32}
null IN MX 0 .
forged IN MX 10 host.bogus
loop IN MX 10 mail.zone.example.
addressless IN MX 10 nowhere
"""


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedZones]:
    with SignedZones(tmp_path_factory.mktemp("zones") / "nsd", RECORDS) as running:
        yield running


def route(zones: SignedZones, directory: Path, domain: str, *flags: str) -> tuple[int, str]:
    configuration = directory / "latchmaild.yaml"
    configuration.write_text(
        f"hostname: mail.zone.example\nstate-directory: {directory}\n"
        f"dns:\n  forwarders: ['127.0.0.1:{zones.port}']\n  trust-anchor: {zones.anchor}\n"
    )
    done = subprocess.run(
        [BINARY, "route", "--config", configuration, *flags, domain], stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "domain, code, lines",
    [
        (
            "plain",
            0,
            [
                "mx.plain.zone.example port 25: TLS when it is offered (no policy)",
                "  2001:db8:0:0:0:0:0:1",
                "  192.0.2.1",
                "backup.plain.zone.example port 25: TLS when it is offered (no policy)",
                "  192.0.2.2",
            ],
        ),
        (
            "dane",
            0,
            [
                "alias.dane.zone.example port 25: TLS, with a certificate that one of 1 TLSA record names (DANE)",
                "  192.0.2.3",
            ],
        ),
        ("useless", 0, ["mx.useless.zone.example port 25: TLS, with any certificate (DANE)", "  192.0.2.4"]),
        ("null", 69, ["cannot be delivered: 5.1.10 null.zone.example takes no mail (null MX)"]),
        ("missing", 69, ["cannot be delivered: 5.1.2 missing.zone.example does not exist"]),
        ("loop", 69, ["cannot be delivered: 5.4.6 mail for loop.zone.example would come back to this server"]),
        ("addressless", 69, ["cannot be delivered: 5.4.4 nowhere.zone.example has no address"]),
    ],
)
def test_what_is_published_decides(
    zones: SignedZones, tmp_path: Path, domain: str, code: int, lines: list[str]
) -> None:
    assert route(zones, tmp_path, domain + ".zone.example") == (code, "\n".join(lines) + "\n")


def test_what_fails_validation_waits(zones: SignedZones, tmp_path: Path) -> None:
    code, text = route(zones, tmp_path, "forged.zone.example")
    assert code == 75
    assert text.startswith("waits: 4.7.5 host.bogus.zone.example: ")


def test_requiretls_needs_a_certificate_and_more(zones: SignedZones, tmp_path: Path) -> None:
    code, text = route(zones, tmp_path, "plain.zone.example", "--require-tls")
    assert code == 0
    expected = "TLS, with a certificate for mx.plain.zone.example from an authority (REQUIRETLS)\n  must offer REQUIRETLS\n"
    assert text.startswith("mx.plain.zone.example port 25: " + expected)
    code, text = route(zones, tmp_path, "host.unsigned.zone.example", "--require-tls")
    assert code == 69


def test_check_finds_what_the_resolver_would_refuse(tmp_path: Path) -> None:
    configuration = tmp_path / "latchmaild.yaml"
    configuration.write_text(
        f"dns:\n  trust-anchor: {tmp_path}/missing\ntls:\n  trust-roots: {tmp_path}/missing.pem\n"
    )
    done = subprocess.run([BINARY, "check", "--config", configuration], stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 78
    assert "problem: dns: the DNS resolver refuses " in done.stdout
    assert f"problem: tls.trust-roots: no PEM certificates can be read from {tmp_path}/missing.pem" in done.stdout


def test_a_resolver_that_cannot_be_had_is_an_error_of_configuration(zones: SignedZones, tmp_path: Path) -> None:
    zones_like = type("Zones", (), {"port": zones.port, "anchor": tmp_path / "missing"})()
    code, text = route(zones_like, tmp_path, "plain.zone.example")
    assert (code, text) == (78, "")
