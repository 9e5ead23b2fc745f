"""rspamd, unpacked by Scripts/prepare --tests, as a milter on a socket of its own, without network: no DNS, no maps, no
Redis, none of the rules that come with it. It knows GTUBE, and one subject."""

from pathlib import Path

from .processes import PEERS, Foreign

ROOT = PEERS / "rspamd" / "root"
LIBRARIES = ":".join(f"{ROOT}/usr/lib/{part}" for part in ("x86_64-linux-gnu", "rspamd"))

CONFIGURATION = """\
options {{
    pidfile = "{directory}/pid";
    tempdir = "{directory}";
    hs_cache_dir = "{directory}";
    control_socket = "{directory}/control mode=0600";
    url_tld = "{directory}/domains";
    filters = "regexp";
    disable_hyperscan = true;
    gtube_patterns = "reject";
    dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "info"; }}
lang_detection {{ languages_enable = []; }}
actions {{ reject = 15; add_header = 6; }}
group "test" {{ symbols = {{ BUY_NOW {{ weight = 10.0; }} }} }}
regexp {{ BUY_NOW = "Subject=/^buy now/i"; }}
worker "rspamd_proxy" {{
    bind_socket = "{directory}/socket mode=0600";
    milter = yes;
    timeout = 60s;
    count = 1;
    upstream "local" {{ default = yes; self_scan = yes; }}
    spam_header = "X-Spam";
}}
"""


class Rspamd:
    available = (ROOT / "usr/bin/rspamd").exists()

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.socket = directory / "socket"
        share = ROOT / "usr/share/rspamd"
        # The list that comes with it takes seconds to compile.
        (directory / "domains").write_text("example\norg\n")
        (directory / "conf").write_text(CONFIGURATION.format(directory=directory))
        places = {
            "CONFDIR": ROOT / "etc/rspamd", "LOCAL_CONFDIR": directory, "DBDIR": directory, "RUNDIR": directory,
            "LOGDIR": directory, "SHAREDIR": share, "RULESDIR": share / "rules", "LUALIBDIR": share / "lualib",
            "PLUGINSDIR": share / "plugins", "WWWDIR": share / "www",
        }  # fmt: skip
        command: list[str | Path] = [ROOT / "usr/bin/rspamd", "-f", "-i", "-u", "root", "-g", "root", "-c", directory / "conf"]
        for name, place in places.items():
            command += ["--var", f"{name}={place}"]
        self.process = Foreign(command, directory, {"LD_LIBRARY_PATH": LIBRARIES})
        self.process.wait_for(self.socket.exists, "rspamd")

    def stop(self) -> None:
        self.process.stop()
