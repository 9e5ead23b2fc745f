import Glibc

/// When messages are saved (RFC 8514): seconds since 1970, which 32 bits hold until 2106.
package enum SaveClock {
    @Sendable package static func system() -> UInt32 { UInt32(clamping: time(nil)) }
}
