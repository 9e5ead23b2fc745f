import TLSPolicy

extension ChannelBindings {
    /// By name in the IANA Channel-Binding Types registry; nil for what there is not.
    func data(_ name: String) -> [UInt8]? {
        switch name {
        case "tls-exporter": exporter
        case "tls-server-end-point": serverEndPoint
        case _: nil
        }
    }

    var isEmpty: Bool { exporter == nil && serverEndPoint == nil }
}
