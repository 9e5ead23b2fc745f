"""Each rule of the house, broken on purpose in a small tree, must be found."""

import tempfile
import unittest
from pathlib import Path

from script import load

check_layers = load("check-layers")

ARCHITECTURE = """
Layer 6  latchmaild                     arguments
Layer 4  POP3Server  IMAPServer
Layer 3  SessionRuntime                 the only importer of NIOPosix and NIOSSL
Layer 2  MailStore ← SQLiteStore
Layer 1  POP3Syntax → WireFraming
Layer 0  MailVocabulary
"""
MANIFEST = """
pure("MailVocabulary"),
pure("WireFraming", ["MailVocabulary"]),
pure("POP3Syntax", ["MailVocabulary", "WireFraming"]),
layer("MailStore", ["MailVocabulary"]),
layer("SQLiteStore", ["MailStore", grdb]),
layer("SessionRuntime", ["WireFraming", nioPosix]),
layer(
    "POP3Server",
    ["MailVocabulary", "MailStore"]),
layer("IMAPServer", ["MailStore"]),
.executableTarget(name: "latchmaild", dependencies: ["SQLiteStore", "POP3Server"]),
"""


class CheckLayersTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.write("docs/ARCHITECTURE.md", ARCHITECTURE)
        self.write("Package.swift", MANIFEST)
        self.write("Sources/POP3Syntax/Good.swift", "package import MailVocabulary\nimport WireFraming\n")
        self.write("Sources/SessionRuntime/Good.swift", "import NIOPosix\nimport Foundation\n")
        self.write("Sources/latchmaild/Good.swift", "import SQLiteStore\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def assert_found(self, path: str, text: str, line: int, reason: str) -> None:
        self.write(path, text)
        found = [v for v in check_layers.check(self.root) if v.path == path]
        self.assertEqual([(v.line, reason in v.reason) for v in found], [(line, True)], found)

    def test_clean_tree(self) -> None:
        self.assertEqual(check_layers.check(self.root), [])

    def test_import_upwards(self) -> None:
        self.assert_found("Sources/MailStore/Bad.swift", "\npackage import POP3Server\n", 2, "above it")

    def test_server_imports_server(self) -> None:
        self.assert_found("Sources/POP3Server/Bad.swift", "import IMAPServer\n", 1, "beside it")

    def test_sockets_outside_the_runtime(self) -> None:
        self.assert_found("Sources/POP3Server/Bad.swift", "@preconcurrency import NIOPosix\n", 1, "SessionRuntime only")

    def test_store_outside_the_executable(self) -> None:
        self.assert_found("Sources/POP3Server/Bad.swift", "private import SQLiteStore\n", 1, "latchmaild only")

    def test_foundation_in_a_pure_layer(self) -> None:
        self.assert_found("Sources/POP3Syntax/Bad.swift", "import struct Foundation.Data\n", 1, "standard library")

    def test_undeclared_dependency(self) -> None:
        self.assert_found("Sources/IMAPServer/Bad.swift", "import MailVocabulary\n", 1, "without declaring")

    def test_long_file(self) -> None:
        self.assert_found("Sources/POP3Server/Bad.swift", "//\n" * 401, 401, "at most 400")

    def test_target_missing_from_the_drawing(self) -> None:
        self.assert_found("Package.swift", MANIFEST + 'layer("Attic", []),\n', 13, "not in the drawing")

    def test_manifest_points_upwards(self) -> None:
        changed = MANIFEST.replace('layer("MailStore", [', 'layer("MailStore", ["POP3Server", ')
        self.assert_found("Package.swift", changed, 5, "above it")


if __name__ == "__main__":
    unittest.main()
