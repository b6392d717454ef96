#include "client.h"
#include "fixture.h"
#include "http/json_body.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct fixture *fixture;

static void start(void)
{
	fixture = fixture_start(NULL);
}

static void stop(void)
{
	fixture_stop(fixture);
}

TestSuite(json_body, .init = start, .fini = stop);

/* Sends a body of LENGTH bytes to POST /query with the header line TYPE. */
static struct reply post(const char *type, const char *body, size_t length)
{
	struct client client = client_open(fixture->port);
	char *head = memory_format(
		"POST /query HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", type, length);
	client_send(&client, head);
	client_send_bytes(&client, body, length);
	struct reply reply = client_reply(&client, false);
	free(head);
	client_close(&client);
	return reply;
}

#define JSON "Content-Type: application/json\r\n"

static void expect_problem(const char *body, int status, const char *part)
{
	struct reply reply = post(JSON, body, strlen(body));
	check_problem(&reply, status, part);
	reply_free(&reply);
}

Test(json_body, reports_every_mistake_at_once)
{
	static const char body[] = "{\"mesage\": 1, \"id\": \"x\", \"comment\": 5, \"a/b~\": null}";
	struct reply reply = post(JSON, body, strlen(body));
	check_problem(&reply, 422, "\"detail\":\"message is required\"");
	static const char *const parts[] = {
		"{\"detail\":\"message is required\",\"pointer\":\"/message\"}",
		"{\"detail\":\"comment must be a string, not a number\",\"pointer\":\"/comment\"}",
		"{\"detail\":\"id must be an id\",\"pointer\":\"/id\"}",
		"there is no member \\\"a/b~\\\"; there are ",
		"\"pointer\":\"/a~1b~0\"}",
		"did you mean \\\"message\\\"?)\",\"pointer\":\"/mesage\"}",
	};
	for (size_t i = 0; i < array_length(parts); i++)
		cr_expect_not_null(strstr(reply.body, parts[i]), "%s in %s", parts[i], reply.body);
	reply_free(&reply);
}

Test(json_body, checks_strings)
{
	expect_problem(
		"{\"message\": \"12345678901\"}", 422, "message has 11 characters; at most 10");
	expect_problem("{\"message\": \"\"}", 422, "message must not be empty");
	expect_problem("{\"message\": \" \\u200b \"}", 422, "message must not be blank");
	expect_problem("{\"message\": \"a\\u0000\"}", 422, "must not have a NUL");
	expect_problem("{\"message\": null}", 422, "message must be a string, not null");
	expect_problem("[]", 422, "the body must be an object, not a list");
#define EMOJI "\xf0\x9f\x98\x80"
	static const char ten_characters[] =
		"{\"message\": \"" EMOJI EMOJI EMOJI EMOJI EMOJI EMOJI EMOJI EMOJI EMOJI EMOJI
		"\"}";
	static const char *const good[] = {
		ten_characters,
		"{\"message\": \"a\", \"comment\": \" \", \"id\": \"id_1\"}",
		"{\"message\": \"a\", \"comment\": \"\"}",
	};
	for (size_t i = 0; i < array_length(good); i++) {
		struct reply reply = post(JSON, good[i], strlen(good[i]));
		check_reply(&reply);
		cr_expect_eq(reply.status, 200, "%s", reply.body);
		reply_free(&reply);
	}
}

Test(json_body, refuses_what_is_no_json)
{
	expect_problem("{", 400, "not JSON that can be read");
	expect_problem("{\"message\": \"a\", \"message\": \"b\"}", 400, "more than once");
	expect_problem("{\"message\": \"\xff\"}", 400, "not JSON that can be read");
	expect_problem("", 400, "no body");
	char deep[400];
	memset(deep, '[', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	expect_problem(deep, 400, "levels deep");
	/* A name that is cut inside a character still makes a problem that is JSON. */
	char *name = memory_new(600);
	strcpy(name, "{\"");
	for (int i = 0; i < 100; i++)
		strcat(name, "\xc3\xa9");
	char *twice = memory_format("%s\": 1, %s\": 2}", name, name + 1);
	struct reply reply = post(JSON, twice, strlen(twice));
	struct ss_error err = {0};
	struct ss_value *value = json_parse(reply.body, reply.length, &err);
	cr_expect_not_null(value, "%s: %s", err.text, reply.body);
	value_unref(value);
	reply_free(&reply);
	free(twice);
	free(name);
}

Test(json_body, wants_json_in_utf8)
{
	static const struct {
		const char *type;
		int status;
	} types[] = {
		{"", 415},
		{"Content-Type: text/plain\r\n", 415},
		{"Content-Type: application/jsonx\r\n", 415},
		{"Content-Type: application/json x\r\n", 415},
		{"Content-Type: application/json; charset=latin1\r\n", 415},
		{"Content-Type: application/json; a=b; charset=\"utf-16\"\r\n", 415},
		{"Content-Type: application/json; charset=utf-88\r\n", 415},
		{"Content-Type: application/json;\r\n", 200},
		{"Content-Type:\tApplication/JSON ; Charset=\"UTF-8\"; v=1\r\n", 200},
	};
	for (size_t i = 0; i < array_length(types); i++) {
		struct reply reply = post(types[i].type, "{\"message\": \"a\"}", 16);
		check_reply(&reply);
		cr_expect_eq(reply.status, types[i].status, "%s", types[i].type);
		reply_free(&reply);
	}
}

Test(json_body, lists_no_more_mistakes_than_help)
{
	char *body = memory_new(64 * 1024);
	strcpy(body, "{\"message\": \"a\"");
	for (size_t i = 0, at = strlen(body); i < 3000; i++)
		at += (size_t)sprintf(body + at, ", \"unknown_%zu\": 1", i);
	strcat(body, "}");
	struct reply reply = post(JSON, body, strlen(body));
	check_problem(&reply, 422, "there is no member");
	cr_expect_lt(reply.length, 3000);
	reply_free(&reply);
	free(body);
}
