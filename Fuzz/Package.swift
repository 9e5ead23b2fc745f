// swift-tools-version: 6.3
import PackageDescription

// The pure part of the house, built a second time with coverage for libFuzzer. `Scripts/fuzz` links one of Targets/
// to it.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(["-sanitize=fuzzer", "-parse-as-library", "-enable-testing"]),
]

/// - Parameter sources: of a module that has more than what is pure.
func house(_ name: String, _ dependencies: [Target.Dependency] = [], sources: [String]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: "House/\(name)", sources: sources, swiftSettings: settings)
}

let package = Package(
    name: "latchmail",
    products: [
        .library(
            name: "House", type: .static,
            targets: [
                "MailTestSupport", "POP3Server", "SubmissionServer", "IMAPServer", "MessageFormat", "MailClient",
                "MailRelay",
            ])
    ],
    targets: [
        .target(name: "CWipe", path: "House/CWipe"),
        house("MailVocabulary", ["CWipe"]),
        house("TLSPolicy", ["MailVocabulary"]),
        house("WireFraming", ["MailVocabulary", "TLSPolicy"]),
        house("MessageFormat", ["MailVocabulary", "WireFraming"]),
        house("SASL", ["MailVocabulary", "WireFraming"]),
        house("POP3Syntax", ["MailVocabulary", "WireFraming", "SASL"]),
        house("SMTPSyntax", ["MailVocabulary", "WireFraming", "SASL", "TLSPolicy"]),
        house("IMAPSyntax", ["MailVocabulary", "WireFraming", "SASL"]),
        house("MailStore", ["MailVocabulary", "SASL", "SMTPSyntax"]),
        house(
            "MailDelivery", ["MailVocabulary", "WireFraming", "MessageFormat", "TLSPolicy", "SMTPSyntax", "MailStore"]),
        .systemLibrary(name: "CUnbound", path: "House/CUnbound"),
        .systemLibrary(name: "CIDN2", path: "House/CIDN2"),
        house("MailDNS", ["MailVocabulary", "TLSPolicy", "CUnbound", "CIDN2"]),
        house(
            "MailClient", ["MailVocabulary", "WireFraming", "TLSPolicy", "SASL", "SMTPSyntax"],
            sources: [
                "SMTP/SMTPClientError.swift", "SMTP/SMTPClientSession.swift", "SMTP/SMTPClientSession+Transaction.swift",
                "SMTP/SMTPClientSettings.swift",
            ]),
        house(
            "MailRelay", ["MailVocabulary", "TLSPolicy"],
            sources: [
                "Policies/STS/STSPolicy.swift", "Policies/STS/STSRecord.swift", "Policies/Reports/TLSReportRecord.swift",
            ]),
        house(
            "POP3Server",
            ["MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "POP3Syntax", "MailStore"]),
        house(
            "SubmissionServer",
            [
                "MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "SMTPSyntax", "MailStore",
                "MailDelivery",
            ]),
        house(
            "IMAPServer",
            ["MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "IMAPSyntax", "MailStore"]),
        house(
            "MailTestSupport", ["MailVocabulary", "WireFraming", "TLSPolicy", "SMTPSyntax", "MailStore", "MailDNS"]),
    ]
)
