import Foundation
import Glibc

/// What the process takes of the machine, as Prometheus' own clients name it.
struct ProcessUse {
    var residentOctets = 0.0
    var processorSeconds = 0.0
    var openFiles = 0.0
    var maximumFiles = 0.0
    var threads = 0.0

    init() {
        let pages = ProcessUse.words("/proc/self/statm")
        if pages.count > 1 { residentOctets = (Double(pages[1]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) }
        // The name in parentheses may hold spaces.
        let fields = ProcessUse.text("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
        if fields.count > 17 {
            let ticks = (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
            processorSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
            threads = Double(fields[17]) ?? 0
        }
        // Less the one that reads the list.
        openFiles = Double(
            max(0, ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 1) - 1))
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { maximumFiles = Double(limit.rlim_cur) }
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
    private static func words(_ path: String) -> [Substring] { text(path).split { $0.isWhitespace } }

    func write(to text: inout MetricsText) {
        text.add("process_resident_memory_bytes", .gauge, "Resident memory.", residentOctets)
        text.add("process_cpu_seconds_total", .counter, "Processor time, user and system.", processorSeconds)
        text.add("process_open_fds", .gauge, "Open file descriptors.", openFiles)
        text.add("process_max_fds", .gauge, "Most file descriptors that may be open.", maximumFiles)
        text.add("process_threads", .gauge, "Threads.", threads)
    }
}
