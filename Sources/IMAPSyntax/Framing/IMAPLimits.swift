/// What a client may ask of memory and time before its command is understood.
package enum IMAPLimits {
    /// Octets of one line, literals not counted. RFC 7162 §4 has servers take at least 8192.
    package static let line = 8192
    /// Octets of a whole command with its literals; messages of APPEND are streamed and not counted. Room for a
    /// search of many long strings, little enough for every connection to hold one.
    package static let command = 64 * 1024
    /// The same before login: room for any LOGIN, and for nothing that strangers could fill memory with.
    package static let commandBeforeLogin = 16 * 1024
    /// Literals of one command: more would make a cheap way to have continuation requests sent.
    package static let literals = 64
    /// Octets of a refused command that are read past before the connection is given up: a client that has begun to
    /// send a large non-synchronizing literal gets to read why it was refused.
    package static let discarded: UInt64 = 128 * 1024 * 1024
    /// Octets of a tag: it is sent back.
    package static let tag = 256
    /// Parentheses, NOTs and ORs within each other; clients chain ORs to the right by the dozen.
    package static let nesting = 100
    /// Keys of one search, within each other or not.
    package static let searchKeys = 2048
    /// Criteria of one SORT: each at most compares all messages.
    package static let sortCriteria = 16
    /// Mailboxes named in one list of ESEARCH or NOTIFY.
    package static let sourceMailboxes = 256
    /// Groups of one NOTIFY: each is compared with every change.
    package static let eventGroups = 32
    /// Items of one FETCH: each is computed for every message.
    package static let fetchItems = 64
    /// Names in one HEADER.FIELDS: each is compared with every field.
    package static let headerNames = 256
    /// Levels of a body part's number: deeper than any message that is read.
    package static let partDepth = 64
    /// Flags of one command: more than a mailbox can know.
    package static let flags = 128
    /// Patterns of one LIST, items of one STATUS, and other short lists.
    package static let shortList = 32
    /// Parts of the messages of one APPEND.
    package static let catenatedParts = 1000
    /// Entries of one GETMETADATA or SETMETADATA: each is compared with every annotation.
    package static let annotations = 100
    /// RFC 2971 §3.3.
    package static let idFields = 30
    package static let idFieldName = 30
    package static let idFieldValue = 1024
}
