import IMAPSyntax
import MailVocabulary
import Testing
import WireFraming

@Suite("Contexts: CANCELUPDATE, ADDTO, REMOVEFROM") struct ContextSyntaxTests {
    @Test func cancelUpdate() throws {
        guard case .cancelUpdate(let tags) = try parse("a CANCELUPDATE \"B01\" \"B02\"").request else {
            throw SyntaxError("no CANCELUPDATE")
        }
        #expect(tags == ["B01", "B02"])
        for text in ["CANCELUPDATE", "CANCELUPDATE ", "CANCELUPDATE B01", "CANCELUPDATE \"a\" ", "CANCELUPDATE \"a"] {
            #expect(error(text)?.answer == .bad)
        }
        let many = Array(repeating: "\"a\"", count: IMAPLimits.shortList + 1).joined(separator: " ")
        #expect(error("CANCELUPDATE \(many)")?.code == .limit)
    }

    @Test func answers() {
        var update = ContextUpdate()
        #expect(update.isEmpty)
        update.removed = [(0, ResultList(inOrder: [32_768] as [UInt32]))]
        update.added = [(1, ResultList(inOrder: [2733] as [UInt32])), (4, ResultList(inOrder: [7, 5, 6] as [UInt32]))]
        var output = OutputBuffer()
        output.append(ResponsePieces.update(update, tag: "B01", uid: true))
        #expect(
            String(decoding: output.take(), as: UTF8.self)
                == "* ESEARCH (TAG \"B01\") UID REMOVEFROM (0 32768) ADDTO (1 2733 4 7,5:6)\r\n")
    }
}
