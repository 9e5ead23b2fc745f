// Overwriting what was secret, in a way that compilers do not take for a useless store.
#ifndef LATCHMAIL_CWIPE_H
#define LATCHMAIL_CWIPE_H

#include <stddef.h>

/// Sets `count` octets to zero, even if nothing reads them any more.
void latchmail_wipe(void *start, size_t count);

#endif
