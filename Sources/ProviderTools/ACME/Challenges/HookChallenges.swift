import Logging

/// Answers dns-01 by a program of the operator's, which puts records into the DNS and takes them out again.
struct HookChallenges: ChallengeSolver {
    let type = "dns-01"
    /// The program, by its absolute path, and its arguments. No shell is between.
    let command: [String]
    let timeLimit: Duration
    let logger: Logger
    /// Waits until the DNS shows the records.
    let visibility: DNSVisibility?

    func put(_ proofs: [ChallengeProof]) async throws(ACMEError) {
        for proof in proofs { try await run("add", proof) }
        try await visibility?.wait(for: proofs)
    }

    func remove(_ proofs: [ChallengeProof]) async {
        for proof in proofs {
            do throws(ACMEError) { try await run("remove", proof) } catch {
                logger.warning("certificate: a record was not removed", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func run(_ action: String, _ proof: ChallengeProof) async throws(ACMEError) {
        guard let program = command.first else { throw .configuration("acme.hook is empty") }
        let environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LATCHMAIL_ACTION": action, "LATCHMAIL_DOMAIN": proof.domain, "LATCHMAIL_TOKEN": proof.token,
            "LATCHMAIL_RECORD": proof.recordName, "LATCHMAIL_VALUE": proof.recordValue,
        ]
        do throws(HookProgram.Failure) {
            try await HookProgram(path: program, arguments: Array(command.dropFirst()), environment: environment)
                .run(within: timeLimit)
        } catch {
            throw .challenge("acme.hook (\(action), \(proof.domain)): \(error)")
        }
    }
}
