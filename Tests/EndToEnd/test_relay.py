"""Mail goes to other servers: to Postfix as mail exchanger and as smarthost, under the policies that domains publish."""

import http.server
import re
import socket
import threading
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.authority import Authority, Certificate
from support.postfix import Postfix
from support.processes import free_ports, wait_until
from support.sink import Sink
from support.site import Site
from support.stripper import Stripper
from support.trace import crlf, without_trace
from support.nameserver import Zones

needs_postfix = pytest.mark.skipif(not Postfix.available, reason="Postfix is missing: Scripts/prepare --tests, as root")
needs_zones = pytest.mark.skipif(not Zones.available, reason="nsd or ldnsutils is missing: Scripts/prepare --tests")

HEADER = (
    "From: Ada <ada@example.org>\r\nTo: joe@right.example\r\nSubject: folded\r\n\tfield  \r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
).encode()
MESSAGES = {
    "dots": HEADER + b"\r\n.\r\n..\r\n...\r\n.x\r\n \r\n.\r\n",
    "blank lines": HEADER + b"\r\n\r\n\r\ntext  \t\r\n\r\n\r\n",
    "8-bit": HEADER + "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße ☃\r\n".encode(),
    "long lines": HEADER + b"\r\n" + b"x" * 998 + b"\r\n" + b"." * 998 + b"\r\n",
    "no body": HEADER + b"\r\n",
    "large": HEADER + b"\r\n" + b"".join(b".%07d 0123456789 0123456789 0123456789\r\n" % n for n in range(60_000)),
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def stack() -> Iterator[list[Callable[[], None]]]:
    """What is to be stopped at the end."""
    things: list[Callable[[], None]] = []
    yield things
    for stop in reversed(things):
        stop()


class Internet:
    """`right.example` and its exchanger on 127.0.0.1, and a sender that finds it through the DNS."""

    def __init__(
        self, directory: Path, authority: Authority, stack: list[Callable[[], None]], secure: list[str] = [],
        tampered: list[tuple[str, str]] = [], unsigned: list[str] = [], expired: bool = False, host: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        (self.port,) = free_ports(1)
        records = [f"right.example. IN MX 10 mx.right.example.", f"mx.right.example. IN A {host}"]
        records += [line.replace("PORT", str(self.port)) for line in secure]
        self.zones = Zones(directory / "dns", records, unsigned, tampered, expired)
        stack.append(self.zones.stop)
        self.site = Site(
            directory / "site", authority, relay={"mode": "direct", "port": self.port}, dns=self.zones.configuration
        )
        self.site.start()
        stack.append(self.site.stop)

    def wait_until_tried(self, attempts: int = 2) -> None:
        """The queue has tried, in vain, and holds the mail."""
        wait_until(lambda: "right.example" in self.site.queue(), f"something waits: {self.site.log_path}")


# The octets arrive


@needs_postfix
@needs_zones
def test_messages_arrive_at_an_exchanger_as_they_were(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    internet = Internet(tmp_path, authority, stack)
    postfix = Postfix(tmp_path / "postfix", port=internet.port, certificate=authority.issue("mx.right.example"))
    stack.append(postfix.stop)
    for count, message in enumerate(MESSAGES.values(), 1):
        internet.site.submit("joe@right.example", message, options=("BODY=8BITMIME",))
        postfix.wait_for_mail(count)
    arrived = [crlf(without_trace(message)) for message in postfix.mail()]
    assert sorted(arrived) == sorted(MESSAGES.values())
    # Encryption where it is offered.
    assert all(b"with ESMTPS" in message for message in postfix.mail())


@needs_postfix
@pytest.mark.parametrize("security", ["starttls", "implicit"])
def test_a_smarthost_takes_mail_on_with_tls_and_login(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]], security: str
) -> None:
    postfix = Postfix(
        tmp_path / "postfix", certificate=authority.issue("localhost"), login=("latchmail", "a secret"), level="encrypt"
    )
    stack.append(postfix.stop)
    (tmp_path / "password").write_text("a secret\n")
    (tmp_path / "password").chmod(0o600)
    relay = {
        "mode": "smarthost", "smarthost-security": security, "username": "latchmail",
        "smarthost": f"localhost:{postfix.port if security == 'starttls' else postfix.implicit}",
        "password-file": str(tmp_path / "password"),
    }  # fmt: skip
    with Site(tmp_path / "site", authority, relay=relay) as site:
        site.submit(["joe@right.example", "ann@right.example"], MESSAGES["dots"])
        for message in postfix.wait_for_mail(2):
            assert crlf(without_trace(message)) == MESSAGES["dots"]
    assert postfix.responder and set(postfix.responder.attempts) == {b"\0latchmail\0a secret"}
    assert "a secret" not in site.log()


def test_nothing_is_said_to_a_smarthost_that_cannot_prove_its_name(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    """Another name, another authority, another time, no TLS at all."""
    others = Authority(tmp_path / "others", "Other Authority")
    wrong = [
        authority.issue("other.example"), others.issue("localhost"), authority.issue("localhost", expired=True), None,
    ]  # fmt: skip
    for number, certificate in enumerate(wrong):
        with Sink(context=certificate.server_context() if certificate else None) as sink:
            relay = {
                "mode": "smarthost", "smarthost": f"localhost:{sink.port}", "smarthost-security": "starttls",
                "username": "latchmail", "password-command": "echo a secret",
            }  # fmt: skip
            with Site(tmp_path / f"site{number}", authority, relay=relay) as site:
                site.submit("joe@right.example", MESSAGES["dots"])
                wait_until(lambda: sink.connections >= 2, "it is tried again")
                assert not any(line.upper().startswith(("AUTH", "MAIL")) for line in sink.lines)
                assert sink.messages == [] and "right.example" in site.queue()


# What domains publish


def exchange(
    internet: Internet, stack: list[Callable[[], None]], certificate: Certificate | None, host: str = "127.0.0.1"
) -> Sink:
    sink = Sink(host=host, port=internet.port, context=certificate.server_context() if certificate else None)
    stack.append(sink.stop)
    return sink


@needs_zones
def test_dane_holds_the_exchanger_to_its_key(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    right = authority.issue("no.name.at.all")
    internet = Internet(tmp_path, authority, stack, [f"_PORT._tcp.mx.right.example. IN TLSA {right.tlsa()}"])
    sink = exchange(internet, stack, right)
    internet.site.submit("joe@right.example", MESSAGES["dots"])
    wait_until(lambda: sink.messages, f"it arrives: {internet.site.log_path}")
    assert sink.messages[0].secured
    assert without_trace(sink.messages[0].content) == MESSAGES["dots"]


@needs_zones
@pytest.mark.parametrize("case", ["another key", "no STARTTLS", "changed on the way", "signatures out of date"])
def test_dane_keeps_mail_from_those_who_are_not_meant(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]], case: str
) -> None:
    right, other = authority.issue("mx.right.example"), authority.issue("mx.right.example")
    internet = Internet(
        tmp_path, authority, stack, [f"_PORT._tcp.mx.right.example. IN TLSA {right.tlsa()}"],
        tampered=[("127.0.0.1\nmx.right.example.\t60\tIN\tRRSIG", "127.0.0.2\nmx.right.example.\t60\tIN\tRRSIG")]
        if case == "changed on the way" else [],
        expired=case == "signatures out of date",
    )  # fmt: skip
    certificate = {"another key": other, "no STARTTLS": None}.get(case, right)
    sinks = [exchange(internet, stack, certificate, host) for host in ("127.0.0.1", "127.0.0.2")]
    internet.site.submit("joe@right.example", MESSAGES["dots"])
    internet.wait_until_tried()
    if case in ("another key", "no STARTTLS"):
        wait_until(lambda: sinks[0].connections >= 2, "it is tried again")
    for sink in sinks:
        assert sink.messages == [] and not any(line.upper().startswith("MAIL") for line in sink.lines)
    assert "right.example" in internet.site.queue()


@needs_zones
def test_records_that_are_not_signed_are_no_promise(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    (port,) = free_ports(1)
    right, other = authority.issue("mx"), authority.issue("mx")
    unsigned = ["@ IN MX 10 mx", "mx IN A 127.0.0.1", "_25._tcp.mx IN TLSA " + right.tlsa()]
    internet = Internet(tmp_path, authority, stack, unsigned=unsigned)
    sink = exchange(internet, stack, other)
    internet.site.submit("joe@unsigned.example", MESSAGES["dots"])
    wait_until(lambda: sink.messages, f"it arrives: {internet.site.log_path}")
    assert sink.messages[0].secured


@needs_zones
def test_stripping_starttls_is_noticed_where_a_policy_says_so(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    """With DANE mail waits; without any policy it goes in the clear, as with all servers."""
    right = authority.issue("mx.right.example")
    internet = Internet(
        tmp_path, authority, stack,
        [
            f"_PORT._tcp.mx.right.example. IN TLSA {right.tlsa()}", "free.example. IN MX 10 mx.free.example.",
            "mx.free.example. IN A 127.0.0.1",
        ],
    )  # fmt: skip
    with Sink(context=right.server_context()) as server:
        between = Stripper("127.0.0.1", internet.port, ("127.0.0.1", server.port))
        stack.append(between.stop)
        internet.site.submit("joe@right.example", MESSAGES["dots"])
        wait_until(lambda: between.stripped >= 2, "it is tried again")
        assert server.messages == [] and b"MAIL" not in between.seen and b"joe" not in between.seen
        internet.site.submit("joe@free.example", MESSAGES["dots"])
        wait_until(lambda: server.messages, f"it arrives: {internet.site.log_path}")
        assert not server.messages[0].secured
        assert "right.example" in internet.site.queue()


class PolicyServer:
    """An HTTPS server for MTA-STS policies, on port 443 of an address of its own."""

    def __init__(self, certificate: Certificate, policy: str, host: str = "127.0.4.43") -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = policy.encode()
                self.send_response(200 if self.path == "/.well-known/mta-sts.txt" else 404)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer((host, 443), Handler)
        self.server.socket = certificate.server_context().wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def may_listen_on_443() -> bool:
    try:
        socket.create_server(("127.0.4.43", 443)).close()
        return True
    except OSError:
        return False


STS = [
    "sts.unsigned.example. IN MX 10 mx.sts.unsigned.example.", "mx.sts.unsigned.example. IN A 127.0.0.1",
    '_mta-sts.sts.unsigned.example. IN TXT "v=STSv1; id=1"', "mta-sts.sts.unsigned.example. IN A 127.0.4.43",
]  # fmt: skip


@needs_zones
@pytest.mark.skipif(not may_listen_on_443(), reason="port 443 of 127.0.4.43 cannot be listened on")
@pytest.mark.parametrize("mode", ["enforce", "testing", "none"])
@pytest.mark.parametrize("exchanger", ["right", "other name", "no STARTTLS", "unlisted"])
def test_mta_sts_policies(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]], mode: str, exchanger: str
) -> None:
    name = "mx.else.unsigned.example" if exchanger == "unlisted" else "mx.sts.unsigned.example"
    policy = f"version: STSv1\r\nmode: {mode}\r\nmx: {name}\r\nmax_age: 86400\r\n"
    server = PolicyServer(authority.issue("mta-sts.sts.unsigned.example"), policy)
    stack.append(server.stop)
    internet = Internet(tmp_path, authority, stack, unsigned=STS)
    certificate = {
        "right": authority.issue("mx.sts.unsigned.example"), "unlisted": authority.issue("mx.sts.unsigned.example"),
        "other name": authority.issue("other.example"), "no STARTTLS": None,
    }[exchanger]  # fmt: skip
    sink = exchange(internet, stack, certificate)
    internet.site.submit("joe@sts.unsigned.example", MESSAGES["dots"])
    if mode == "enforce" and exchanger != "right":
        wait_until(lambda: "sts.unsigned.example" in internet.site.queue(), "it waits")
        if exchanger != "unlisted":
            wait_until(lambda: sink.connections >= 2, "it is tried again")
        assert sink.messages == [] and not any(line.upper().startswith("MAIL") for line in sink.lines)
    else:
        wait_until(lambda: sink.messages, f"it arrives: {internet.site.log_path}")
        assert sink.messages[0].secured == (exchanger != "no STARTTLS")


# What servers answer


@needs_zones
def test_temporary_refusals_are_tried_again_and_permanent_ones_come_back(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    internet = Internet(tmp_path, authority, stack)
    sink = exchange(internet, stack, None)
    refusals = iter(["451 4.3.0 later", "421 4.3.2 busy"])
    sink.answers["."] = lambda _: next(refusals, None)
    sink.answers["RCPT"] = lambda line: "550 5.1.1 no such user" if "nobody" in line else None
    internet.site.submit(["joe@right.example", "nobody@right.example"], MESSAGES["dots"])
    wait_until(lambda: sink.messages, f"it arrives: {internet.site.log_path}")
    assert [re.findall("<(.*?)>", line) for line in sink.messages[0].recipients] == [["joe@right.example"]]
    (report,) = internet.site.wait_for_mail("ada")
    assert b"multipart/report" in report and b"nobody@right.example" in report and b"5.1.1" in report
    assert b"joe@right.example" not in report.split(b"message/delivery-status", 1)[1].split(b"\r\n--", 1)[0]
    wait_until(lambda: "right.example" not in internet.site.queue(), "the queue is empty")


@needs_zones
def test_a_domain_that_takes_no_mail_and_one_that_is_not_there(
    tmp_path: Path, authority: Authority, stack: list[Callable[[], None]]
) -> None:
    """Null MX (RFC 7505); NXDOMAIN."""
    internet = Internet(tmp_path, authority, stack, ["null.example. IN MX 0 ."])
    internet.site.submit("joe@null.example", MESSAGES["dots"])
    internet.site.submit("joe@nowhere.example", MESSAGES["dots"])
    reports = internet.site.wait_for_mail("ada", 2)
    assert sum(b"5.1.10" in report for report in reports) == 1
    assert all(b"multipart/report" in report for report in reports)
