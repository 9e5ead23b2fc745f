"""Messages to the octet, apart from what each hop writes on top."""

import re

TRACE = re.compile(rb"(Return-Path|Received|Delivered-To|X-Original-To|Authentication-Results|X-Envelope-To):", re.I)


def without_trace(message: bytes) -> bytes:
    """The message from its first field on that is no trace field of a server's. Line ends as they are."""
    while match := TRACE.match(message):
        end = re.search(rb"\r?\n(?![ \t])", message)
        assert end is not None
        message = message[end.end() :]
    return message


def crlf(message: bytes) -> bytes:
    """For stores that keep lines with LF: no message of the tests has a bare CR or LF in transit."""
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
