#include "transfer.h"

#include "common/openai_failure.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 64 << 20 };

struct transfer {
	const struct openai_endpoint *endpoint;
	CURL *easy;
	struct transfer_reply *reply; /* of the request that is under way */
	size_t capacity;
	char message[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	struct transfer_reply *reply = transfer->reply;
	size_t length = size * count;
	if (length > BODY_LIMIT - reply->length)
		return 0;
	if (reply->length + length > transfer->capacity) {
		size_t wanted = (reply->length + length) * 2;
		char *grown = realloc(reply->body, wanted);
		if (grown == NULL)
			return 0;
		reply->body = grown;
		transfer->capacity = wanted;
	}
	memcpy(reply->body + reply->length, data, length);
	reply->length += length;
	return length;
}

static void set_options(struct transfer *transfer, double connect_timeout, double timeout)
{
	CURL *easy = transfer->easy;
	const char *authorities = getenv("SSL_CERT_FILE");
	(void)curl_easy_setopt(easy, CURLOPT_URL, transfer->endpoint->url);
	(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (authorities != NULL && authorities[0] != '\0')
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_timeout * 1000));
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout * 1000));
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

struct transfer *transfer_new(const struct openai_endpoint *endpoint, double connect_timeout,
	double timeout, struct ss_error *err)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);
	if (transfer == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(transfer);
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	transfer->endpoint = endpoint;
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL) {
		transfer_free(transfer);
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	set_options(transfer, connect_timeout, timeout);
	return transfer;
}

void transfer_free(struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	curl_easy_cleanup(transfer->easy);
	curl_global_cleanup();
	free(transfer);
}

/* Only for a request, since the key is among them. */
static struct curl_slist *headers_of(const struct openai_endpoint *endpoint)
{
	/* Else a long body waits for a "go on" that many servers never say. */
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	for (const char *const *header = endpoint->headers; headers != NULL && *header != NULL;
		header++) {
		struct curl_slist *longer = curl_slist_append(headers, *header);
		if (longer == NULL)
			curl_slist_free_all(headers);
		headers = longer;
	}
	return headers;
}

static void free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *header = headers; header != NULL; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(headers);
}

static const char *header_of(const struct transfer *transfer, const char *name)
{
	struct curl_header *header = NULL;
	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

static void read_head(const struct transfer *transfer, struct transfer_reply *reply)
{
	long status = 0;
	const char *location = header_of(transfer, "Location");
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	reply->status = (int)status;
	reply->retry_after = openai_retry_after(header_of(transfer, "Retry-After"), time(NULL));
	openai_tidy(transfer->endpoint,
		(struct ss_text){location, location != NULL ? strlen(location) : 0},
		reply->location, sizeof reply->location);
}

int transfer_post(struct transfer *transfer, const char *body, struct transfer_reply *reply,
	struct ss_error *err)
{
	CURL *easy = transfer->easy;
	struct curl_slist *headers = headers_of(transfer->endpoint);
	*reply = (struct transfer_reply){.retry_after = -1};
	if (headers == NULL)
		return ss_fail(err, "out of memory");
	transfer->reply = reply;
	transfer->capacity = 0;
	transfer->message[0] = '\0';
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	CURLcode code = curl_easy_perform(easy);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	free_headers(headers);
	if (code == CURLE_OK) {
		read_head(transfer, reply);
		return 0;
	}
	free(reply->body);
	reply->body = NULL;
	const char *why =
		transfer->message[0] != '\0' ? transfer->message : curl_easy_strerror(code);
	/* So libcurl calls a line of the head that is longer than what it takes. */
	if (code == CURLE_OUT_OF_MEMORY)
		return ss_fail_as(err, SS_INVALID,
			"%s: the head of the reply is too long, or there is too little memory",
			transfer->endpoint->name);
	return ss_fail_as(err,
		code == CURLE_OPERATION_TIMEDOUT ? SS_TIMEOUT
		: code == CURLE_WRITE_ERROR      ? SS_INVALID
						 : SS_UNAVAILABLE,
		"%s: %s", transfer->endpoint->name,
		code == CURLE_WRITE_ERROR ? "the reply is too long" : why);
}
