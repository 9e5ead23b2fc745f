"""The requirement table: what counts as covered, what as open, and tags that name nothing."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

from script import load

requirements = load("requirements")

TABLE = """
## (B) IMAP server

| ID | Level | Requirement | Source | Status |
|---|---|---|---|---|
|8314-3.2-1s|fact|TLS first|8314 §3.2|IN|
|DEEP-4.2-1|fact|the same|DEEP §4.2|=8314-3.2-1s|
|DEEP-9.2-5|MUST|log|DEEP §9.2|IN with 8314-4-16|
|8314-4-16|SHOULD|log|8314 §4|UP x|
|DEEP-7.1-1|fact|draft only|DEEP §7.1|X|
|DEEP-9.1-3s|MUST|RC4|DEEP §9.1|SUP: MUST NOT|

## (C) POP3 server

|2595-4-1|MUST|CAPA|2595 §4|IN|
|8314-2-1|fact|capitals|8314 §2|INFO; note|

## Appendix 3. Counts

|2595-4-9|MUST|no row of a role|2595 §4|IN|
"""


class RequirementsTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.write("docs/requirements.md", TABLE)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run_script(self, *arguments: str) -> tuple[int, str, str]:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            code = requirements.main(list(arguments), self.root)
        return code, out.getvalue(), err.getvalue()

    def states(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in json.loads(self.run_script("--json")[1])}

    def test_without_tests_what_is_in_force_is_open(self) -> None:
        self.write("Tests/x.txt", "")
        self.assertEqual(
            self.states(),
            {
                "8314-3.2-1s": "open", "DEEP-4.2-1": "open", "DEEP-9.2-5": "open", "8314-4-16": "open",
                "DEEP-7.1-1": "gated", "DEEP-9.1-3s": "superseded", "2595-4-1": "open", "8314-2-1": "information",
            },
        )

    def test_a_tag_covers_its_row_and_those_it_governs(self) -> None:
        self.write("Tests/A.swift", '@Test("greets inside TLS [8314-3.2-1s]") func a() {}\n')
        self.write("Tests/e2e/test_b.py", "# [8314-4-16]\ndef test_b(): ...\n")
        self.write("Tests/c.transcript", "# [2595-4-1]\nC: CAPA\n")
        covered = {name for name, state in self.states().items() if state == "covered"}
        self.assertEqual(covered, {"8314-3.2-1s", "DEEP-4.2-1", "8314-4-16", "DEEP-9.2-5", "2595-4-1"})

    def test_a_file_without_tests_covers_nothing(self) -> None:
        self.write("Tests/Helper.swift", "// [8314-3.2-1s]\n")
        self.assertEqual(self.states()["8314-3.2-1s"], "open")

    def test_a_tag_that_names_no_requirement_is_an_error(self) -> None:
        self.write("Tests/A.swift", '\n@Test("x [8314-99-1]") func a() {}\n')
        code, _, errors = self.run_script("--check")
        self.assertEqual(code, 1)
        self.assertIn("Tests/A.swift:2: [8314-99-1]", errors)

    def test_summary_counts(self) -> None:
        self.write("Tests/A.swift", '@Test("x [2595-4-1]") func a() {}\n')
        code, table, _ = self.run_script()
        self.assertEqual(code, 0)
        self.assertEqual(table.splitlines()[-1].split(), ["all", "8", "1", "4", "1", "1", "1"])

    def test_open_of_one_role(self) -> None:
        self.write("Tests/x.txt", "")
        self.assertEqual(self.run_script("--open", "--role", "C")[1].split()[:2], ["open", "2595-4-1"])


if __name__ == "__main__":
    unittest.main()
