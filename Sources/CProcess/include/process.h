#ifndef LATCHMAIL_PROCESS_H
#define LATCHMAIL_PROCESS_H

// Variadic system calls, which Swift cannot make itself.

/// No core dumps, and no other process of the user's may look into this one's memory. 0, or -1 with errno.
int process_forbid_inspection(void);

/// Gives up all capabilities of the calling thread, and of those it makes later. 0, or -1 with errno.
int process_drop_capabilities(void);

/// Neither this thread nor those it makes later gain anything by executing files. 0, or -1 with errno.
int process_forbid_new_privileges(void);

#endif
