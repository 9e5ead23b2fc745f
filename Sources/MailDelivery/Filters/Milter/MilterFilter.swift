package import WireFraming

/// Content filters that speak the milter protocol (version 6), asked in order.
///
/// A connection serves one client after the other where the filter allows it.
package struct MilterFilter: MessageFilter {
    private let filters: [(settings: MilterSettings, pool: MilterPool)]
    private let server: MilterServer
    private let connector: any ByteStreamConnector
    private let report: @Sendable (String) -> Void

    /// - Parameter report: is given what goes wrong, for the log.
    package init(
        _ filters: [MilterSettings], server: MilterServer, connector: any ByteStreamConnector,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.filters = filters.map { ($0, MilterPool()) }
        self.server = server
        self.connector = connector
        self.report = report
    }

    package func begin(_ client: FilteredClient) async -> any FilterTransaction {
        let macros = MilterMacros(client, server: server)
        let conversations = filters.map { filter in
            MilterConversation(
                filter.settings, pool: filter.pool, connector: connector, macros: macros, report: report)
        }
        let transaction = MilterTransaction(conversations, server: server, macros: macros)
        await transaction.begin(client)
        return transaction
    }

    /// Ends connections that wait for another client.
    package func close() {
        for filter in filters { filter.pool.close() }
    }
}
