import ArgumentParser
import Foundation
import ProviderTools

extension UserCommand {
    struct Quota: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print or set what a user may hold.",
            discussion: """
                Without options it is printed. When one limit is set, the other becomes the configured default unless it is \
                named too. An administrator may set quotas over IMAP.
                """)
        @OptionGroup var server: StateOptions
        @Option(help: "A size such as 5 GiB, none, or default.") var storage: String?
        @Option(help: "A number of messages, none, or default.") var messages: String?
        @Flag(inversion: .prefixedNo, help: "Whether the user may set quotas over IMAP.") var administrator: Bool?
        @Flag(help: "As JSON.") var json = false
        @Argument var address: String

        func run() async throws {
            let gathered = Gathered<QuotaRecord>()
            let request = try request()
            try await server.withAdministration {
                try await $0.perform(request) { if case .quota(let quota) = $0 { gathered.append([quota]) } }
            }
            guard let quota = gathered.all.first else { return }
            if json { return try printJSON(quota) }
            print("storage: \(text(quota.storage, quota.storageLimit) { ByteSize.text(Int(clamping: $0)) })")
            print("messages: \(text(quota.messages, quota.messagesLimit) { String($0) })")
        }

        private func request() throws -> ControlRequest {
            guard storage != nil || messages != nil || administrator != nil else { return .quota(address: address) }
            return .setQuota(
                address: address,
                storage: try limit(storage, "a size such as 5 GiB") { ByteSize.parse($0).map { UInt64($0) } },
                messages: try limit(messages, "a number") { UInt64($0) }, isAdministrator: administrator)
        }

        private func limit(_ text: String?, _ form: String, _ parse: (String) -> UInt64?) throws -> LimitRecord? {
            switch text?.lowercased() {
            case nil: return nil
            case "default": return .standard
            case "none": return .unlimited
            case .some:
                guard let text, let number = parse(text) else {
                    throw ValidationError("“\(text ?? "")” is no limit; write \(form), none or default.")
                }
                return .limited(number)
            }
        }

        private func text(_ usage: UInt64, _ limit: UInt64?, _ show: (UInt64) -> String) -> String {
            "\(show(usage)) of \(limit.map(show) ?? "any number")"
        }
    }
}
