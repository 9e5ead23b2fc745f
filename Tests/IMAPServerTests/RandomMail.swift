import MailTestSupport

/// Mail of every kind that searching, sorting and threading tell apart.
struct RandomMail {
    private static let words = [
        "meeting", "report", "Grüße", "=?UTF-8?B?w6RwZmVs?=", "=?ISO-8859-1?Q?caf=E9?=", "straße", "plan", "(fwd)",
    ]
    private static let prefixes = ["", "", "", "Re: ", "RE: ", "Fwd: ", "[list] ", "Re: [list] "]

    private var random: SeededGenerator
    private var count = 0

    init(seed: UInt64) { random = SeededGenerator(seed) }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &random) == 0 }
    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &random) }
    private mutating func one(of texts: [String]) -> String { texts[number(texts.count)] }

    /// LF for line ends.
    mutating func next() -> String {
        count += 1
        var header = "X-Number: \(count)\n"
        if !chance(20) { header += "From: \(address())\n" }
        if !chance(10) { header += "To: \(address()), \(address())\n" }
        if chance(3) { header += "Cc: \(address())\n" }
        if chance(9) { header += "Bcc: \(address())\n" }
        if !chance(12) {
            header +=
                "Subject: " + one(of: Self.prefixes)
                + (0..<number(4)).map { _ in one(of: Self.words) }.joined(separator: " ")
            header += chance(3) ? " \(number(200))\n" : "\n"
        }
        if !chance(15) { header += "Message-ID: <\(chance(30) ? number(count) : count)@x>\n" }
        if chance(2) {
            header +=
                "References: " + (0..<1 + number(4)).map { _ in "<\(number(count + 5))@x>" }.joined(separator: " ")
                + "\n"
        } else if chance(6) {
            header += "In-Reply-To: <\(number(count))@x>\n"
        }
        header += date()
        return header + "\nbody \(count)\n"
    }

    private mutating func address() -> String {
        let plain = "user\(number(40))@host\(number(3)).example"
        return chance(2) ? plain : "\"\(one(of: ["Ann", "bob", "Zoë"])) \(number(9))\" <\(plain)>"
    }

    private mutating func date() -> String {
        if chance(12) { return chance(2) ? "Date: garbage\n" : "" }
        let time =
            "\(1 + number(28)) \(one(of: ["Jan", "Jul", "Dec"])) \(1990 + number(40)) \(10 + number(14)):\(10 + number(50)):00"
        return "Date: \(time) \(one(of: ["+0000", "-0800", "+1300"]))\n"
    }
}
