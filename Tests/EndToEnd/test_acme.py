"""Certificates that the server gets and renews itself, from Pebble, with proofs by HTTP, by BIND and by a program."""

import imaplib
import json
import ssl
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from support.acme import (
    DOMAIN, ACMESite, ChallengeServer, NameServer, Pebble, RateLimiter, alternative_names, mode, public_key,
)  # fmt: skip
from support.authority import Authority, openssl
from support.processes import free_ports, listens, wait_until
from support.site import PASSWORD

pytestmark = pytest.mark.skipif(
    not (Pebble.available and NameServer.available), reason="pebble or BIND is missing: Scripts/prepare --tests"
)
MAIL = f"mail.{DOMAIN}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    server = NameServer(tmp_path_factory.mktemp("dns") / "bind")
    yield server
    server.stop()


@pytest.fixture
def started() -> Iterator[Callable[[Any], Any]]:
    """What is started is stopped at the test's end."""
    running: list[Any] = []

    def start(one: Any) -> Any:
        running.append(one)
        return one

    yield start
    for one in reversed(running):
        one.stop()


class World:
    """Pebble, and a server that answers it over HTTP."""

    def __init__(self, tmp_path: Path, authority: Authority, names: NameServer, started: Callable[[Any], Any]) -> None:
        self.tmp_path, self.authority, self.names, self.started = tmp_path, authority, names, started
        (self.http,) = free_ports(1)

    def pebble(self, name: str = "pebble", **options: Any) -> Pebble:
        options.setdefault("http_port", self.http)
        options.setdefault("dns_port", self.names.port)
        return self.started(Pebble(self.tmp_path / name, self.authority, **options))

    def site(self, directory_url: str, certificates: list[str] = [], **acme: Any) -> ACMESite:
        settings = {"http-listen": [f"127.0.0.1:{self.http}"], "dns-port": self.names.port, **acme}
        return self.started(
            ACMESite(
                self.tmp_path / "site", self.authority, directory_url, certificates, acme=settings,
                dns=self.names.configuration,
            )  # fmt: skip
        )


@pytest.fixture
def world(tmp_path: Path, authority: Authority, names: NameServer, started: Callable[[Any], Any]) -> World:
    return World(tmp_path, authority, names, started)


def test_first_certificate_by_http(world: World) -> None:
    pebble = world.pebble(nonce_reject=60)
    site = world.site(pebble.directory_url, [f"{MAIL} imap.{DOMAIN}"])
    assert site.status()[0]["state"] == "missing"
    site.launch().wait_until_serving()
    assert alternative_names(site.served(pebble.root)) == {MAIL, f"imap.{DOMAIN}"}
    site.served(pebble.root, f"imap.{DOMAIN}")
    (status,) = site.status()
    assert status["state"] == "valid" and status["failures"] == 0 and "lastError" not in status
    lifetime = status["notAfter"] - status["notBefore"]
    assert status["notAfter"] - status["renewal"] >= lifetime // 3
    # Nothing is listened on any more, and nobody else reads the keys.
    assert not listens(world.http)
    folder = site.directory / "state" / "acme"
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.glob("account-*.json")} == {0o600}
    assert {mode(path) for path in folder.glob("*/pair-*/privkey.pem")} == {0o600}
    log = site.log()
    assert "PRIVATE KEY" not in log and "certificate: installed" in log
    # A restart asks for nothing.
    site.stop()
    orders = site.log().count("certificate: asking for one")
    site.start()
    assert site.log().count("certificate: asking for one") == orders


def test_renewal_drops_no_connection(world: World) -> None:
    pebble = world.pebble()
    site = world.site(pebble.directory_url)
    site.launch().wait_until_serving()
    context = ssl.create_default_context(cafile=str(pebble.root))
    context.check_hostname = False
    problems: list[str] = []
    ended = threading.Event()
    ready = threading.Barrier(5, timeout=60)

    def stay() -> None:
        try:
            with imaplib.IMAP4_SSL("127.0.0.1", site.imaps, ssl_context=context, timeout=60) as client:
                client.login(f"ada@{DOMAIN}", PASSWORD)
                client.select()
                ready.wait()
                while not ended.wait(0.01):
                    assert client.noop()[0] == "OK"
        except Exception as problem:
            problems.append(f"stay: {problem!r}")

    def come_and_go() -> None:
        try:
            ready.wait()
            while not ended.is_set():
                with imaplib.IMAP4_SSL("127.0.0.1", site.imaps, ssl_context=context, timeout=60) as client:
                    assert client.noop()[0] == "OK"
        except Exception as problem:
            problems.append(f"come and go: {problem!r}")

    threads = [threading.Thread(target=body) for body in (stay, stay, stay, come_and_go)]
    for thread in threads:
        thread.start()
    ready.wait()
    seen = {site.served(pebble.root)}
    for _ in range(3):
        assert f"{MAIL}: renewed" in site.command("certificate", "renew", "--force")
        seen.add(site.served(pebble.root))
    ended.set()
    for thread in threads:
        thread.join(60)
    assert problems == []
    # Four certificates, one key.
    assert len(seen) == 4
    assert len({public_key(one) for one in seen}) == 1
    assert "not due" in site.command("certificate", "renew")


def test_renewal_by_itself(world: World) -> None:
    pebble = world.pebble(validity=45)
    site = world.site(pebble.directory_url, **{"key-rollover": True})
    site.launch().wait_until_serving()
    first = site.served(pebble.root)
    # Long before it expires.
    wait_until(lambda: site.served(pebble.root) != first, f"it is renewed: {site.log_path}", 120)
    assert public_key(site.served(pebble.root)) != public_key(first)


def test_proofs_in_the_dns(world: World) -> None:
    pebble = world.pebble()
    site = world.site(
        pebble.directory_url, [f"{MAIL} *.{DOMAIN} {DOMAIN}", f"alias.{DOMAIN}"], challenge="dns-01",
        **{"dns-key-file": str(world.names.key_file), "key-type": "rsa-2048"},
    )  # fmt: skip
    site.launch().wait_until_serving()
    assert alternative_names(site.served(pebble.root)) == {MAIL, f"*.{DOMAIN}", DOMAIN}
    # The second one's proof is where an alias leads.
    wait_until(lambda: site.status()[1]["state"] == "valid", f"the second: {site.log_path}", 120)
    for name in ("_acme-challenge.mail", "_acme-challenge", "alias.proofs"):
        assert world.names.texts(name) == []
    assert site.status()[0]["keyType"] == "rsa-2048"


def test_a_wrong_key_for_updates(world: World, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.key"
    text = world.names.key_file.read_text().splitlines()
    text[2] = '\tsecret "bm90IHRoaXM=";'
    wrong.write_text("\n".join(text))
    pebble = world.pebble()
    site = world.site(pebble.directory_url, challenge="dns-01", **{"dns-key-file": str(wrong)}).launch()
    site.wait_for_failure("BADSIG")
    assert not listens(site.submissions)


def test_proofs_by_a_program(world: World, tmp_path: Path) -> None:
    provider = world.started(ChallengeServer(tmp_path / "provider"))
    hook = tmp_path / "hook"
    hook.write_text(f"""\
#!/usr/bin/python3
import json, os, sys, urllib.request
assert sys.argv[1:] == ["a $word"], sys.argv
body = {{"host": os.environ["LATCHMAIL_RECORD"] + "."}}
if os.environ["LATCHMAIL_ACTION"] == "add":
    body["value"] = os.environ["LATCHMAIL_VALUE"]
path = "set-txt" if "value" in body else "clear-txt"
urllib.request.urlopen("http://127.0.0.1:{provider.management}/" + path, json.dumps(body).encode(), 30)
with open("{tmp_path}/calls", "a") as calls:
    calls.write(os.environ["LATCHMAIL_ACTION"] + " " + os.environ["LATCHMAIL_DOMAIN"] + "\\n")
""")
    hook.chmod(0o755)
    pebble = world.pebble(dns_port=provider.port)
    site = world.site(
        pebble.directory_url, challenge="hook", hook=[str(hook), "a $word"], **{"dns-wait": "0 s"}
    ).launch()  # fmt: skip
    site.wait_until_serving()
    site.served(pebble.root)
    assert (tmp_path / "calls").read_text() == f"add {MAIL}\nremove {MAIL}\n"


def test_an_account_bound_to_another(world: World, tmp_path: Path) -> None:
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    pebble = world.pebble(eab={"kid-1": key})
    file = tmp_path / "eab"
    file.write_text(key + "\n")
    file.chmod(0o600)
    site = world.site(pebble.directory_url).launch()
    site.wait_for_failure("acme.eab-key-id")
    site.stop()
    site.settings["acme"] |= {"eab-key-id": "kid-1", "eab-key-file": str(file)}
    site.write()
    site.start()
    site.served(pebble.root)


def test_an_authority_that_is_down(world: World) -> None:
    (port,) = free_ports(1)
    site = world.site(f"https://localhost:{port}/dir").launch()
    site.wait_for_failure("cannot be reached")
    # Operators can work meanwhile, and signals are heard.
    site.command("user", "list")
    site.stop()
    site.launch()
    pebble = world.pebble(port=port)
    site.wait_until_serving()
    # Nor does it matter to a server that has a certificate.
    pebble.stop()
    assert "cannot be reached" in site.command("certificate", "renew", "--force", expect=75)
    site.served(pebble.root)
    site.stop()
    site.start()
    site.served(pebble.root)


def test_an_authority_that_is_not_trusted(world: World, tmp_path: Path) -> None:
    pebble = world.pebble()
    other = Authority(tmp_path / "other", "Another Authority")
    site = world.site(pebble.directory_url, **{"trust-roots": str(other.certificate)}).launch()
    site.wait_for_failure("acme.trust-roots")


def test_names_that_are_not_proved(world: World) -> None:
    (elsewhere,) = free_ports(1)
    pebble = world.pebble(http_port=elsewhere)
    site = world.site(pebble.directory_url).launch()
    site.wait_for_failure("was not proved")
    assert "port 80" in site.status()[0]["lastError"]
    assert not listens(site.submissions)
    # The order is over; another one, when the operator has led the port here, succeeds.
    site.stop()
    site.settings["acme"]["http-listen"] = [f"127.0.0.1:{elsewhere}"]
    site.write()
    site.start()
    site.served(pebble.root)


def test_rate_limits_outlive_restarts(world: World, authority: Authority) -> None:
    limiter = world.started(RateLimiter(authority))
    site = world.site(limiter.directory_url).launch()
    site.wait_for_failure("rate limit")
    (status,) = site.status()
    assert status["nextAttempt"] - status["lastAttempt"] >= 3600
    assert len(limiter.orders) == 1
    for start in (2, 3):
        site.stop()
        site.launch()
        wait_until(lambda: site.log().count("mail is served as soon as") == start, "it runs")
    assert "rate limit" in site.command("certificate", "status", expect=1)
    assert len(limiter.orders) == 1


def test_an_order_goes_on_after_a_crash(world: World) -> None:
    pebble = world.pebble(sleeps=6)
    site = world.site(pebble.directory_url).launch()
    state = site.directory / "state" / "acme" / MAIL / "state.json"
    wait_until(lambda: state.exists() and "order" in json.loads(state.read_text()), "an order is made")
    order = json.loads(state.read_text())["order"]
    site.kill()
    site.launch().wait_until_serving()
    site.served(pebble.root)
    assert "certificate: an order goes on" in site.log(), order


def test_revoking(world: World) -> None:
    pebble = world.pebble()
    site = world.site(pebble.directory_url)
    site.launch().wait_until_serving()
    first = site.served(pebble.root)
    site.command("certificate", "revoke", MAIL, "--reason", "key-compromise")
    second = site.served(pebble.root)
    # A key that may be known to others is not used again.
    assert public_key(first) != public_key(second)
    assert site.status()[0]["state"] == "valid"


def test_another_chain_by_choice(world: World) -> None:
    pebble = world.pebble()
    subject = openssl("x509", "-in", pebble.other_root, "-noout", "-subject").decode()
    name = subject.split("CN")[1].strip(" =\n")
    site = world.site(pebble.directory_url, **{"preferred-chain": name})
    site.launch().wait_until_serving()
    site.served(pebble.other_root)
    with pytest.raises(ssl.SSLCertVerificationError):
        site.served(pebble.root)


def test_records_to_publish(world: World) -> None:
    pebble = world.pebble()
    site = world.site(pebble.directory_url, **{"key-rollover": True})
    site.launch().wait_until_serving()
    lines = site.command("certificate", "tlsa").splitlines()
    assert any(line.startswith(f"_{site.imaps}._tcp.{MAIL}. IN TLSA 3 1 1 ") for line in lines)
    (records,) = json.loads(site.command("certificate", "tlsa", "--json"))
    assert records["current"] != records["next"] and records["published"] == []
    site.command("certificate", "renew", "--force")
    (renewed,) = json.loads(site.command("certificate", "tlsa", "--json"))
    # What was announced came.
    assert renewed["current"] == records["next"]


def test_keys_wait_for_published_records(world: World) -> None:
    pebble = world.pebble()
    site = world.site(pebble.directory_url, **{"key-rollover": True})
    site.launch().wait_until_serving()
    first = public_key(site.served(pebble.root))
    place = f"_{site.imaps}._tcp.{MAIL}."

    def records() -> Any:
        return json.loads(site.command("certificate", "tlsa", "--json"))[0]

    world.names.publish(place, records()["current"])
    assert records()["published"] == [place] and records()["mismatched"] == []
    # Clients that hold to what is published would refuse the next key.
    site.command("certificate", "renew", "--force")
    assert public_key(site.served(pebble.root)) == first
    advice = site.status()[0]["recordAdvice"]
    assert f"{place} IN TLSA {records()['next']}" in advice
    # It is published now, but others may still have the records from before.
    world.names.publish(place, records()["next"])
    site.command("certificate", "renew", "--force")
    since = time.monotonic()
    announced = records()["next"]

    def is_rolled() -> bool:
        site.command("certificate", "renew", "--force")
        return public_key(site.served(pebble.root)) != first

    wait_until(is_rolled, f"the next key is in use: {site.log_path}")
    assert time.monotonic() - since >= 1
    assert records()["current"] == announced and records()["mismatched"] == []


def test_check_explains(world: World) -> None:
    site = world.site("https://ca.example/directory", [f"*.{DOMAIN}"])
    assert "has a wildcard" in site.command("check", expect=78)
    site.settings["acme"] |= {"challenge": "hook", "hook": ["relative"]}
    site.write()
    assert "acme.hook must be set" in site.command("check", expect=78)
    site.settings["acme"] |= {"challenge": "dns-01", "eab-key-id": "x"}
    site.write()
    text = site.command("check", expect=78)
    assert "acme.dns-key-file must be set" in text and "belong together" in text
    site.settings["acme"] = {"directory": "http://ca.example/"}
    site.write()
    assert "https://" in site.command("check", expect=78)


def test_commands_without_a_server(world: World) -> None:
    pebble = world.pebble()
    site = world.site(pebble.directory_url)
    assert f"{MAIL}: renewed" in site.command("certificate", "renew")
    assert "not due" in site.command("certificate", "renew")
    site.start()
    site.served(pebble.root)
