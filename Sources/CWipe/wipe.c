#define _DEFAULT_SOURCE
#include "CWipe.h"

#include <string.h>

void latchmail_wipe(void *start, size_t count) {
    if (count > 0) explicit_bzero(start, count);
}
