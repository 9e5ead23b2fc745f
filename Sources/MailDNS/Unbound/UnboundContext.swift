import CUnbound

/// libunbound's context, confined to one thread. Everything must be set before the first lookup.
final class UnboundContext {
    /// For the answers and for their records; unbound's own limits for both, with room for a busy relay.
    private static let cacheOctets = "8m"

    let pointer: OpaquePointer

    init(_ options: ResolverOptions) throws(ResolverOptionsError) {
        guard let pointer = ub_ctx_create() else {
            throw ResolverOptionsError(description: "the DNS resolver cannot be started")
        }
        self.pointer = pointer
        // What it has to say comes with each answer; standard error is the log's.
        ub_ctx_debugout(pointer, nil)
        ub_ctx_debuglevel(pointer, 0)
        try check(ub_ctx_async(pointer, 1), "threads")
        for (name, value) in settings(options) { try check(ub_ctx_set_option(pointer, name, value), name) }
        for file in options.anchors.files { try check(ub_ctx_add_ta_file(pointer, file), file) }
        for record in options.anchors.records { try check(ub_ctx_add_ta(pointer, record), record) }
        for server in options.forwarders { try check(ub_ctx_set_fwd(pointer, server.text), server.text) }
        for (zone, server) in options.stubs { try check(ub_ctx_set_stub(pointer, zone, server.text, 0), server.text) }
        // Anchors are read when the first use makes the settings final; this is a first use that does nothing.
        try check(ub_ctx_zone_remove(pointer, "invalid."), "the trust anchors")
    }

    deinit { ub_ctx_delete(pointer) }

    private func settings(_ options: ResolverOptions) -> [(String, String)] {
        var settings = [
            // The library's own bounds are for a program that asks now and then.
            ("num-queries-per-thread:", "\(ResolverLoop.maximumConcurrent * 4)"), ("outgoing-range:", "512"),
            ("outgoing-num-tcp:", "32"),
            ("msg-cache-size:", Self.cacheOctets), ("rrset-cache-size:", Self.cacheOctets),
            // A server that was down for a while is asked again soon.
            ("infra-keep-probing:", "yes"), ("infra-host-ttl:", "120"),
            // An answer that should be signed and is not is no answer.
            ("harden-dnssec-stripped:", "yes"), ("harden-below-nxdomain:", "yes"), ("harden-glue:", "yes"),
            ("serve-expired:", "no"),
        ]
        if (options.forwarders + options.stubs.values).contains(where: \.isLoopback) {
            settings.append(("do-not-query-localhost:", "no"))
        }
        // Who asks a resolver of their own may have names for private addresses in it.
        if !options.forwarders.isEmpty { settings += [("unblock-lan-zones:", "yes"), ("insecure-lan-zones:", "yes")] }
        return settings
    }

    private func check(_ result: Int32, _ what: String) throws(ResolverOptionsError) {
        guard result != 0 else { return }
        let reason = String(cString: ub_strerror(result))
        throw ResolverOptionsError(description: "the DNS resolver refuses \(what): \(reason)")
    }
}
