"""systemd's side: readiness, reloading, the watchdog, sockets that it passes, and rights that are given up."""

import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from support.authority import Authority
from support.processes import free_ports, listens, wait_until
from support.programs import run
from support.server import BINARY, ROOT
from support.site import PASSWORD, Site

UNIT = ROOT / "packaging" / "latchmaild.service"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights up")


class Notifications:
    """What a service manager is told."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self.socket.settimeout(60)

    def expect(self, *parts: str) -> str:
        """The next message with these parts; others are passed over."""
        while True:
            message = self.socket.recv(4096).decode()
            if all(part in message.split("\n") or part.endswith("=") and part in message for part in parts):
                return message


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "site", Authority(tmp_path / "authority"))
    yield made
    made.stop()


def serve(site: Site, *before: str, **environment: str) -> None:
    with site.log_path.open("ab") as log:
        site.process = subprocess.Popen(
            [*before, BINARY, "serve", "--config", site.config], stdout=log, stderr=log,
            env={**os.environ, **environment},
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_it_says_when_it_is_ready_reloading_and_stopping(site: Site, tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / "notify") if kind == "path" else f"@latchmail-{os.getpid()}"
    told = Notifications(path)
    serve(site, NOTIFY_SOCKET=path)
    told.expect("READY=1")
    assert listens(site.imaps)
    assert site.process is not None
    before = time.monotonic_ns() // 1000
    site.process.send_signal(signal.SIGHUP)
    message = told.expect("RELOADING=1", "MONOTONIC_USEC=")
    (moment,) = (int(line.partition("=")[2]) for line in message.split("\n") if line.startswith("MONOTONIC_USEC"))
    assert before <= moment <= time.monotonic_ns() // 1000
    told.expect("READY=1")
    site.process.send_signal(signal.SIGTERM)
    told.expect("STOPPING=1")
    assert site.process.wait(60) == 0
    site.process = None


def test_the_watchdog_is_fed_while_all_is_well(site: Site, tmp_path: Path) -> None:
    told = Notifications(str(tmp_path / "notify"))
    serve(site, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
    for _ in range(5):
        told.expect("WATCHDOG=1")


def test_sockets_from_the_service_manager(site: Site) -> None:
    """systemd-socket-activate passes two; what they are for is in their names."""
    first, second, direct = free_ports(3)
    site.settings["listeners"]["imap"]["implicit"] = [f"127.0.0.1:{direct}"]
    site.write()
    serve(
        site, "systemd-socket-activate", "-l", f"127.0.0.1:{first}", "-l", f"127.0.0.1:{second}",
        "--fdname=imap-implicit:pop3-starttls", "-E", "LATCHMAIL_RUN_AS",
    )  # fmt: skip
    wait_until(lambda: listens(first), "the socket is there")
    site.imaps = first
    wait_until(lambda: "serving" in site.log(), "it serves")
    assert site.mailbox("ada") == []
    with socket.create_connection(("127.0.0.1", second), 30) as pop:
        assert pop.recv(4096).startswith(b"+OK")
    # What is not passed is listened on as configured; what is, is not.
    assert listens(site.submissions) and not listens(direct)


@pytest.mark.parametrize("names", ["", "imap", "imap-implicit:what"])
def test_a_socket_without_purpose_is_refused(site: Site, names: str) -> None:
    """Nothing is guessed about TLS."""
    ports = free_ports(2)
    arguments = [part for port in ports for part in ("-l", f"127.0.0.1:{port}")]
    named = [f"--fdname={names}"] if names else []
    serve(site, "systemd-socket-activate", *arguments, *named, "-E", "LATCHMAIL_RUN_AS")
    wait_until(lambda: listens(ports[0]), "the socket is there")
    assert site.process is not None and site.process.wait(60) == 78
    site.process = None
    assert "FileDescriptorName" in site.log()


# Rights


def status_of(process: int) -> dict[str, str]:
    lines = (line.partition(":") for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return {name: value.strip() for name, _, value in lines}


def give_to(path: Path, user: int) -> None:
    for one in [path, *path.rglob("*")]:
        os.chown(one, user, user)


@AS_ROOT
def test_root_is_given_up_for_good(site: Site) -> None:
    """Ports below 1024 are bound, then every thread is `nobody`, without capabilities."""
    site.settings["run-as"] = "nobody:nogroup"
    # An address that nobody else uses.
    site.settings["listeners"]["pop3"]["implicit"] = ["127.0.0.77:995"]
    site.write()
    nobody = 65534
    give_to(site.directory, nobody)
    for parent in [site.directory, site.authority.directory, *site.directory.parents]:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    give_to(site.authority.directory, nobody)
    environment = {name: value for name, value in os.environ.items() if name != "LATCHMAIL_RUN_AS"}
    with site.log_path.open("ab") as log:
        site.process = subprocess.Popen(
            [BINARY, "serve", "--config", site.config], stdout=log, stderr=log, env=environment
        )  # fmt: skip
    wait_until(lambda: site.process.poll() is not None or listens(995, "127.0.0.77"), "it serves")  # type: ignore[union-attr]
    assert site.process.poll() is None, site.log()
    wait_until(lambda: listens(site.imaps), "IMAP too")
    threads = [int(task.name) for task in Path(f"/proc/{site.process.pid}/task").iterdir()]
    assert len(threads) > 1
    for thread in threads:
        status = status_of(thread)
        assert set(status["Uid"].split()) == {str(nobody)} and set(status["Gid"].split()) == {str(nobody)}
        assert "0" not in status["Groups"].split()
        assert all(int(status[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapAmb"))
        assert status["NoNewPrivs"] == "1"
    limits = Path(f"/proc/{site.process.pid}/limits").read_text()
    assert any(line.startswith("Max core file size") and line.split()[4] == "0" for line in limits.splitlines())
    assert site.mailbox("ada") == []
    # Not dumpable: what is in memory is root's to look at.
    assert Path(f"/proc/{site.process.pid}/environ").stat().st_uid == 0


@AS_ROOT
def test_root_must_say_whom_to_become(site: Site) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "LATCHMAIL_RUN_AS"}
    done = subprocess.run([BINARY, "serve", "--config", site.config], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 77 and b"run-as" in done.stderr, done


@AS_ROOT
def test_a_state_directory_of_somebody_else_is_refused(site: Site) -> None:
    state = Path(site.settings["state-directory"])
    os.chown(state, 12345, 12345)
    done = subprocess.run([BINARY, "serve", "--config", site.config], capture_output=True, timeout=60)
    assert done.returncode == 77 and b"belongs to another user" in done.stderr, done
    os.chown(state, 0, 0)
    state.chmod(0o777)
    done = subprocess.run([BINARY, "serve", "--config", site.config], capture_output=True, timeout=60)
    assert done.returncode == 77 and b"everyone can write" in done.stderr, done
    state.chmod(0o700)


def test_in_a_container_without_privileges(site: Site) -> None:
    """A user namespace, no capabilities, everything read-only but the state: as a container gives it."""
    serve_in_namespace(site)
    wait_until(lambda: site.process is not None and (site.process.poll() is not None or listens(site.imaps)), "it serves")
    assert site.process is not None and site.process.poll() is None, site.log()
    assert site.mailbox("ada") == []


def serve_in_namespace(site: Site) -> None:
    script = f"""
mount --bind {site.directory} {site.directory} && mount -o remount,bind,ro / &&
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""
    with site.log_path.open("ab") as log:
        site.process = subprocess.Popen(
            ["unshare", "-Ur", "--mount", "sh", "-c", script, "sh", BINARY, "serve", "--config", site.config],
            stdout=log, stderr=log, env={**os.environ, "LATCHMAIL_RUN_AS": "root"},
        )  # fmt: skip


def test_the_unit_is_hardened() -> None:
    """systemd's own judgement of the unit, without installing it."""
    done = run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT], expect=None)
    text = done.stdout.decode(errors="replace")
    overall = next((line for line in text.splitlines() if "Overall exposure level" in line), "")
    assert overall, text + done.stderr.decode(errors="replace")
    level = float(overall.rpartition(":")[2].split()[0])
    assert level <= 2.0, text


def test_the_unit_has_no_mistakes(tmp_path: Path) -> None:
    unit = tmp_path / "latchmaild.service"
    unit.write_text(UNIT.read_text().replace("/usr/bin/latchmaild", str(BINARY)))
    done = run(["systemd-analyze", "verify", "--man=no", unit], expect=None)
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "latchmaild.service" in line]
    assert not said, said
    assert PASSWORD not in UNIT.read_text()
