"""Thunderbird on a virtual display, driven by the keyboard and by its remote control (Marionette)."""

import base64
import json
import os
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Callable

from support.programs import run
from support.server import Account, DemoServer

# It starts, indexes and draws while other tests' programs run.
PATIENCE = 60
TAB, ENTER = "\ue004", "\ue007"

# Its windows are made of web components: elements are looked for through all shadow roots.
FIND = """
    function* all(root) {
        for (const e of root.querySelectorAll("*")) { yield e; if (e.shadowRoot) yield* all(e.shadowRoot); }
    }
    const visible = (test) => [...all(document)].find((e) => e.getClientRects().length > 0 && test(e));
    const button = () => visible((e) => e.id == "forward" && !e.disabled);
"""


class SettingsServer:
    """Answers Thunderbird's question for an account's settings, as a provider's web server would."""

    def __init__(self, server: DemoServer) -> None:
        answer = settings(server).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/"


def settings(server: DemoServer) -> str:
    def one(direction: str, kind: str, port: int) -> str:
        return (
            f'<{direction} type="{kind}"><hostname>{server.name}</hostname><port>{port}</port>'
            f"<socketType>SSL</socketType><authentication>password-cleartext</authentication>"
            f"<username>%EMAILADDRESS%</username></{direction}>"
        )

    return (
        '<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="demo"><domain>latchmail.test</domain>'
        "<displayName>Demo</displayName>"
        + one("incomingServer", "imap", server.imap.implicit)
        + one("outgoingServer", "smtp", server.submission.implicit)
        + "</emailProvider></clientConfig>"
    )


class Thunderbird:
    """A fresh profile that trusts the demo's authority. Use as a context manager: leaving it ends both programs."""

    def __init__(self, server: DemoServer, work: Path) -> None:
        self.settings = SettingsServer(server)
        self.profile = work / "profile"
        self.profile.mkdir()
        store = f"sql:{self.profile}"
        run(["certutil", "-N", "-d", store, "--empty-password"])
        run(["certutil", "-A", "-d", store, "-t", "C,,", "-n", "demo", "-i", server.ca])
        port = free_port()
        preferences: dict[str, object] = {
            "marionette.port": port, "mailnews.auto_config_url": self.settings.url, "mail.rights.version": 1,
            "mailnews.start_page.enabled": False, "mail.shell.checkDefaultClient": False, "network.proxy.type": 0,
            "datareporting.policy.dataSubmissionEnabled": False, "app.donation.eoy.version.viewed": 999,
        }  # fmt: skip
        lines = [f'user_pref("{name}", {json.dumps(value)});\n' for name, value in preferences.items()]
        (self.profile / "user.js").write_text("".join(lines))
        self.display, number = start_display(work)
        command = ["thunderbird", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile"]
        self.process = subprocess.Popen(
            [*command, str(self.profile)], env={**os.environ, "DISPLAY": f":{number}", "HOME": str(work)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.control = Marionette(port)

    def __enter__(self) -> "Thunderbird":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.display.kill()
        self.display.wait()
        self.settings.http.shutdown()

    def set_up(self, account: Account) -> None:
        """Goes through the first-run dialog as a person does: name, address, settings found, password."""
        self.until(FIND + "return visible((e) => e.localName == 'input' && e.type == 'email') != null")
        self.control.type("Reader" + TAB + account.address)
        self.until(FIND + "return button() != null")
        self.control.type(ENTER)
        self.until(FIND + "return visible((e) => e.textContent.trim() == 'Account settings found automatically.') != null")
        self.control.run(FIND + "button().click()")
        self.until(FIND + "return visible((e) => e.localName == 'input' && e.type == 'password') != null")
        self.control.run(FIND + "visible((e) => e.localName == 'input' && e.type == 'password').focus()")
        self.control.type(account.password)
        self.until(FIND + "return button() != null")
        self.control.run(FIND + "button().click()")
        self.until(FIND + "return button()?.textContent.trim() == 'Finish'")
        self.control.run(FIND + "button().click()")

    def read(self, subject: str) -> str:
        """Opens INBOX and in it the message with this subject, once it is there; returns the text that is shown."""
        pane = "const pane = document.getElementById('tabmail').currentAbout3Pane;"
        self.control.run(
            pane
            + """
            const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
            const server = MailServices.accounts.allServers.find((s) => s.type == "imap");
            pane.displayFolder(server.rootFolder.getChildNamed("INBOX").URI);
            """
        )
        self.until(
            pane
            + """
            const view = pane.gDBView;
            for (let row = 0; row < (view?.rowCount ?? 0); row++) {
                if (view.getMsgHdrAt(row).mime2DecodedSubject != arguments[0]) continue;
                pane.threadTree.selectedIndex = row;
                return true;
            }
            return false;
            """,
            subject,
        )
        shown = """
            const message = document.getElementById("tabmail").currentAboutMessage;
            const text = message.getMessagePaneBrowser()?.contentDocument?.body?.textContent ?? "";
            return text.includes(arguments[0]) ? text : "";
        """
        return str(self.until(shown, subject))

    def until(self, script: str, *arguments: object) -> Any:
        """Runs a script again and again until it returns something true."""
        deadline = time.monotonic() + PATIENCE
        while not (result := self.control.run(script, *arguments)):
            if time.monotonic() > deadline:
                self.control.screenshot(self.profile.parent / "thunderbird.png")
                raise AssertionError(f"Thunderbird did not come so far: {script} ({self.profile.parent}/thunderbird.png)")
            time.sleep(0.2)
        return result


class Marionette:
    """The remote control: JSON messages, each after its length and a colon."""

    def __init__(self, port: int) -> None:
        self.socket = retry(lambda: socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        self.file = self.socket.makefile("rb")
        self.number = 0
        self.read()
        self.call("WebDriver:NewSession", capabilities={})
        self.call("Marionette:SetContext", value="chrome")

    def read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            piece = self.file.read(1)
            assert piece, "Thunderbird has gone"
            length += piece
        return json.loads(self.file.read(int(length[:-1])))

    def call(self, command: str, **parameters: object) -> Any:
        self.number += 1
        message = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(str(len(message)).encode() + b":" + message)
        _, _, error, result = self.read()
        assert error is None, error
        return result

    def run(self, script: str, *arguments: object) -> Any:
        return self.call("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def type(self, text: str) -> None:
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.call("WebDriver:PerformActions", actions=[{"type": "key", "id": "keyboard", "actions": keys}])
        self.call("WebDriver:ReleaseActions")

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("WebDriver:TakeScreenshot", full=True)["value"]))


def start_display(work: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A virtual display with a number of its own choice."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    display = subprocess.Popen(command, pass_fds=[writing], stderr=(work / "display.log").open("wb"))
    os.close(writing)
    with os.fdopen(reading) as numbers:
        number = numbers.readline().strip()
    assert number, "Xvfb did not start: " + (work / "display.log").read_text()
    return display, int(number)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def retry(attempt: Callable[[], socket.socket]) -> socket.socket:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
