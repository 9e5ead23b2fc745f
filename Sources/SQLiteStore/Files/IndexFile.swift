import Glibc
import MailStore
import MailVocabulary

// The rows of a mailbox as they were at one MODSEQ, in few octets, so that opening a large mailbox does not read as
// many rows from the database. The database is the truth: it says which file belongs to a mailbox by its checksum, and
// what has changed since. A file that is missing, or is anything but what was written, is passed over.
//
//     magic "LMIX" · chunks (4) · mailbox (8) · UIDVALIDITY (8) · UIDNEXT (8) · MODSEQ (8)
//     for each chunk: rows (4) · first UID (4) · last UID (4) · octets (4) · flags of any, of all, highest MODSEQ (8 each)
//     the chunks' octets · checksum of the above (8)                                                   little-endian

enum IndexFile {
    private static let magic: UInt32 = 0x5849_4D4C
    private static let headerSize = 40
    private static let entrySize = 40
    private static let checksumSize = 8
    /// Octets; some fifty million messages.
    private static let sizeLimit = 1 << 30

    // Writing

    /// The last eight octets are the checksum that the database is to name.
    static func encode(_ snapshot: MailboxSnapshot) -> (octets: [UInt8], checksum: UInt64) {
        let chunks = snapshot.encodedChunks
        var octets: [UInt8] = []
        octets.reserveCapacity(chunks.reduce(headerSize + checksumSize) { $0 + entrySize + $1.octets.count })
        append(magic, to: &octets)
        append(UInt32(chunks.count), to: &octets)
        append(UInt64(bitPattern: snapshot.mailbox.value), to: &octets)
        append(UInt64(snapshot.uidValidity.value), to: &octets)
        append(snapshot.uidNext, to: &octets)
        append(snapshot.highestModSeq.value, to: &octets)
        for (summary, rows) in chunks {
            append(UInt32(summary.count), to: &octets)
            append(summary.firstUID, to: &octets)
            append(summary.lastUID, to: &octets)
            append(UInt32(rows.count), to: &octets)
            append(summary.flagsOfAny.rawValue, to: &octets)
            append(summary.flagsOfAll.rawValue, to: &octets)
            append(summary.highestModSeq.value, to: &octets)
        }
        for (_, rows) in chunks { octets.append(contentsOf: rows) }
        let checksum = octets.withUnsafeBytes { Checksum.of($0) }
        append(checksum, to: &octets)
        return (octets, checksum)
    }

    private static func append(_ value: some FixedWidthInteger, to octets: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { octets.append(contentsOf: $0) }
    }

    // Reading

    /// Nil when the file is not there, or not the one with this checksum.
    static func read(_ path: String, checksum: UInt64) -> MailboxSnapshot? {
        guard let file = try? OpenFile(path, O_RDONLY), let size = try? file.size(),
            (headerSize + checksumSize...sizeLimit).contains(size)
        else { return nil }
        var isWhole = false
        let octets = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
            isWhole = (try? file.read(into: room, at: 0)) == true
            count = isWhole ? size : 0
        }
        guard isWhole else { return nil }
        return octets.withUnsafeBytes { octets in
            let body = UnsafeRawBufferPointer(rebasing: octets.dropLast(checksumSize))
            guard word(octets, body.count) == checksum, Checksum.of(body) == checksum else { return nil }
            return decode(body)
        }
    }

    /// Octets whose checksum is right. Still nothing is taken for granted: a trap would come back at every start.
    private static func decode(_ octets: UnsafeRawBufferPointer) -> MailboxSnapshot? {
        let count = Int(half(octets, 4))
        guard half(octets, 0) == magic, count <= (octets.count - headerSize) / entrySize,
            let uidValidity = UInt32(exactly: word(octets, 16)).flatMap(UIDValidity.init)
        else { return nil }
        var chunks: [(summary: ChunkSummary, octets: [UInt8])] = []
        chunks.reserveCapacity(count)
        var offset = headerSize + count * entrySize
        for entry in stride(from: headerSize, to: offset, by: entrySize) {
            let length = Int(half(octets, entry + 12))
            guard length <= octets.count - offset else { return nil }
            let summary = ChunkSummary(
                count: Int(half(octets, entry)), firstUID: half(octets, entry + 4), lastUID: half(octets, entry + 8),
                flagsOfAny: FlagBits(rawValue: word(octets, entry + 16)),
                flagsOfAll: FlagBits(rawValue: word(octets, entry + 24)),
                highestModSeq: ModSeq(word(octets, entry + 32)))
            chunks.append((summary, Array(octets[offset..<offset + length])))
            offset += length
        }
        guard offset == octets.count else { return nil }
        return MailboxSnapshot(
            mailbox: MailboxID(Int64(bitPattern: word(octets, 8))), uidValidity: uidValidity,
            uidNext: word(octets, 24), highestModSeq: ModSeq(word(octets, 32)), chunks: chunks)
    }

    private static func half(_ octets: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    private static func word(_ octets: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
