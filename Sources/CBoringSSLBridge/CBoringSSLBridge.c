#include "CBoringSSLBridge.h"
