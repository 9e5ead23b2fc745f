import CAllocator

/// Makes the C library keep what large blocks leave free for the next: a server that hands out message bodies would
/// otherwise get each of them from the kernel anew, and have it zeroed, page by page.
func reuseLargeBlocks() { latchmail_reuse_blocks(4 << 20, 32 << 20) }
