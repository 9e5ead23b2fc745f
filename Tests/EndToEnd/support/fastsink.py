"""An LMTP server that takes whatever comes, as fast as Python can: for long queues.

    fastsink.py PORT STATUS

Keeps how many messages came, and how many of different numbers (`Subject: number N`), in the file STATUS.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

NUMBER = re.compile(rb"\r\nSubject: number (\d+)\r\n")
seen: set[int] = set()
count = 0


class Dialogue(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer, self.recipients, self.is_in_message = transport, b"", 0, False
        transport.write(b"220 sink LMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        answers: list[bytes] = []
        while self.message(answers) if self.is_in_message else self.command(answers):
            pass
        self.transport.write(b"".join(answers))

    def message(self, answers: list[bytes]) -> bool:
        global count
        content, end, rest = self.buffer.partition(b"\r\n.\r\n")
        if not end:
            return False
        self.buffer, self.is_in_message = rest, False
        found = NUMBER.search(b"\r\n" + content)
        if found:
            seen.add(int(found[1]))
        count += 1
        answers += [b"250 2.1.5 taken\r\n"] * self.recipients
        return True

    def command(self, answers: list[bytes]) -> bool:
        line, end, rest = self.buffer.partition(b"\r\n")
        if not end:
            return False
        self.buffer = rest
        verb = line[:4].upper()
        if verb == b"LHLO":
            answers.append(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
        elif verb == b"DATA":
            self.is_in_message = True
            answers.append(b"354 go\r\n")
        elif verb == b"QUIT":
            answers.append(b"221 2.0.0 bye\r\n")
        else:
            self.recipients = self.recipients + 1 if verb == b"RCPT" else 0 if verb == b"MAIL" else self.recipients
            answers.append(b"250 2.0.0 ok\r\n")
        return True


async def main() -> None:
    await asyncio.get_running_loop().create_server(Dialogue, "127.0.0.1", int(sys.argv[1]))
    status, told = Path(sys.argv[2]), -1
    while True:
        if told != count:
            told = count
            new = status.with_suffix(".new")
            new.write_text(f"{count} {len(seen)}")
            os.replace(new, status)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
