"""Mailboxes that two users share (RFC 4314, RFC 8440, RFC 2342), by imaplib, which knows the commands."""

import contextlib
import imaplib
import time
from typing import Iterator

import pytest

from support.clients import fetch, imap
from support.messages import plain
from support.server import Account, DemoServer
from test_python_imap import append, uids

ALL_RIGHTS = set("lrswipkxtea")


class Sharing:
    """A mailbox of the owner's, and the colleague's name for it."""

    def __init__(self, server: DemoServer, owner: Account, colleague: Account) -> None:
        self.owner_account, self.colleague_account = owner, colleague
        self.owner, self.colleague = imap(server, owner), imap(server, colleague)
        self.name = f"Project-{time.time_ns()}"
        self.foreign = f'"Other Users/{owner.address}/{self.name}"'
        assert self.owner.create(self.name)[0] == "OK"

    def give(self, rights: str) -> None:
        status, text = self.owner.setacl(self.name, self.colleague_account.address, rights)
        assert status == "OK", text

    def withdraw(self) -> None:
        status, text = self.owner.deleteacl(self.name, self.colleague_account.address)
        assert status == "OK", text

    def rights(self) -> set[str]:
        """The colleague's, as the server tells the colleague. `c` and `d` say what others say (RFC 4314 §2.1.1)."""
        status, (line,) = self.colleague.myrights(self.foreign)
        assert status == "OK", line
        return set(line.decode().rpartition(" ")[2]) - set("cd")

    def listed(self) -> bool:
        _, lines = self.colleague.list('""', '"Other Users/*"')
        return any(self.name.encode() in line for line in lines if line)


@pytest.fixture
def sharing(server: DemoServer, account: Account, second_account: Account) -> Iterator[Sharing]:
    sharing = Sharing(server, account, second_account)
    yield sharing
    assert sharing.owner.delete(sharing.name)[0] == "OK"
    sharing.owner.logout()
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        sharing.colleague.logout()


def code(answer: tuple[str, list[bytes]]) -> str:
    """`NO [NOPERM]` of a refusal, `OK` of what was done."""
    status, lines = answer
    text = lines[-1].decode() if lines and lines[-1] else ""
    return f"{status} {text.partition('] ')[0]}]" if text.startswith("[") and status != "OK" else status


def test_what_is_not_shared_does_not_exist(sharing: Sharing) -> None:
    append(sharing.owner, plain("secret"), sharing.name)
    assert not sharing.listed()
    assert code(sharing.colleague.myrights(sharing.foreign)) == "NO [NONEXISTENT]"
    assert code(sharing.colleague.getacl(sharing.foreign)) == "NO [NONEXISTENT]"
    assert code(sharing.colleague.status(sharing.foreign, "(MESSAGES)")) == "NO [NONEXISTENT]"
    assert code(sharing.colleague.select(sharing.foreign)) == "NO [NONEXISTENT]"
    assert code(sharing.colleague.setacl(sharing.foreign, "anyone", "lr")) == "NO [NONEXISTENT]"


def test_the_owner_has_every_right(sharing: Sharing) -> None:
    _, (line,) = sharing.owner.myrights(sharing.name)
    assert set(line.decode().split()[-1]) - set("cd") == ALL_RIGHTS
    # Nobody can take them.
    sharing.owner.setacl(sharing.name, sharing.owner_account.address, "lr")
    _, (line,) = sharing.owner.myrights(sharing.name)
    assert set(line.decode().split()[-1]) - set("cd") == ALL_RIGHTS


def test_list_of_rights(sharing: Sharing) -> None:
    sharing.give("lrsw")
    sharing.give("-w")
    sharing.give("+ia")
    _, (line,) = sharing.owner.getacl(sharing.name)
    words = line.decode().split()
    assert words[0] == sharing.name
    entries = dict(zip(words[1::2], words[2::2]))
    assert set(entries[sharing.colleague_account.address]) == set("lrsia")
    assert sharing.rights() == set("lrsia")
    # Who has the right to may change the list, the own entry too.
    assert sharing.colleague.setacl(sharing.foreign, sharing.colleague_account.address, "lr")[0] == "OK"
    assert sharing.rights() == set("lr")
    assert code(sharing.colleague.getacl(sharing.foreign)) == "NO [NOPERM]"
    assert code(sharing.owner.setacl(sharing.name, "nobody@elsewhere.example", "lr")).startswith("NO ")
    with pytest.raises(imaplib.IMAP4.error):
        sharing.owner.setacl(sharing.name, sharing.colleague_account.address, "lrq")
    sharing.withdraw()
    assert code(sharing.colleague.myrights(sharing.foreign)) == "NO [NONEXISTENT]"


def test_rights_in_a_listing(sharing: Sharing) -> None:
    """RFC 8440: what may be done with which mailbox, in one command."""
    sharing.give("lrsp")
    client = sharing.colleague
    client.untagged_responses.clear()
    assert client.xatom("LIST", '""', f"(INBOX {sharing.foreign})", "RETURN (MYRIGHTS)")[0] == "OK"
    _, listed = client.response("LIST")
    _, rights = client.response("MYRIGHTS")
    assert len(listed) == 2 and sharing.name.encode() in b" ".join(listed)
    by_name = {line.decode().rpartition(" ")[0].strip('"'): line.decode().rpartition(" ")[2] for line in rights}
    assert set(by_name["INBOX"]) - set("cd") == ALL_RIGHTS
    assert set(by_name[sharing.foreign.strip('"')]) == set("lrsp")


def test_namespace_of_others(sharing: Sharing) -> None:
    sharing.give("l")
    _, (namespace,) = sharing.colleague.namespace()
    assert b'(("Other Users/" "/"))' in namespace
    _, lines = sharing.colleague.list('""', "%")
    assert any(line.endswith(b'"Other Users"') and rb"\Noselect" in line for line in lines)
    _, lines = sharing.colleague.list('"Other Users/"', "%")
    owner = f'"Other Users/{sharing.owner_account.address}"'.encode()
    assert any(line.endswith(owner) and rb"\HasChildren" in line for line in lines)
    assert sharing.listed()
    # To be looked up is not to be read.
    assert code(sharing.colleague.select(sharing.foreign)) == "NO [NOPERM]"
    assert sharing.colleague.subscribe(sharing.foreign)[0] == "OK"
    _, lines = sharing.colleague.lsub('""', '"Other Users/*"')
    assert any(sharing.name.encode() in line for line in lines)
    assert sharing.colleague.unsubscribe(sharing.foreign)[0] == "OK"


def test_rights_come_while_selected(sharing: Sharing) -> None:
    """Each right lets one thing be done, from the moment on that it is given."""
    client = sharing.colleague
    uid = append(sharing.owner, message := plain("given"), sharing.name)
    sharing.give("lr")
    with pytest.raises(imaplib.IMAP4.readonly):
        client.select(sharing.foreign)
    assert client.select(sharing.foreign, readonly=True)[0] == "OK"
    assert uids(client, "ALL") == [uid] and fetch(client, uid) == message.raw
    sharing.give("+s")
    assert client.select(sharing.foreign)[0] == "OK"
    assert client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")[0] == "OK"
    for flag, right in [(r"\Flagged", "w"), (r"\Deleted", "t")]:
        assert client.uid("STORE", uid, "+FLAGS.SILENT", f"({flag})")[0] == "NO", flag
        sharing.give("+" + right)
        assert client.uid("STORE", uid, "+FLAGS.SILENT", f"({flag})")[0] == "OK", flag
    assert client.append(sharing.foreign, "", "", plain("in").raw)[0] == "NO"
    sharing.give("+i")
    added = append(client, plain("in"), sharing.foreign)
    assert client.expunge()[0] == "NO"
    sharing.give("+e")
    assert client.expunge()[0] == "OK"
    assert uids(client, "ALL") == [added]
    assert client.create(sharing.foreign.rstrip('"') + '/below"')[0] == "NO"
    sharing.give("+k")
    assert client.create(sharing.foreign.rstrip('"') + '/below"')[0] == "OK"
    # A new mailbox has the rights of the one above it; to delete it is another.
    assert client.delete(sharing.foreign.rstrip('"') + '/below"')[0] == "NO"
    assert sharing.owner.delete(sharing.name + "/below")[0] == "OK"


def test_rights_go_while_selected(sharing: Sharing) -> None:
    client = sharing.colleague
    uid = append(sharing.owner, plain("taken"), sharing.name)
    sharing.give("lrsw")
    assert client.select(sharing.foreign)[0] == "OK"
    assert client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Flagged)")[0] == "OK"
    sharing.give("-w")
    assert client.uid("STORE", uid, "-FLAGS.SILENT", r"(\Flagged)")[0] == "NO"
    assert client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")[0] == "OK"
    # Who may not read any more is sent away, and finds nothing when coming back.
    sharing.withdraw()
    with pytest.raises(imaplib.IMAP4.abort):
        client.uid("FETCH", uid, "(FLAGS)")
        client.noop()


def test_both_see_what_the_other_does(sharing: Sharing) -> None:
    owner, colleague = sharing.owner, sharing.colleague
    sharing.give("lrswite")
    assert owner.select(sharing.name)[0] == "OK" and colleague.select(sharing.foreign)[0] == "OK"
    first = append(owner, plain("theirs"), sharing.name)
    colleague.noop()
    assert colleague.untagged_responses["EXISTS"][-1] == b"1"
    colleague.uid("STORE", first, "+FLAGS", r"(\Answered)")
    owner.noop()
    assert any(rb"\Answered" in line for line in owner.untagged_responses["FETCH"])
    second = append(colleague, message := plain("mine"), sharing.foreign)
    owner.noop()
    assert uids(owner, "ALL") == [first, second] and fetch(owner, second) == message.raw
    assert colleague.uid("MOVE", first, "INBOX")[0] == "OK"
    owner.noop()
    assert uids(owner, "ALL") == [second]
    # Out of the colleague's own mailbox, back into the shared one.
    assert colleague.select("INBOX")[0] == "OK"
    (back,) = uids(colleague, "ALL")
    assert colleague.uid("COPY", back, sharing.foreign)[0] == "OK"
    owner.noop()
    assert len(uids(owner, "ALL")) == 2
    owner.unselect()


def test_everybody_of_the_domain(sharing: Sharing) -> None:
    assert sharing.owner.setacl(sharing.name, "anyone", "lr")[0] == "OK"
    assert sharing.rights() == set("lr")
    # A negative entry takes what another gives.
    assert sharing.owner.setacl(sharing.name, "-" + sharing.colleague_account.address, "r")[0] == "OK"
    assert sharing.rights() == set("l")
    assert code(sharing.colleague.select(sharing.foreign)) == "NO [NOPERM]"
    assert sharing.owner.deleteacl(sharing.name, "-" + sharing.colleague_account.address)[0] == "OK"
    assert sharing.colleague.select(sharing.foreign, readonly=True)[0] == "OK"
    sharing.colleague.unselect()
