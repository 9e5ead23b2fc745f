package import MailVocabulary

/// What annotations are attached to: a mailbox, or the server (RFC 5464 §4.1).
package enum AnnotatedPlace: Sendable, Hashable {
    case server
    case mailbox(MailboxName)
}

/// `GETMETADATA` (RFC 5464 §4.2).
package struct MetadataRequest: Sendable, Hashable {
    package var place: AnnotatedPlace
    package var selection: AnnotationSelection
    /// Octets; larger values are not told.
    package var maximumSize: UInt64?

    package init(place: AnnotatedPlace, selection: AnnotationSelection, maximumSize: UInt64? = nil) {
        self.place = place
        self.selection = selection
        self.maximumSize = maximumSize
    }
}

/// One pair of `SETMETADATA` (RFC 5464 §4.3).
package struct MetadataChange: Sendable, Hashable {
    package var name: AnnotationName
    /// Nil: the entry is removed.
    package var value: [UInt8]?

    package init(name: AnnotationName, value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}
