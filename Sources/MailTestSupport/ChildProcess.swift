package import Foundation
import Glibc
import Synchronization

/// A program that a test runs. Foundation's `Process` reads past a buffer when some 1,300 descriptors are open, as they are
/// while many tests run, and hands on which signals are blocked.
///
/// Unchecked: it is set up, run and waited for by one test, whose steps follow each other also where they change threads.
package final class ChildProcess: @unchecked Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package var executableURL: URL?
    package var arguments: [String] = []
    package var currentDirectoryURL: URL?
    /// What is its own when nothing stands here; a pipe's end is closed on this side.
    package var standardInput: ProgramPipe?
    package var standardOutput: ProgramPipe?
    package var standardError: ProgramPipe?
    /// What no pipe takes goes nowhere.
    package var isQuiet = false
    /// Its children end with it in `killGroup`.
    package var leadsGroup = false
    package private(set) var processIdentifier: pid_t = 0
    package private(set) var terminationStatus: Int32 = -1

    /// A pipe is made, and marked as nobody else's, while nothing is started.
    fileprivate static let starting = Mutex(())

    package init() {}

    package convenience init(_ program: String, _ arguments: [String]) {
        self.init()
        executableURL = URL(filePath: program)
        self.arguments = arguments
    }

    /// Throws `Failure` when it cannot be started.
    package func run() throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        redirect(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let group = leadsGroup ? POSIX_SPAWN_SETPGROUP : 0
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group))
        var command = [executableURL?.path ?? ""] + arguments
        if let currentDirectoryURL { command = ["/usr/bin/env", "-C", currentDirectoryURL.path] + command }
        let program = command[0]
        var words = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let result = Self.starting.withLock { _ in
            posix_spawn(&processIdentifier, program, &actions, &attributes, &words, environ)
        }
        guard result == 0 else { throw Failure(description: "\(program): \(String(cString: strerror(result)))") }
        try standardInput?.fileHandleForReading.close()
        try standardOutput?.fileHandleForWriting.close()
        if standardError !== standardOutput { try standardError?.fileHandleForWriting.close() }
    }

    private func redirect(_ actions: inout posix_spawn_file_actions_t) {
        let ends = [
            standardInput?.fileHandleForReading, standardOutput?.fileHandleForWriting,
            standardError?.fileHandleForWriting,
        ]
        for (number, end) in ends.enumerated() {
            if let end {
                posix_spawn_file_actions_adddup2(&actions, end.fileDescriptor, Int32(number))
            } else if isQuiet || number == 0 {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
            }
        }
    }

    /// Its exit status; the negative number of a signal that ended it.
    package func waitUntilExit() {
        var status: Int32 = 0
        while waitpid(processIdentifier, &status, 0) < 0, errno == EINTR {}
        terminationStatus = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    package func terminate() { kill(processIdentifier, SIGTERM) }

    /// Ends it and its children at once, and waits for it.
    package func killGroup() {
        kill(leadsGroup ? -processIdentifier : processIdentifier, SIGKILL)
        waitUntilExit()
    }
}

/// A pipe that no other program inherits: its reader would wait for that one's end.
package final class ProgramPipe: Sendable {
    package let fileHandleForReading: FileHandle
    package let fileHandleForWriting: FileHandle

    package init() {
        var ends: [Int32] = [-1, -1]
        ChildProcess.starting.withLock { _ in
            _ = pipe(&ends)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        fileHandleForReading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        fileHandleForWriting = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    }
}
