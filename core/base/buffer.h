/* A string that grows. For every room; one thread at a time. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
	char *data; /* NUL-terminated once something was added; NULL before */
	size_t length;
	size_t capacity;
};

void buffer_add(struct buffer *buffer, const char *text, size_t length);
void buffer_add_string(struct buffer *buffer, const char *text);
void buffer_add_char(struct buffer *buffer, char c);
__attribute__((format(printf, 2, 3))) void buffer_add_format(
	struct buffer *buffer, const char *format, ...);
__attribute__((format(printf, 2, 0))) void buffer_add_arguments(
	struct buffer *buffer, const char *format, va_list arguments);

/* The text, never NULL; borrowed until the buffer changes. */
const char *buffer_text(const struct buffer *buffer);

/* Hands the text, never NULL, to the caller, who frees it; the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer);

void buffer_free(struct buffer *buffer);

#endif
