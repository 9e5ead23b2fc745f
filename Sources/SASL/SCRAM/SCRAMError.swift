/// Why an exchange of SCRAM fails, as the server tells it (RFC 5802 §7, `server-error-value`).
package enum SCRAMError: String, Error, Sendable, Hashable, CaseIterable {
    case invalidEncoding = "invalid-encoding"
    case extensionsNotSupported = "extensions-not-supported"
    /// The password is wrong, or there is no such user.
    case invalidProof = "invalid-proof"
    case channelBindingsDontMatch = "channel-bindings-dont-match"
    /// The client believes that there is no channel binding: somebody has taken it out of the list of mechanisms.
    case serverDoesSupportChannelBinding = "server-does-support-channel-binding"
    case channelBindingNotSupported = "channel-binding-not-supported"
    case unsupportedChannelBindingType = "unsupported-channel-binding-type"
    case invalidUsernameEncoding = "invalid-username-encoding"
    case noResources = "no-resources"
    case otherError = "other-error"

    // server-error = "e=" server-error-value
    package var message: [UInt8] { Array("e=\(rawValue)".utf8) }
}
