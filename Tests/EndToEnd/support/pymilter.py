#!/usr/bin/python3
"""A filter on libmilter, by way of Debian's python3-milter: an independent peer for the milter client.

    pymilter.py SOCKET RECORD

Writes each thing that it is told as one JSON line to RECORD, and does what fields of the message named X-Do ask for.
"""

import json
import sys

import Milter


@Milter.header_leading_space
class Filter(Milter.Base):
    def __init__(self) -> None:
        self.record: list[list[object]] = []
        self.wishes: list[list[str]] = []
        self.octets = 0

    def note(self, *what: object) -> int:
        with open(sys.argv[2], "a") as record:
            record.write(json.dumps(what) + "\n")
        return Milter.CONTINUE

    def connect(self, name: str, family: int, address: tuple[object, ...]) -> int:
        self.wishes, self.octets = [], 0
        return self.note("connect", name, address, self.getsymval("j"), self.getsymval("{daemon_name}"))

    def hello(self, name: str) -> int:
        return self.note("hello", name)

    def envfrom(self, sender: str, *parameters: str) -> int:
        self.wishes, self.octets = [], 0
        if "reject-sender" in sender:
            self.setreply("550", "5.7.1", "No 100%% welcome", "not at all")
            return Milter.REJECT
        return self.note("sender", sender, parameters, self.getsymval("{auth_authen}"))

    def envrcpt(self, recipient: str, *parameters: str) -> int:
        if "reject-recipient" in recipient:
            return Milter.REJECT
        return self.note("recipient", recipient, parameters)

    def data(self) -> int:
        return self.note("data", self.getsymval("i"))

    @Milter.noreply
    def header(self, name: str, value: str) -> int:
        if name == "X-Do":
            self.wishes.append(value.split())
        return self.note("header", name, value)

    def eoh(self) -> int:
        return self.note("end of header")

    def body(self, piece: bytes) -> int:
        self.octets += len(piece)
        self.note("body", len(piece))
        return Milter.SKIP if ["skip"] in self.wishes else Milter.CONTINUE

    def eom(self) -> int:
        self.note("end", self.octets)
        answer = Milter.CONTINUE
        for wish, *words in self.wishes:
            if wish == "add":
                self.addheader(words[0], " " + " ".join(words[1:]))
            elif wish == "insert":
                self.addheader(words[1], " " + " ".join(words[2:]), int(words[0]))
            elif wish == "change":
                self.chgheader(words[1], int(words[0]), " " + " ".join(words[2:]) if words[2:] else "")
            elif wish == "body":
                for _ in range(int(words[0])):
                    self.replacebody(" ".join(words[1:]) * 5000 + "\n")
            elif wish == "sender":
                self.chgfrom(words[0], " ".join(words[1:]) or None)
            elif wish == "recipient":
                self.addrcpt(*words)
            elif wish == "remove":
                self.delrcpt(words[0])
            elif wish == "quarantine":
                self.quarantine(" ".join(words))
            elif wish == "progress":
                self.progress()
            elif wish in ("reject", "tempfail", "discard"):
                answer = {"reject": Milter.REJECT, "tempfail": Milter.TEMPFAIL, "discard": Milter.DISCARD}[wish]
        return answer

    def abort(self) -> int:
        return self.note("abort")

    def close(self) -> int:
        return self.note("close")


if __name__ == "__main__":
    Milter.factory = Filter
    Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY | Milter.ADDRCPT | Milter.ADDRCPT_PAR
                     | Milter.DELRCPT | Milter.QUARANTINE | Milter.CHGFROM)  # fmt: skip
    Milter.runmilter("test", sys.argv[1], 240)
