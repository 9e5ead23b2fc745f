import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

#if canImport(SQLiteStore)
    import Foundation
    import SQLiteStore
#endif

/// Clients of every kind work in one mailbox, their commands interleaved wherever a session waits for the store. Each
/// believes what it is told and nothing else; nobody is ever told what cannot be, and in the end all believe what is.
@Suite struct ModelTests {
    private static let kinds: [(ClientKind, isReadOnly: Bool)] = [
        (.plain, false), (.condstore, false), (.qresync, false), (.qresync, false), (.uidOnly, false),
        (.plain, true), (.qresync, true), (.notifiedDelayed, false), (.notified, false), (.notified, true),
    ]

    private func play(
        _ seed: UInt64, steps: Int, _ world: ModelWorld, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var random = SeededGenerator(seed)
        var members: [ModelMember] = []
        for (kind, isReadOnly) in Self.kinds { members.append(await ModelMember(kind, isReadOnly: isReadOnly, world)) }
        for step in 0..<steps {
            let member = members[Int.random(in: 0..<members.count, using: &random)]
            if member.kind == .qresync, Int.random(in: 0..<60, using: &random) == 0 {
                await member.reconnect(&random)
            } else if member.isBusy {
                await member.advance()
            } else if !member.hear() {
                member.act(&random)
            }
            if let problem = member.problem {
                Issue.record(
                    "seed \(seed), step \(step), \(member.kind): \(problem)\n\(member.log.suffix(8).joined(separator: "\n"))",
                    sourceLocation: sourceLocation)
                return
            }
            if step % 500 == 499 { await expectAgreement(members, world, seed, sourceLocation) }
        }
        await expectAgreement(members, world, seed, sourceLocation)
    }

    /// At rest everyone believes what is.
    private func expectAgreement(
        _ members: [ModelMember], _ world: ModelWorld, _ seed: UInt64, _ sourceLocation: SourceLocation
    ) async {
        // Twice: what one does to settle, others have to hear of.
        for member in members { await member.settle() }
        for member in members { await member.settle() }
        let truth = await world.truth()
        for member in members {
            let believed = member.model.messages
            #expect(member.problem == nil, "seed \(seed)", sourceLocation: sourceLocation)
            #expect(believed.count == truth.count, "seed \(seed), \(member.kind)", sourceLocation: sourceLocation)
            for (known, actual) in zip(believed, truth) where member.kind.usesNumbers {
                let isRight =
                    (known.uid == nil || known.uid == actual.uid) && (known.flags == nil || known.flags == actual.flags)
                    && (known.modSeq == nil || !member.kind.knowsModSeq || known.modSeq == actual.modSeq)
                #expect(isRight, "seed \(seed), \(member.kind): \(known), \(actual)", sourceLocation: sourceLocation)
            }
            #expect(await member.staleContexts() == [], "seed \(seed), \(member.kind)", sourceLocation: sourceLocation)
            await member.fetchAll()
            let flags = member.model.messages.map(\.flags)
            #expect(flags == truth.map(\.flags), "seed \(seed), \(member.kind)", sourceLocation: sourceLocation)
            #expect(member.model.messages.map(\.uid) == truth.map(\.uid), sourceLocation: sourceLocation)
        }
    }

    @Test("Every client believes what is", arguments: 1...12)
    func inMemory(_ seed: UInt64) async throws {
        let fixture = try await Fixture(isForgetful: seed % 4 == 0)
        try await fixture.deliver((1...8).map(Fixture.simple))
        var world = ModelWorld(store: fixture.served, service: fixture.service)
        if seed % 3 == 0 { world.settings.messageLimit = .processed(3) }
        try await play(seed, steps: 3000, world)
    }

    @Test("Clients that work at the same time", arguments: 1...4)
    func concurrent(_ seed: UInt64) async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...8).map(Fixture.simple))
        let world = ModelWorld(store: fixture.served, service: fixture.service)
        let problems = await withTaskGroup(of: String?.self) { group in
            for (index, (kind, isReadOnly)) in Self.kinds.enumerated() {
                group.addTask {
                    var random = SeededGenerator(seed &* 100 &+ UInt64(index))
                    let member = await ModelMember(kind, isReadOnly: isReadOnly, world)
                    for _ in 0..<600 where member.problem == nil {
                        if member.isBusy { await member.advance() } else if !member.hear() { member.act(&random) }
                    }
                    await member.settle()
                    return member.problem.map { "\(kind): \($0)\n\(member.log.suffix(6).joined(separator: "\n"))" }
                }
            }
            return await group.reduce(into: [String]()) { if let problem = $1 { $0.append(problem) } }
        }
        #expect(problems == [])
    }

    #if canImport(SQLiteStore)
        @Test("Every client believes what is, in the durable store", arguments: 1...3)
        func durable(_ seed: UInt64) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "model-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let store = try SQLiteStore(path: folder.path)
            let account = try await StoreFixture(store, "fred@example.org").account
            let service = IMAPService(
                store: store, authenticator: FixedAuthenticator(accounts: ["fred": account]), now: { Fixture.now })
            try await play(seed, steps: 1500, ModelWorld(store: store, service: service))
            try await store.close()
        }
    #endif
}
