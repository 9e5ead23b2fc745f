import MailVocabulary
import Testing

@Suite struct PunycodeTests {
    @Test(
        "RFC 3492 §7.1, and names in use",
        arguments: [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"), ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"), ("bücher", "bcher-kva"), ("münchen", "mnchen-3ya"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"), ("faß", "fa-hia"), ("ü", "tda"),
            ("plain", "plain-"), ("", ""),
        ])
    func vectors(_ text: String, _ encoded: String) { #expect(Punycode.encode(text) == encoded) }

    @Test("What no label can hold is refused")
    func tooLong() {
        #expect(Punycode.encode(String(repeating: "ü", count: 63)) != nil)
        #expect(Punycode.encode(String(repeating: "ü", count: 64)) == nil)
    }
}
