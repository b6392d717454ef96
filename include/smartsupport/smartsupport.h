/* The SmartSupport plugin SDK: includes everything that a plugin may use. */
#ifndef SMARTSUPPORT_H
#define SMARTSUPPORT_H

#include "abi.h"
#include "error.h"
#include "host.h"
#include "plugin.h"
#include "storage.h"
#include "value.h"

#endif
