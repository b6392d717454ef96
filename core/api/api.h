/*
 * The REST API: one file a resource, and the table of routes. Called by the HTTP server on the loop.
 */
#ifndef API_API_H
#define API_API_H

#include "api/admission.h"
#include "api/caller.h"
#include "api/document.h"
#include "api/formats.h"
#include "api/gate.h"
#include "http/request.h"

struct api_pages;
struct calls;
struct catalogue;
struct compute;
struct event_base;
struct erasures;
struct event_feed;
struct generations;
struct config_access;
struct key_ring;
struct limits;
struct llm;
struct metrics;
struct store;
struct support;
struct versions;

/* What the handlers work with; the context of every request. */
struct api {
	const struct api_document *document;
	const struct api_pages *pages;
	struct support *support;
	struct versions *versions; /* for turns of other workflows */
	struct store *store;
	struct erasures *erasures;
	struct event_feed *feed; /* NULL: nothing can be followed */
	struct compute *compute;
	const struct llm *llm;
	const struct catalogue *catalogue; /* of the articles */
	const char *workflow;              /* its hash */
	const struct metrics *metrics;     /* of all workers */
	const struct calls *calls;         /* the same; NULL: there are none */
	const struct key_ring *keys;
	const struct config_access *access;
	struct limits *limits;                 /* of all workers; NULL: there are none */
	const struct generations *generations; /* NULL: there is no master */
	bool is_open; /* as long as there is no key, everybody may do everything */
	struct event_base *base;
	int64_t heartbeat_ns; /* how long an event stream may be silent */
	int64_t started_ns;   /* of the monotonic clock */
	int64_t started_at_s; /* Unix time */
	bool leaving;         /* the worker finishes what it has, and ends */
	bool hurried; /* and the time for it is over: what waits is answered with what there is */
};

/* Who asks without a user_id. */
#define API_ANYBODY "web_user"

/* What answers the operations of the document. */
extern const struct api_handler api_handlers[];
extern const size_t api_handler_count;

/* POST /api/v1/query */
void api_query(struct http_request *request);
/* POST /api/v1/feedback */
void api_feedback(struct http_request *request);
/* GET /api/v1/kb/articles */
void api_articles(struct http_request *request);
/* POST /api/v1/kb/articles */
void api_article_add(struct http_request *request);
/* GET, PUT and DELETE /api/v1/kb/articles/{id} */
void api_article_read(struct http_request *request);
void api_article_put(struct http_request *request);
void api_article_remove(struct http_request *request);
/* POST /api/v1/kb/search */
void api_kb_search(struct http_request *request);
/* POST /api/v1/kb/import */
void api_kb_import(struct http_request *request);
/* POST /api/v1/kb/reindex */
void api_kb_reindex(struct http_request *request);
/* GET /api/v1/kb/unanswered */
void api_unanswered(struct http_request *request);
/* GET /api/v1/conversations */
void api_conversations(struct http_request *request);
/* GET and DELETE /api/v1/conversations/{id}; GET …/messages, …/export and …/events */
void api_conversation(struct http_request *request);
void api_conversation_delete(struct http_request *request);
void api_conversation_messages(struct http_request *request);
void api_conversation_export(struct http_request *request);
void api_conversation_events(struct http_request *request);
/* POST /api/v1/conversations/{id}/reply, …/resolve, …/close and …/reopen */
void api_conversation_reply(struct http_request *request);
void api_conversation_resolve(struct http_request *request);
void api_conversation_close(struct http_request *request);
void api_conversation_reopen(struct http_request *request);
/* GET and POST /api/v1/users */
void api_users(struct http_request *request);
void api_user_create(struct http_request *request);
/* GET, PATCH and DELETE /api/v1/users/{id}; GET …/export */
void api_user(struct http_request *request);
void api_user_change(struct http_request *request);
void api_user_erase(struct http_request *request);
void api_user_export(struct http_request *request);
/* GET /api/v1/analytics */
void api_analytics(struct http_request *request);
/* GET /api/v1/turns and …/{id}; POST …/{id}/resume */
void api_turns(struct http_request *request);
void api_turn(struct http_request *request);
void api_turn_resume(struct http_request *request);
/* GET and POST /api/v1/reload */
void api_reload_state(struct http_request *request);
void api_reload(struct http_request *request);
/* GET /api/v1/workflow */
void api_workflow(struct http_request *request);
/* GET /api/v1/events */
void api_event_list(struct http_request *request);
/* GET /api/v1/health */
void api_health(struct http_request *request);
/* GET /livez */
void api_livez(struct http_request *request);
/* GET /readyz */
void api_readyz(struct http_request *request);
/* GET /api/v1/stats */
void api_stats(struct http_request *request);
/* GET /openapi.json */
void api_openapi(struct http_request *request);
/* GET /docs, /redoc, /docs/errors */
void api_page(struct http_request *request);
/* GET /docs/assets/{name} */
void api_page_file(struct http_request *request);
/* GET /metrics */
void api_metrics(struct http_request *request);

/* POST /v1/chat/completions */
void api_chat(struct http_request *request);
/* GET /v1/models */
void api_models(struct http_request *request);
/* GET /v1/models/{id} */
void api_model(struct http_request *request);
/* POST /v1/embeddings */
void api_embeddings(struct http_request *request);

/* The problem that ERR is, which is borrowed: 404, 409, 503 or 500. The sentence of an internal error is not for clients. */
struct http_problem api_problem(const struct ss_error *err);

/* Replies with the problem that ERR is: 404, 409, 503 with Retry-After, or 500. The sentence of an
 * internal error goes to the log and not to the client. */
void api_reply_error(struct http_request *request, const struct ss_error *err);

/* The same for a question: Retry-After says how long no model can be asked. */
void api_reply_unanswered(struct http_request *request, const struct ss_error *err);

/* Sets Retry-After for a question that cannot be answered now, in whole seconds: until a model can be asked again. */
void api_retry_question(struct http_request *request);

#endif
