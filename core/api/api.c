#include "api/api.h"

#include "base/memory.h"
#include "service/llm.h"
#include "support/article_import.h"

/* Of a chat with all that was said in it, and of many texts. */
enum { LONG_BODY_LIMIT = 1024 * 1024 };

/* Of an article whose every character is escaped. */
enum { ARTICLE_BODY_LIMIT = 512 * 1024 };

/* Longer than that no client is told to wait. */
enum { RETRY_LIMIT_S = 3600 };

#define SECOND_NS ((int64_t)1000000000)

const struct api_handler api_handlers[] = {
	{"askQuestion", api_query, HTTP_BODY_LIMIT},
	{"giveFeedback", api_feedback, HTTP_BODY_LIMIT},
	{"listArticles", api_articles, 0},
	{"addArticle", api_article_add, ARTICLE_BODY_LIMIT},
	{"getArticle", api_article_read, 0},
	{"putArticle", api_article_put, ARTICLE_BODY_LIMIT},
	{"removeArticle", api_article_remove, 0},
	{"searchArticles", api_kb_search, HTTP_BODY_LIMIT},
	{"importArticles", api_kb_import, IMPORT_BYTES},
	{"reindexArticles", api_kb_reindex, HTTP_BODY_LIMIT},
	{"listUnanswered", api_unanswered, 0},
	{"listConversations", api_conversations, 0},
	{"getConversation", api_conversation, 0},
	{"deleteConversation", api_conversation_delete, 0},
	{"listMessages", api_conversation_messages, 0},
	{"exportConversation", api_conversation_export, 0},
	{"followConversation", api_conversation_events, 0},
	{"replyToConversation", api_conversation_reply, HTTP_BODY_LIMIT},
	{"resolveConversation", api_conversation_resolve, HTTP_BODY_LIMIT},
	{"closeConversation", api_conversation_close, HTTP_BODY_LIMIT},
	{"reopenConversation", api_conversation_reopen, HTTP_BODY_LIMIT},
	{"listUsers", api_users, 0},
	{"createUser", api_user_create, HTTP_BODY_LIMIT},
	{"getUser", api_user, 0},
	{"updateUser", api_user_change, HTTP_BODY_LIMIT},
	{"eraseUser", api_user_erase, 0},
	{"exportUser", api_user_export, 0},
	{"getAnalytics", api_analytics, 0},
	{"listTurns", api_turns, 0},
	{"getTurn", api_turn, 0},
	{"resumeTurn", api_turn_resume, HTTP_BODY_LIMIT},
	{"getWorkflow", api_workflow, 0},
	{"getReload", api_reload_state, 0},
	{"reload", api_reload, HTTP_BODY_LIMIT},
	{"listEvents", api_event_list, 0},
	{"getHealth", api_health, 0},
	{"getLiveness", api_livez, 0},
	{"getReadiness", api_readyz, 0},
	{"getStats", api_stats, 0},
	{"getMetrics", api_metrics, 0},
	{"getOpenApi", api_openapi, 0},
	{"getDocs", api_page, 0},
	{"getReference", api_page, 0},
	{"getErrorDocs", api_page, 0},
	{"getPageFile", api_page_file, 0},
	{"createChatCompletion", api_chat, LONG_BODY_LIMIT},
	{"listModels", api_models, 0},
	{"getModel", api_model, 0},
	{"createEmbeddings", api_embeddings, LONG_BODY_LIMIT},
};

const size_t api_handler_count = array_length(api_handlers);

struct http_problem api_problem(const struct ss_error *err)
{
	switch (err->status) {
	case SS_LIMIT:
		return (struct http_problem){.status = 503,
			.detail = "too many requests are waiting; try again in a moment"};
	case SS_UNAVAILABLE:
	case SS_TIMEOUT:
		return (struct http_problem){.status = 503,
			.detail = "this cannot be done right now; try again in a moment"};
	case SS_NOT_FOUND:
		return (struct http_problem){.status = 404, .detail = err->text};
	case SS_CONFLICT:
		return (struct http_problem){.status = 409, .detail = err->text};
	default:
		return (struct http_problem){.status = 500,
			.detail = "something went wrong here; the log says what, under this "
				  "request's id"};
	}
}

void api_reply_error(struct http_request *request, const struct ss_error *err)
{
	const struct http_problem problem = api_problem(err);
	if (problem.status == 503)
		http_reply_header(request, "Retry-After", "1");
	http_reply_typed_problem(request, &problem);
}

void api_retry_question(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	char text[24];
	int64_t seconds = (llm_rest_ns(api->llm) + SECOND_NS - 1) / SECOND_NS;
	if (seconds < 1)
		seconds = 1;
	(void)snprintf(text, sizeof text, "%lld",
		(long long)(seconds < RETRY_LIMIT_S ? seconds : RETRY_LIMIT_S));
	http_reply_header(request, "Retry-After", text);
}

void api_reply_unanswered(struct http_request *request, const struct ss_error *err)
{
	const struct http_problem problem = api_problem(err);
	if (problem.status == 503)
		api_retry_question(request);
	http_reply_typed_problem(request, &problem);
}
