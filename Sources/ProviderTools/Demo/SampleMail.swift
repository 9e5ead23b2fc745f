import MailStore
import MailVocabulary
import MessageFormat

/// A few messages that show what a client makes of attachments, alternatives and names beyond ASCII.
enum SampleMail {
    /// Adds them to the account's INBOX, if that has never held anything.
    static func add(to account: Account, in store: any MailStore, now: Timestamp) async throws {
        guard let inbox = try await store.mailbox(.inbox, of: account.id), inbox.uidNext == 1 else { return }
        var messages: [NewMessage] = []
        for (index, text) in texts(for: account.address, now).enumerated() {
            let bytes = Array(text.replacing("\n", with: "\r\n").utf8)
            let writer = store.bodyWriter()
            writer.write(bytes.span)
            let summary = MessageSummary(parsing: bytes.span)
            let date = Timestamp(seconds: now.seconds - Int64((3 - index) * 3600))
            let keys = summary.threadMessageIDs.map { ThreadKey(messageID: $0) }
            let body = try await writer.finish()
            messages.append(
                NewMessage(body: body, internalDate: date, summary: summary.encoded(), threadKeys: keys))
        }
        _ = try await store.append([(inbox.id, messages)])
    }

    private static func texts(for address: Address, _ now: Timestamp) -> [String] {
        [plain, alternative, attachments].enumerated().map { index, body in
            let sent = Timestamp(seconds: now.seconds - Int64((3 - index) * 3600))
            return """
                From: =?UTF-8?Q?Z=C3=B6e_Beispiel?= <zoe@\(address.domain)>
                To: <\(address)>
                Date: \(date(sent))
                Message-ID: <sample.\(index + 1).\(sent.seconds)@\(address.domain)>
                MIME-Version: 1.0

                """ + body
        }
    }

    // date-time = [day-name ","] date time zone     RFC 5322 §3.3
    private static func date(_ time: Timestamp) -> String {
        let utc = time.utc
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(CivilDate.weekdayNames[utc.weekday]), \(utc.day) \(CivilDate.monthNames[utc.month - 1]) \(utc.year) "
            + "\(two(utc.hour)):\(two(utc.minute)):\(two(utc.second)) +0000"
    }

    private static let plain = """
        Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 8bit

        Hello,

        this is plain text in UTF-8: Grüße, žluťoučký kůň, Ελληνικά, 日本語, 🐌.

        Everything you send or fetch here travels inside TLS.

        """

    private static let alternative = """
        Subject: One message, two faces
        Content-Type: multipart/alternative; boundary="two-faces"

        --two-faces
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        The plain face: caf=C3=A9, na=C3=AFve.

        --two-faces
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        <!DOCTYPE html><p>The <b>bright</b> face: caf=C3=A9, na=C3=AFve.</p>

        --two-faces--

        """

    private static let attachments = """
        Subject: =?UTF-8?B?WndlaSBBbmjDpG5nZSDigJQgdHdvIGF0dGFjaG1lbnRz?=
        Content-Type: multipart/mixed; boundary="with-attachments"

        --with-attachments
        Content-Type: text/plain; charset=us-ascii

        A table and a dot are attached; their names go beyond ASCII.

        --with-attachments
        Content-Type: text/csv; charset=utf-8;
          name*0*=utf-8''%C3%9Cbersicht%20;
          name*1*=und%20Preise.csv
        Content-Disposition: attachment;
          filename*=utf-8''%C3%9Cbersicht%20und%20Preise.csv
        Content-Transfer-Encoding: base64

        YXJ0aWNsZSxwcmljZQpzbmFpbCwzLjAwCmxhdGNoLDcuNTAK

        --with-attachments
        Content-Type: image/png; name="=?UTF-8?Q?P=C3=BCnktchen.png?="
        Content-Disposition: attachment; filename="=?UTF-8?Q?P=C3=BCnktchen.png?="
        Content-Transfer-Encoding: base64

        iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9
        awAAAABJRU5ErkJggg==

        --with-attachments--

        """
}
