// Settings of the C library's allocator that Swift's module map leaves out.
#ifndef LATCHMAIL_CALLOCATOR_H
#define LATCHMAIL_CALLOCATOR_H

/// Blocks up to `largest` octets come from the heap, which keeps up to `kept` unused octets at its end.
void latchmail_reuse_blocks(int largest, int kept);

#endif
