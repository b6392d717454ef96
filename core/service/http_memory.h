/* The memory that libcurl uses: overwritten when it is given back, since it holds the keys of requests. */
#ifndef SERVICE_HTTP_MEMORY_H
#define SERVICE_HTTP_MEMORY_H

#include <smartsupport/error.h>

/* Makes libcurl ready with such memory, unless something in this process has done so before. Each call that succeeds
 * is paired with curl_global_cleanup(). */
int http_memory_init(struct ss_error *err);

#endif
