package import MailVocabulary

/// How long a store takes, for whoever exports it.
package final class StoreMeasurements: Sendable {
    /// From the writer's beginning of a batch of changes to its being durable.
    package let commits = Histogram()
    /// Reading from the disk, with waiting for a thread to do it.
    package let reads = Histogram()

    package init() {}
}

extension MailStore {
    /// Nil for a store that has no disk.
    package var measurements: StoreMeasurements? { nil }

    package func probeWriter() async throws {}
}
