package import MailVocabulary

/// What somebody has made of a mailbox's messages and could make again: keeping it saves time, losing it costs time,
/// nothing else.
package struct DerivedData: Sendable, Hashable {
    /// The mailbox's, for which it was made.
    package var uidValidity: UIDValidity
    /// Of the view it was made from: of a message that was removed up to then, nothing is in it.
    package var modSeq: ModSeq
    /// It is about no message above this UID.
    package var through: UInt32
    package var octets: [UInt8]

    package init(uidValidity: UIDValidity, modSeq: ModSeq, through: UInt32, octets: [UInt8]) {
        self.uidValidity = uidValidity
        self.modSeq = modSeq
        self.through = through
        self.octets = octets
    }
}

/// What it is, among all that may be kept of a mailbox: few lowercase letters, digits and hyphens.
package struct DerivedName: Sendable, Hashable {
    private static let lengths = 1...32

    package let text: String

    package init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { octet in
            (0x61...0x7A).contains(octet) || (0x30...0x39).contains(octet) || octet == 0x2D
        }
        guard isPlain, Self.lengths.contains(text.utf8.count) else { return nil }
        self.text = text
    }
}

/// Keeps derived data. Nothing here fails: what cannot be kept is not, and what cannot be read was not kept.
package protocol DerivedDataStore: Sendable {
    /// As it was kept; nil when there is none, which may be at any time: when the mailbox has got another UIDVALIDITY,
    /// when what was kept is damaged, when it holds something of messages that were removed long ago.
    func derived(_ name: DerivedName, of mailbox: MailboxID) async -> DerivedData?
    /// In the place of what was kept under the name. Goes with the mailbox. Not durable.
    func keepDerived(_ data: DerivedData, as name: DerivedName, of mailbox: MailboxID) async
}
