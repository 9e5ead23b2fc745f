import ArgumentParser
import Foundation
import ProviderTools
import Synchronization

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Show and steer the mail that is on its way elsewhere.",
        subcommands: [
            Status.self, List.self, Show.self, Retry.self, Flush.self, Hold.self, Release.self, Drop.self,
        ])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print how much waits, and what was done.")
        @OptionGroup var server: StateOptions
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let gathered = Gathered<QueueStatusRecord>()
            try await server.withAdministration {
                try await $0.perform(.queue(.status)) {
                    if case .queue(.status(let status)) = $0 { gathered.append([status]) }
                }
            }
            guard let status = gathered.all.first else { return }
            if json { return try printJSON(status) }
            QueueText(now: .now).lines(status).forEach { print($0) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the messages in the queue.", discussion: "With --json, one object on each line.")
        @OptionGroup var server: StateOptions
        @OptionGroup var filter: QueueFilterOptions
        @Flag(help: "As JSON.") var json = false

        func run() async throws { try await show(filter.selection(), server, json: json, isLong: false) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print all that is known of messages.")
        @OptionGroup var server: StateOptions
        @Flag(help: "As JSON.") var json = false
        @Argument(help: "Numbers, or names as in the log.") var messages: [String]

        func run() async throws {
            var selection = QueueSelection()
            selection.messages = messages
            try await QueueCommand.show(selection, server, json: json, isLong: true)
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Try messages now that wait.")
        @OptionGroup var target: QueueTarget

        func run() async throws { try await target.run(.retry, "to be tried now") }
    }

    struct Flush: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try everything now that waits.", discussion: "What is held stays held.")
        @OptionGroup var server: StateOptions
        @OptionGroup var filter: QueueFilterOptions

        func run() async throws { try await change(filter.selection(), .retry, "to be tried now", server) }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep messages from being tried until they are released.",
            discussion: "They do not expire meanwhile.")
        @OptionGroup var target: QueueTarget
        @Option(help: "Why; it is shown with the message.") var reason = "held by the operator"

        func run() async throws { try await target.run(.hold(reason: reason), "held") }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let messages go on that are held.")
        @OptionGroup var target: QueueTarget

        func run() async throws { try await target.run(.release, "released") }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete messages from the queue.", discussion: "Their senders are told only with --notify.")
        @OptionGroup var target: QueueTarget
        @Flag(help: "Return them to their senders, with the reason.") var notify = false
        @Option(help: "What senders are told.") var reason = "the mail system's operator has withdrawn the message"

        func run() async throws {
            try await target.run(notify ? .giveBack(reason: reason) : .drop, notify ? "returned" : "deleted")
        }
    }

    /// As it comes: what is shown is not gathered.
    fileprivate static func show(
        _ selection: QueueSelection, _ server: StateOptions, json: Bool, isLong: Bool
    ) async throws {
        let text = QueueText(now: .now)
        let failure = Mutex<(any Error)?>(nil)
        try await server.withAdministration {
            try await $0.perform(.queue(.list(selection))) { reply in
                guard case .queue(.messages(let messages)) = reply else { return }
                do {
                    for message in messages {
                        if json {
                            try printJSONLine(message)
                        } else {
                            text.lines(message, isLong).forEach { print($0) }
                        }
                    }
                } catch {
                    failure.withLock { $0 = error }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    fileprivate static func change(
        _ selection: QueueSelection, _ action: QueueAction, _ done: String, _ server: StateOptions
    ) async throws {
        let count = Mutex(0)
        try await server.withAdministration {
            try await $0.perform(.queue(.change(selection, action))) { reply in
                if case .queue(.changed(let changed)) = reply { count.withLock { $0 = changed } }
            }
        }
        let changed = count.withLock { $0 }
        print("\(changed) \(changed == 1 ? "message" : "messages") \(done)")
    }
}

extension AsyncParsableCommand {
    fileprivate func show(
        _ selection: QueueSelection, _ server: StateOptions, json: Bool, isLong: Bool
    ) async throws {
        try await QueueCommand.show(selection, server, json: json, isLong: isLong)
    }

    fileprivate func change(
        _ selection: QueueSelection, _ action: QueueAction, _ done: String, _ server: StateOptions
    ) async throws {
        try await QueueCommand.change(selection, action, done, server)
    }
}

private func printJSONLine(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

struct QueueFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only messages to recipients there.", valueName: "domain"))
    var destination: String?
    @Option(help: ArgumentHelp("Only messages from there; “” for notices, which have no sender.", valueName: "address"))
    var sender: String?
    @Flag(help: "Only messages that are held.") var held = false

    func selection() -> QueueSelection {
        var selection = QueueSelection()
        selection.destination = destination
        selection.sender = sender
        selection.isHeld = held ? true : nil
        return selection
    }
}

/// Messages that a command changes: named, or by what they have in common.
struct QueueTarget: ParsableArguments {
    @OptionGroup var server: StateOptions
    @OptionGroup var filter: QueueFilterOptions
    @Flag(help: "All messages in the queue.") var all = false
    @Argument(help: "Numbers, or names as in the log.") var messages: [String] = []

    func validate() throws {
        let isNamed = !messages.isEmpty || !filter.selection().isEverything
        guard isNamed != all else {
            throw ValidationError("Say which messages: their numbers, --destination, --sender, --held, or --all.")
        }
    }

    func run(_ action: QueueAction, _ done: String) async throws {
        var selection = filter.selection()
        selection.messages = messages
        try await QueueCommand.change(selection, action, done, server)
    }
}
