import Foundation
import GRDB
package import MailStore

extension SQLiteStore {
    package func bodyWriter() -> any BodyWriter { StagingWriter(staging) }

    package func read(_ body: BodyID, _ range: Range<Int>) async throws -> [UInt8] {
        let (pool, segments) = (pool, segments)
        return try await readers.run {
            let bytes = try SQLiteStore.locating(body, in: pool) { found in
                let wanted = range.clamped(to: 0..<found.place.length)
                if wanted.count == found.place.length { return try segments.body(body, found) }
                return try segments.part(wanted, of: body, found)
            }
            guard let bytes else { throw StoreError.noSuchBody }
            return bytes
        }
    }

    package func read(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        let (pool, segments) = (pool, segments)
        return try await readers.run {
            let places = try SQLiteStore.places(of: bodies, in: pool)
            let inSegments = zip(bodies, places).compactMap { body, found in
                found.flatMap { $0.place.segment == BodyPlace.parked ? nil : (id: body, place: $0.place) }
            }
            let read = segments.bodies(inSegments)
            return try zip(bodies, places).map { body, found in
                guard let found else { return nil }
                if let bytes = read[body] ?? (try? segments.body(body, found)) { return bytes }
                return try SQLiteStore.locating(body, in: pool) { try segments.body(body, $0) }
            }
        }
    }

    /// Of a body that is moved meanwhile the old place, or a place and no octets: whoever reads there notices.
    private static func places(of bodies: [BodyID], in pool: DatabasePool) throws -> [FoundBody?] {
        do {
            return try pool.unsafeRead { db in try RowReader.found(bodies, db) }
        } catch {
            throw StoreError(anyError: error)
        }
    }

    /// Reads with the body's place, a second time when it may have been moved meanwhile. Nil when it is gone.
    static func locating<R>(
        _ body: BodyID, in pool: DatabasePool, _ read: (FoundBody) throws -> R
    ) throws -> R? {
        var tried: BodyPlace?
        var problem = ""
        while let found = try places(of: [body], in: pool)[0] {
            if found.place == tried { throw StoreError.damaged("body \(body.value): \(problem)") }
            do {
                return try read(found)
            } catch let mismatch as SegmentReader.Mismatch {
                tried = found.place
                problem = mismatch.problem
            }
        }
        return nil
    }

    package func summaries(_ bodies: [BodyID], upTo limit: Int) async throws -> PackedSummaries {
        // A stretch of neighbours is one statement; bodies do not change, and one that goes meanwhile is gone.
        try await readOnce { db in try RowReader.summaries(bodies, upTo: limit, db) }
    }
}

extension RowReader {
    static func bytes(_ row: Row, _ column: Int) -> [UInt8] {
        (try? row.withUnsafeData(atIndex: column) { data in data.map { Array($0) } }) ?? []
    }
}
