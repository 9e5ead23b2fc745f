import IMAPSyntax
import Testing

/// Damaged input leads to an answer, never to a trap; the tests' assertion beside that is that the reader is in step
/// again behind it, or has given the connection up.
@Suite struct MutationTests {
    static let seeds: [String] = [
        "a LOGIN {3+}\r\njoe {6+}\r\nse\r\net\r\n", "a1 AUTHENTICATE PLAIN AHRlc3QAdGVzdA==\r\n",
        "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"*\" &AOQ-%) "
            + "RETURN (SPECIAL-USE CHILDREN STATUS (MESSAGES UNSEEN))\r\n",
        "a APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\" TEXT {1+}\r\nx) (\\Seen) {1+}\r\ny\r\n",
        "a UID REPLACE 7 Drafts UTF8 (~{2+}\r\nab)\r\n",
        "a GENURLAUTH \"imap://joe@x/INBOX/;uid=20;urlauth=anonymous\" INTERNAL\r\n",
        "a FETCH 1 (BINARY.PEEK[1.2]<0.9> BINARY.SIZE[] PREVIEW (LAZY))\r\n",
        "a APPEND \"x y\" (\\Seen $Junk) \" 7-Feb-1994 21:52:25 -0800\" ~{3+}\r\na\0b\r\n",
        "a UID FETCH 1:*,4,*:7 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (DATE FROM)]<0.100> BINARY[3]) (CHANGEDSINCE 5)\r\n",
        "a SEARCH RETURN (MIN) CHARSET UTF-8 OR (NOT FROM x SINCE 1-Feb-1994) UID 5:* HEADER a {2+}\r\nxy\r\n",
        "a UID SORT RETURN (PARTIAL -1:-9 COUNT UPDATE) (REVERSE DATE SUBJECT) UTF-8 FUZZY (TEXT x OLDER 5)\r\n",
        "a CANCELUPDATE \"B01\" \"b\"\r\n", "a THREAD REFERENCES UTF-8 YOUNGER 5 SINCE 5-MAR-2000\r\n",
        "a ESEARCH IN (selected mailboxes (a \"b c\") subtree-one d) RETURN (MIN) CHARSET UTF-8 UNSEEN\r\n",
        "a STORE 2:4 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Deleted)\r\n", "a ID (\"name\" \"x\" \"os\" NIL)\r\n",
        "a SELECT INBOX (QRESYNC (67890007 20050715194045000 41:211 (1,3 41,43)) CONDSTORE)\r\n",
        "a UID SEARCH RETURN (SAVE) UIDAFTER 25000 NOT UIDBEFORE 7\r\n",
        "a SEARCH SAVEDBEFORE 1-Feb-1994 EMAILID M1-2 NOT THREADID T7 SAVEDATESUPPORTED\r\n",
        "a FETCH 1:* (SAVEDATE EMAILID THREADID)\r\n", "a STATUS x (MAILBOXID DELETED DELETED-STORAGE)\r\n",
        "a SETQUOTA \"#user/alice\" (STORAGE 510 MESSAGE 7)\r\n", "a GETQUOTAROOT {5+}\r\nINBOX\r\n",
        "a GETQUOTA \"\"\r\n",
        "a CREATE Entw&APw-rfe/ (USE (\\Drafts))\r\n", "a RENAME &U,BTFw- &ZeVnLIqe-\r\n",
        "a SETACL INBOX/Drafts -fred +lrswipkxtecda\r\n", "a LISTRIGHTS \"x y\" {6+}\r\nanyone\r\n",
        "a GETMETADATA (MAXSIZE 1024 DEPTH infinity) INBOX (/shared/comment \"/private/vendor/x/y\")\r\n",
        "a SETMETADATA \"\" (/private/comment {3+}\r\na b /private/vendor/x/y ~{2+}\r\na\0 /private/z NIL)\r\n",
        "a LIST \"\" \"Other Users/%\" RETURN (MYRIGHTS METADATA (/shared/comment))\r\n",
        "a UID FETCH 1:* (UID MODSEQ) (PARTIAL -1:-30 CHANGEDSINCE 5 VANISHED)\r\n",
        "a NOTIFY SET STATUS (selected MessageNew (uid body.peek[1]) MessageExpunge) (subtree (a \"b c\") (MailboxName))\r\n",
        "a NOTIFY SET (mailboxes {5+}\r\nINBOX NONE) (subscribed (FlagChange MessageNew MessageExpunge))\r\n",
        "a NOTIFY NONE\r\n", "a SEARCH RETURN (COUNT UPDATE (UID FLAGS)) ALL\r\n",
        "a COMPRESS DEFLATE\r\n", "a UNAUTHENTICATE\r\n",
    ]
    static let all: [[UInt8]] = seeds.map { Array($0.utf8) } + ((try? SeedTests.seeds()) ?? [])
    static let tokens: [String] = [
        "{", "}", "{3}", "{3+}\r\n", "~{1}\r\n", "(", ")", "\"", "\\", "\r\n", "\n", "\r", "\0", "&", "-", "*", "$",
        ":", ",",
        "4294967295", "9223372036854775807", "99999999999999999999", "NIL", "NOT ", "OR ", "UID ", "[", "]", "<0.1>",
        " ",
        "\u{fc}", "a",
    ]

    @Test(arguments: 0..<8)
    func mutants(_ seed: Int) {
        var random = SeededGenerator(state: UInt64(seed) &* 7919 &+ 1)
        for _ in 0..<2500 {
            let bytes = mutant(&random)
            var dialogue = Dialogue()
            dialogue.feed(bytes)
            // Whatever is open now can be closed: a literal by octets, a string by the line's end.
            dialogue.feed(Array(repeating: UInt8(ascii: " "), count: 600) + Array("\r\n\r\nz NOOP\r\n".utf8))
            let isOpen = dialogue.streaming > 0 || dialogue.reader.isWithinCommand
            #expect(
                dialogue.isHopeless || isOpen || dialogue.log.last == "z noop",
                "\(String(decoding: bytes, as: UTF8.self)): \(dialogue.log)")
        }
    }

    @Test func mutantsDoNotDependOnTheirPieces() {
        var random = SeededGenerator(state: 99)
        for _ in 0..<400 {
            let bytes = mutant(&random)
            let whole = CommandReaderTests.log(bytes)
            var dialogue = Dialogue()
            for byte in bytes { dialogue.feed([byte]) }
            #expect(dialogue.log == whole, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test func parserAlone() {
        var random = SeededGenerator(state: 7)
        var understood = 0
        for _ in 0..<20_000 {
            let bytes = mutant(&random)
            for encoding in [MailboxEncoding.modifiedUTF7, .utf8] {
                if (try? parse(Array(bytes.dropLast(2)), encoding)) != nil { understood += 1 }
            }
        }
        #expect(understood > 1000)
    }

    private func mutant(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Self.all[Int.random(in: Self.all.indices, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, position + Int.random(in: 0...6, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.removeSubrange(position..<end)
            case 1:
                let token = Self.tokens[Int.random(in: Self.tokens.indices, using: &random)]
                bytes.insert(contentsOf: Array(token.utf8), at: position)
            case 2: bytes.insert(contentsOf: Array(bytes[position..<end]), at: position)
            case _: if position < bytes.count { bytes[position] = UInt8.random(in: 0...255, using: &random) }
            }
        }
        return bytes
    }
}
