import IMAPSyntax

// Message sequence numbers, and clients that work without them (UIDONLY, RFC 9586).

extension IMAPRequest {
    /// Whether the command names messages by sequence number, or has them so in its answer.
    var usesSequenceNumbers: Bool {
        switch self {
        case .fetch(_, _, _, let uid), .store(_, _, let uid), .copy(_, _, let uid), .move(_, _, let uid),
            .replace(_, let uid):
            !uid
        case .search(let request, let uid), .sort(_, let request, let uid), .thread(_, let request, let uid):
            !uid || request.key.namesSequenceNumbers
        case .multiSearch(_, let request): request.key.namesSequenceNumbers
        case .select(_, let parameters), .examine(_, let parameters): parameters.qresync?.matches != nil
        case .capability, .noop, .logout, .id, .startTLS, .compress, .authenticate, .login, .unauthenticate, .enable,
            .create, .delete, .rename, .subscribe, .unsubscribe, .list, .lsub, .namespace, .status, .append, .idle,
            .generateURLs, .fetchURLs, .resetKey, .getQuota, .getQuotaRoot, .setQuota,
            .setACL, .deleteACL, .getACL, .listRights, .myRights, .getMetadata, .setMetadata, .notify, .check, .close,
            .unselect, .expunge, .cancelUpdate, .unknown:
            false
        }
    }
}

extension IMAPSession {
    /// What UIDONLY has against a command; nil when nothing.
    func uidOnlyRefusal(of request: IMAPRequest) -> Refusal? {
        guard enabled.contains(.uidOnly), request.usesSequenceNumbers else { return nil }
        return Refusal(status: .bad, code: .uidRequired, text: "Messages have only UIDs here")
    }
}
