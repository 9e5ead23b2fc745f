"""imapclient: a client of another author, with IDLE, SORT-like helpers and its own parser."""

import imapclient
import pytest

from support.clients import submit
from support.messages import assert_unchanged, plain
from support.server import Account, DemoServer
from support.wire import tls_context


@pytest.fixture(params=["implicit", "starttls"])
def client(server: DemoServer, account: Account, request: pytest.FixtureRequest) -> imapclient.IMAPClient:
    context = tls_context(server.ca)
    if request.param == "implicit":
        connected = imapclient.IMAPClient(server.host, server.imap.implicit, ssl_context=context, timeout=30)
    else:
        connected = imapclient.IMAPClient(server.host, server.imap.starttls, ssl=False, timeout=30)
        connected.starttls(context)
    connected.login(account.login, account.password)
    yield connected
    connected.logout()


def test_everyday_use(client: imapclient.IMAPClient) -> None:
    assert client.select_folder("INBOX")[b"EXISTS"] == 0
    message = plain("imapclient")
    client.append("INBOX", message.raw, flags=[imapclient.FLAGGED])
    (uid,) = client.search(["FLAGGED"])
    answer = client.fetch([uid], ["BODY.PEEK[]", "ENVELOPE", "FLAGS", "INTERNALDATE", "BODYSTRUCTURE"])[uid]
    assert answer[b"BODY[]"] == message.raw
    assert answer[b"ENVELOPE"].subject == b"sample imapclient"
    assert answer[b"ENVELOPE"].from_[0].mailbox == b"sender"
    assert set(answer[b"FLAGS"]) - {imapclient.RECENT} == {imapclient.FLAGGED}
    assert [word.lower() for word in answer[b"BODYSTRUCTURE"][:2]] == [b"text", b"plain"]
    client.add_flags([uid], [imapclient.SEEN])
    assert set(client.get_flags([uid])[uid]) - {imapclient.RECENT} == {imapclient.FLAGGED, imapclient.SEEN}
    client.move([uid], "Archive")
    assert client.search() == []


def test_folders(client: imapclient.IMAPClient) -> None:
    name = "Rechnungen für März & April"
    client.create_folder(name)
    assert name in [folder for _, _, folder in client.list_folders()]
    client.subscribe_folder(name)
    assert name in [folder for _, _, folder in client.list_sub_folders()]
    assert client.folder_status(name, ["MESSAGES"])[b"MESSAGES"] == 0
    client.unsubscribe_folder(name)
    client.delete_folder(name)
    assert not client.folder_exists(name)
    assert client.find_special_folder(b"\\Sent")


def test_idle_tells_of_new_mail(client: imapclient.IMAPClient, server: DemoServer, account: Account) -> None:
    client.select_folder("INBOX")
    client.idle()
    message = plain("idle")
    submit(server, account, message.raw, account.address)
    told = client.idle_check(timeout=10)
    client.idle_done()
    assert (1, b"EXISTS") in told, told
    (uid,) = client.search()
    assert_unchanged(message.raw, client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"])


def test_errors_keep_the_session(client: imapclient.IMAPClient) -> None:
    for wrong in (lambda: client.select_folder("nowhere"), lambda: client.delete_folder("INBOX")):
        with pytest.raises(imapclient.exceptions.IMAPClientError):
            wrong()
    assert client.noop()[0]
