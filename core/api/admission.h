/*
 * How much may be asked for: limits by address, by key and by user (config/access.h), each a bucket that all workers share
 * (service/limits.h). Requests from this machine without a key have no limit: who sends them runs the server. What is public and
 * what x-unlimited says has none either. Loop thread.
 */
#ifndef API_ADMISSION_H
#define API_ADMISSION_H

#include "api/caller.h"

/* Counts REQUEST against the limit of its address. False when it is over; then a problem was replied. */
bool api_admit_address(struct http_request *request);

/* The same against that of the key of CALLER. */
bool api_admit_key(struct http_request *request, const struct api_caller *caller);

/* The same of a question against that of its user, STORED in the store. */
bool api_admit_user(struct http_request *request, const char *stored);

#endif
