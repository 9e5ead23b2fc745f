package import MailDNS

/// Why a policy file could not be had.
package enum STSFetchFailure: Error, Sendable, Hashable {
    case unreachable(reason: String)
    /// Its host's certificate does not hold.
    case untrusted(reason: String)
}

/// Fetches `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`, bounded in size and time (RFC 8461 §3.3).
package protocol STSPolicyFetcher: Sendable {
    func fetch(_ domain: String) async throws(STSFetchFailure) -> [UInt8]
}

/// The MTA-STS policies of domains: what is had once holds until it expires, whatever an attacker suppresses (RFC 8461 §5.1).
package actor STSPolicies {
    /// After a failure a domain is not asked again for so many seconds (RFC 8461 §3.3 says "minutes").
    static let pauseAfterFailure: Int64 = 300
    /// Policies are fetched anew daily, so that mail never comes upon one that is about to expire (RFC 8461 §10.2).
    static let refreshInterval: Int64 = 86_400
    private static let pauseBetweenRefreshes = Duration.seconds(3600)
    /// Domains whose failures are remembered; beyond, all are forgotten, which costs a fetch each.
    private static let maximumFailures = 10_000

    private let resolver: any DNSResolver
    private let fetcher: any STSPolicyFetcher
    private let recorder: (any TLSResultRecorder)?
    private let now: @Sendable () -> Int64
    private var store: STSStore
    private var failures: [String: Int64] = [:]
    private var running: [String: Task<Void, Never>] = [:]

    /// Blocks on reading what was kept.
    ///
    /// - Parameters:
    ///   - directory: where policies are kept over a restart; made when missing. Nil: nowhere.
    ///   - now: seconds since 1970.
    package init(
        resolver: any DNSResolver, fetcher: any STSPolicyFetcher, directory: String?,
        recorder: (any TLSResultRecorder)? = nil, now: @escaping @Sendable () -> Int64
    ) {
        self.resolver = resolver
        self.fetcher = fetcher
        self.recorder = recorder
        self.now = now
        store = STSStore(directory: directory, now: now())
    }

    /// The policy in force for a domain; nil when there is none, or it says so.
    package func policy(for domain: String) async -> STSPolicy? {
        let record = await record(of: domain)
        // Without a record, what was had before holds; so it does while its id is the same.
        if let record, current(domain)?.id != record.id { await fetchOnce(domain, record) }
        let policy = current(domain)?.policy
        return policy?.mode == STSPolicy.Mode.none ? nil : policy
    }

    /// Until it is cancelled: fetches policies anew before they expire.
    package func run() async {
        while !Task.isCancelled {
            await refresh()
            try? await Task.sleep(for: Self.pauseBetweenRefreshes)
        }
    }

    /// Fetches anew what was had a day ago.
    func refresh() async {
        for (domain, kept) in store.kept {
            if kept.expiry <= now() {
                store.remove(domain)
            } else if kept.fetched + min(Self.refreshInterval, kept.policy.maximumAge / 2) <= now(),
                let record = await record(of: domain)
            {
                await fetchOnce(domain, record)
            }
        }
    }

    private func current(_ domain: String) -> KeptSTSPolicy? {
        guard let kept = store.kept[domain] else { return nil }
        guard kept.expiry > now() else {
            store.remove(domain)
            return nil
        }
        return kept
    }

    private func record(of domain: String) async -> STSRecord? {
        guard let answer = try? await resolver.lookUp("_mta-sts.\(domain)", .txt) else { return nil }
        if case .bogus = answer.security { return nil }
        return STSRecord(answer.records.compactMap { if case .txt(let text) = $0 { text } else { nil } })
    }

    /// Whoever asks meanwhile waits for the same fetch.
    private func fetchOnce(_ domain: String, _ record: STSRecord) async {
        if let failure = failures[domain] {
            guard failure + Self.pauseAfterFailure <= now() else { return }
            failures[domain] = nil
        }
        if let task = running[domain] { return await task.value }
        let task = Task { await fetch(domain, record) }
        running[domain] = task
        await task.value
        running[domain] = nil
    }

    private func fetch(_ domain: String, _ record: STSRecord) async {
        let failure: TLSFailure
        var reason: String?
        do throws(STSFetchFailure) {
            let text = try await fetcher.fetch(domain)
            if let policy = STSPolicy(text) {
                store.keep(KeptSTSPolicy(policy: policy, text: text, id: record.id, fetched: now()), for: domain)
                return
            }
            failure = .stsInvalid
        } catch {
            switch error {
            case .unreachable(let why): (failure, reason) = (.stsFetchError, why)
            case .untrusted(let why): (failure, reason) = (.stsWebPKIInvalid, why)
            }
        }
        if failures.count >= Self.maximumFailures { failures = [:] }
        failures[domain] = now()
        recorder?.record(
            TLSSessionResult(
                policy: ReportedPolicy(.sts, recipientDomain: domain), failure: failure, reason: reason))
    }
}
