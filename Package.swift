// swift-tools-version: 6.3
import PackageDescription

// The house: layers, and what may import what, are drawn in docs/ARCHITECTURE.md and held by Scripts/check-layers.

let language: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]
/// Layers 0 and 1 see bytes from outside first: every unsafe use there is spelled out.
let strict = language + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

func pure(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func layer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: language)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "MailTestSupport"] + dependencies,
        swiftSettings: language)
}

/// A program that tests run, beside them: it may import what they may.
func testProcess(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: language)
}

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let certificates: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "latchmail",
    products: [
        .executable(name: "latchmaild", targets: ["latchmaild"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Exactly: SessionRuntime/TLSInspection reads private state of this release (self-tested at start).
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // Layer 0: words
        .target(name: "CWipe"),
        pure("MailVocabulary", ["CWipe"]),
        // Layer 1: pure grammar and policy; no sockets, clock or disk
        pure("TLSPolicy", ["MailVocabulary"]),
        pure("WireFraming", ["MailVocabulary", "TLSPolicy"]),
        pure("MessageFormat", ["MailVocabulary", "WireFraming"]),
        pure("SASL", ["MailVocabulary", "WireFraming"]),
        pure("POP3Syntax", ["MailVocabulary", "WireFraming", "SASL"]),
        pure("SMTPSyntax", ["MailVocabulary", "WireFraming", "SASL", "TLSPolicy"]),
        pure("IMAPSyntax", ["MailVocabulary", "WireFraming", "SASL"]),
        // Layer 2: what is kept
        layer("MailStore", ["MailVocabulary", "SASL", "SMTPSyntax", "TLSPolicy", "WireFraming"]),
        layer("SQLiteStore", ["MailVocabulary", "SMTPSyntax", "MailStore", "MessageFormat", grdb, sqlite]),
        // Layer 3: sockets, TLS, passwords
        .target(name: "CBoringSSLBridge"),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CArgon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CIDN", providers: [.apt(["libidn-dev"])]),
        layer(
            "SessionRuntime",
            [
                "MailVocabulary", "WireFraming", "TLSPolicy", "CBoringSSLBridge", "CZlib", logging, nioCore, nioPosix,
                nioSSL, asn1, certificates, crypto, cryptoExtras,
            ]),
        layer(
            "Authentication",
            ["MailVocabulary", "TLSPolicy", "MailStore", "SASL", "CArgon2", "CIDN", crypto, cryptoExtras]),
        .systemLibrary(name: "CUnbound", providers: [.apt(["libunbound-dev"])]),
        .systemLibrary(name: "CIDN2", providers: [.apt(["libidn2-dev"])]),
        layer("MailDNS", ["MailVocabulary", "TLSPolicy", "CUnbound", "CIDN2"]),
        layer(
            "MailDelivery", ["MailVocabulary", "WireFraming", "MessageFormat", "TLSPolicy", "SMTPSyntax", "MailStore"]),
        // Layer 4: session machines
        layer(
            "POP3Server",
            [
                "MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "POP3Syntax", "MailStore",
            ]),
        layer(
            "SubmissionServer",
            [
                "MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "SMTPSyntax", "MailStore",
                "MailDelivery",
            ]),
        layer(
            "IMAPServer",
            [
                "MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "IMAPSyntax", "MailStore",
            ]),
        layer("MailTransfer", ["MailVocabulary", "MessageFormat", "IMAPSyntax", "MailStore"]),
        layer(
            "MailClient",
            ["MailVocabulary", "WireFraming", "TLSPolicy", "SASL", "SMTPSyntax", "SessionRuntime", logging]),
        // Layer 5: the operator's features
        .target(name: "CProcess"),
        layer(
            "MailRelay",
            [
                "MailVocabulary", "WireFraming", "TLSPolicy", "MessageFormat", "SASL", "SMTPSyntax", "MailStore",
                "SessionRuntime", "MailDNS", "MailDelivery", "MailClient", logging, asyncHTTPClient, nioCore,
                nioHTTP1,
            ]),
        layer(
            "ProviderTools",
            [
                "MailVocabulary", "WireFraming", "MessageFormat", "TLSPolicy", "SMTPSyntax", "SASL", "MailStore",
                "SessionRuntime",
                "Authentication", "POP3Server", "SubmissionServer", "IMAPServer", "MailTransfer", "MailDNS",
                "MailDelivery",
                "CProcess", "MailClient", "MailRelay", logging, asn1, asyncHTTPClient, certificates, crypto,
                cryptoExtras, hummingbird, hummingbirdCore, jwtKit, nioCore, nioHTTP1, yams,
            ]),
        // Layer 6: arguments and wiring
        .executableTarget(
            name: "latchmaild",
            dependencies: [
                "MailVocabulary", "MailStore", "SQLiteStore", "SessionRuntime", "Authentication", "MailTransfer",
                "MailDNS", "MailRelay",
                "ProviderTools", logging, argumentParser,
            ],
            swiftSettings: language),
        // Beside
        layer(
            "MailTestSupport",
            ["MailVocabulary", "WireFraming", "TLSPolicy", "SASL", "SMTPSyntax", "MailStore", "MailDNS"]),
        tests("MailVocabulary"),
        tests("TLSPolicy"),
        tests("WireFraming", ["MailVocabulary"]),
        tests("MessageFormat"),
        tests("SASL"),
        tests("POP3Syntax"),
        tests("SMTPSyntax"),
        tests("IMAPSyntax"),
        tests("MailStore"),
        tests("SQLiteStore", ["MailStore", "MessageFormat", "SMTPSyntax", "StoreCrashDriver", grdb]),
        // A process for the store's tests to kill.
        testProcess(
            "StoreCrashDriver",
            ["MailVocabulary", "MailStore", "MessageFormat", "SMTPSyntax", "SQLiteStore", "MailTestSupport"]),
        tests(
            "SessionRuntime",
            [
                nioCore, nioPosix, nioSSL, nioEmbedded, "CZlib", "MailVocabulary", "TLSPolicy", "WireFraming", asn1,
                certificates, crypto, cryptoExtras,
            ]),
        tests("Authentication", ["MailVocabulary", "TLSPolicy", "MailStore", "SASL", crypto]),
        tests("MailDNS", ["MailVocabulary", "TLSPolicy"]),
        tests(
            "MailDelivery",
            ["MailVocabulary", "WireFraming", "MessageFormat", "SMTPSyntax", "MailStore", "SessionRuntime"]),
        tests(
            "MailClient",
            ["MailVocabulary", "WireFraming", "TLSPolicy", "SMTPSyntax", "SessionRuntime", logging, nioCore, nioSSL]),
        tests(
            "MailRelay",
            [
                "QueueScaleDriver", "MailVocabulary", "WireFraming", "TLSPolicy", "SASL", "SMTPSyntax", "MessageFormat",
                "MailStore", "MailDNS", "MailDelivery", "MailClient", "SessionRuntime", logging, crypto,
            ]),
        // A process that has a long queue, for measuring it alone.
        testProcess(
            "QueueScaleDriver",
            [
                "MailVocabulary", "SMTPSyntax", "MailStore", "SQLiteStore", "MailDelivery", "MailRelay",
                "MailTestSupport", logging,
            ]),
        tests("POP3Server", ["POP3Syntax", "MailStore", "Authentication"]),
        tests("SubmissionServer", ["SMTPSyntax", "MailStore", "MailDelivery", "Authentication"]),
        tests("IMAPServer", ["IMAPSyntax", "MailStore", "Authentication", "SQLiteStore"]),
        tests("MailTransfer", ["MailStore"]),
        tests(
            "ProviderTools",
            [
                "MailVocabulary", "MailStore", "SessionRuntime", "Authentication", "MessageFormat", "SMTPSyntax",
                "MailDelivery", "MailRelay", "MailDNS", "TLSPolicy", logging, asn1, certificates, crypto,
            ]),
    ]
)
