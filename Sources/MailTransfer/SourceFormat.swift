package import MailVocabulary

extension TransferFormat {
    /// What lies at a path. Throws `TransferError` when it is nothing that is known.
    package static func recognize(_ path: String) throws -> TransferFormat {
        guard DirectoryListing.isDirectory(path) else {
            guard DirectoryListing.isFile(path) else {
                throw TransferError("\(path): there is no such file or directory")
            }
            if try MboxSource.isMbox(path) { return .mbox }
            throw TransferError("\(path): not an mbox; its first line does not begin with “From ”")
        }
        if let format = try search(path, depth: 0) { return format }
        throw TransferError(
            "\(path): no mail found; expected a Maildir (cur and new), mbox files or .eml files; --format says which")
    }

    /// By the first thing that tells, from the top.
    private static func search(_ directory: String, depth: Int) throws -> TransferFormat? {
        if MaildirSource.isMaildir(directory) { return .maildir }
        guard depth < MailboxName.maximumDepth else { return nil }
        let listing = try DirectoryListing(directory)
        for file in listing.files {
            if EMLSource.isMessage(file) || file == FlagFile.name { return .eml }
            if try !file.hasPrefix(".") && MboxSource.isMbox(directory + "/" + file) { return .mbox }
        }
        for inner in listing.directories {
            if let format = try search(directory + "/" + inner, depth: depth + 1) { return format }
        }
        return nil
    }

    /// - Parameter mailbox: for mail that lies at the path itself; nil leaves it to the form.
    package func source(at path: String, mailbox: MailboxName?) -> any MailSource {
        switch self {
        case .maildir: MaildirSource(path)
        case .mbox: MboxSource(path, rootName: mailbox)
        case .eml: EMLSource(path, rootName: mailbox ?? .inbox)
        }
    }
}
