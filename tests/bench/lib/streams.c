#include "lib/streams.h"

#include "base/clock.h"
#include "base/memory.h"
#include "lib/model.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, READ_SIZE = 65536 };

struct stream {
	int fd;
	struct buffer line; /* that is not complete yet */
	bool over;
};

struct reader {
	const struct streams_options *options;
	struct streams_result *result;
	struct stream *streams;
	int epoll;
	size_t open;
	size_t room;
	bool told; /* that half of it has come */
};

static void note_token(struct reader *reader, int64_t delay_ns)
{
	struct streams_result *result = reader->result;
	if (result->count == reader->room) {
		reader->room = reader->room * 2 + 1024;
		result->delays_ns = memory_resize(result->delays_ns, reader->room, sizeof(int64_t));
	}
	result->delays_ns[result->count++] = delay_ns;
	if (reader->told || result->count < reader->options->tokens / 2)
		return;
	reader->told = true;
	if (reader->options->halfway != NULL)
		reader->options->halfway(reader->options->context);
}

/* The times in LINE are those of its tokens; one piece may have several. */
static void note_tokens(struct reader *reader, const char *line, int64_t now_ns)
{
	for (const char *at = line; *at != '\0';) {
		size_t digits = strspn(at, "0123456789");
		if (digits == MODEL_DIGITS)
			note_token(reader, now_ns - strtoll(at, NULL, 10));
		at += digits > 0 ? digits : 1;
	}
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

static void note_line(struct reader *reader, struct stream *stream, int64_t now_ns)
{
	const char *line = buffer_text(&stream->line);
	if (begins(line, reader->options->token))
		note_tokens(reader, line, now_ns);
	if (begins(line, reader->options->end) && !stream->over) {
		stream->over = true;
		reader->result->complete++;
	}
	stream->line.length = 0;
}

static void stream_close(struct reader *reader, struct stream *stream)
{
	if (stream->fd >= 0) {
		(void)close(stream->fd);
		reader->open--;
	}
	stream->fd = -1;
}

static void read_more(struct reader *reader, struct stream *stream)
{
	char bytes[READ_SIZE];
	ssize_t length = recv(stream->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	int64_t now_ns = clock_monotonic_ns();
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t at = 0; at < length;) {
		const char *end = memchr(bytes + at, '\n', (size_t)(length - at));
		ssize_t part = end != NULL ? end - (bytes + at) : length - at;
		buffer_add(&stream->line, bytes + at, (size_t)part);
		at += part + 1;
		if (end != NULL)
			note_line(reader, stream, now_ns);
	}
	if (length <= 0 || stream->over)
		stream_close(reader, stream);
}

static int stream_open(struct reader *reader, size_t number, struct ss_error *err)
{
	struct stream *stream = &reader->streams[number];
	const struct sockaddr_in *address = &reader->options->address;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
	struct buffer request = {0};
	/* Connecting and asking block: both take a moment only. */
	stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stream->fd < 0 ||
		connect(stream->fd, (const struct sockaddr *)address, sizeof *address) < 0)
		return ss_fail(err, "cannot connect: %s", strerror(errno));
	reader->open++;
	reader->options->request(reader->options->context, number, &request);
	ssize_t sent = send(stream->fd, request.data, request.length, MSG_NOSIGNAL);
	bool whole = sent == (ssize_t)request.length;
	buffer_free(&request);
	if (!whole || epoll_ctl(reader->epoll, EPOLL_CTL_ADD, stream->fd, &event) < 0)
		return ss_fail(err, "cannot ask: %s", strerror(errno));
	return 0;
}

static int run(struct reader *reader, struct ss_error *err)
{
	struct epoll_event events[EVENTS];
	int64_t begun_ns = clock_monotonic_ns();
	for (size_t i = 0; i < reader->options->streams; i++) {
		if (stream_open(reader, i, err) < 0)
			return -1;
	}
	while (reader->open > 0 && clock_monotonic_ns() - begun_ns < reader->options->duration_ns) {
		int ready = epoll_wait(reader->epoll, events, EVENTS, 100);
		for (int i = 0; i < ready; i++)
			read_more(reader, events[i].data.ptr);
	}
	reader->result->duration_ns = clock_monotonic_ns() - begun_ns;
	return 0;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

int streams_run(
	const struct streams_options *options, struct streams_result *result, struct ss_error *err)
{
	*result = (struct streams_result){0};
	struct reader reader = {
		.options = options,
		.result = result,
		.streams = memory_array(options->streams, sizeof(struct stream)),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	for (size_t i = 0; i < options->streams; i++)
		reader.streams[i].fd = -1;
	int code = run(&reader, err);
	for (size_t i = 0; i < options->streams; i++) {
		stream_close(&reader, &reader.streams[i]);
		buffer_free(&reader.streams[i].line);
	}
	free(reader.streams);
	(void)close(reader.epoll);
	if (result->count > 1)
		qsort(result->delays_ns, result->count, sizeof(int64_t), compare);
	return code;
}

void streams_result_free(struct streams_result *result)
{
	free(result->delays_ns);
	*result = (struct streams_result){0};
}

double streams_percentile_ms(const struct streams_result *result, double fraction)
{
	if (result->count == 0)
		return 0;
	size_t index = (size_t)(fraction * (double)(result->count - 1) + 0.5);
	return (double)result->delays_ns[index] / 1e6;
}
