#ifndef LATCHMAIL_PROCESS_H
#define LATCHMAIL_PROCESS_H

// Variadic system calls, which Swift cannot make itself.

/// No core dumps, and no other process of the user's may look into this one's memory. 0, or -1 with errno.
int process_forbid_inspection(void);

/// Capabilities outlive the change to another user, once. 0, or -1 with errno.
int process_keep_capabilities(void);

/// Gives up all capabilities of the calling thread, and of those it makes later, but for binding ports below 1024 if
/// `keeps_binding` is not 0. 0, or -1 with errno.
int process_drop_capabilities(int keeps_binding);

/// Neither this thread nor those it makes later gain anything by executing files. 0, or -1 with errno.
int process_forbid_new_privileges(void);

#endif
