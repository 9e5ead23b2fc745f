#include "CAllocator.h"

#include <malloc.h>

void latchmail_reuse_blocks(int largest, int kept) {
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, largest);
    mallopt(M_TRIM_THRESHOLD, kept);
    // A heap grows in steps of this; what of a step is not touched takes no memory.
    mallopt(M_TOP_PAD, largest);
#endif
}
