import CUnbound

extension DNSAnswer {
    /// Records of one answer that are looked at: a message of 64 KiB has room for some thousand addresses.
    private static let maximumRecords = 4096

    static func decode(_ result: ub_result, _ name: String, _ type: DNSRecordType) -> Result<DNSAnswer, DNSFailure> {
        var answer = DNSAnswer(existence: .noData, security: .insecure, canonicalName: name)
        if result.bogus != 0 {
            let reason = result.why_bogus.map { String(cString: $0) } ?? "the signatures do not hold"
            answer.security = .bogus(reason: printable(reason))
            return .success(answer)
        }
        // NOERROR and NXDOMAIN.
        guard result.rcode == 0 || result.rcode == 3 else {
            return .failure(.serverFailure(reason: responseCode(result.rcode)))
        }
        answer.security = result.secure != 0 ? .secure : .insecure
        answer.timeToLive = max(0, Int(result.ttl))
        if let canonical = result.canonname { answer.canonicalName = DNSName.normalized(String(cString: canonical)) }
        answer.records = records(result, type)
        if !answer.records.isEmpty {
            answer.existence = .records
        } else if result.nxdomain != 0 || result.rcode == 3 {
            answer.existence = .noSuchName
        } else if result.havedata != 0 {
            // There was something, and none of it can be understood: not the same as nothing.
            return .failure(.serverFailure(reason: "malformed records"))
        }
        return .success(answer)
    }

    private static func records(_ result: ub_result, _ type: DNSRecordType) -> [DNSRecordData] {
        guard let data = result.data, let lengths = result.len else { return [] }
        var records: [DNSRecordData] = []
        for index in 0..<maximumRecords {
            guard let octets = data[index] else { break }
            let length = Int(lengths[index])
            guard length >= 0, length <= DNSRecordData.maximumLength else { continue }
            let copy = UnsafeRawBufferPointer(start: octets, count: length)
            if let record = DNSRecordData(Array(copy), type) { records.append(record) }
        }
        return records
    }

    private static func responseCode(_ code: Int32) -> String {
        switch code {
        case 1: "FORMERR"
        case 2: "SERVFAIL"
        case 4: "NOTIMP"
        case 5: "REFUSED"
        case _: "response code \(code)"
        }
    }

    /// The reason quotes names from the network.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.prefix(300).map { $0.isASCII && $0.value >= 32 ? $0 : "?" }))
    }
}
