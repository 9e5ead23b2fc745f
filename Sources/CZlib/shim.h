// Input is not written to: its pointers are const.
#define ZLIB_CONST
#include <zlib.h>
