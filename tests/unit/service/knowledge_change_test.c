/* A knowledge base that changes while it serves. */
#include "fakes.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "service/knowledge.h"
#include "service/knowledge_change.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(knowledge_change, .init = fakes_forget, .fini = fakes_forget);

/* Puts ITEM, which is taken, in the place of ID, or takes that one out. */
static int change(const char *id, struct ss_value *item, struct ss_error *err)
{
	struct knowledge_change *one = knowledge_change_new(id, item);
	int more = 1;
	value_unref(item);
	while (more > 0)
		more = knowledge_change_step(fakes.knowledge, one, err);
	knowledge_change_free(one);
	return more;
}

static void changed(const char *id, struct ss_value *item)
{
	struct ss_error err = {0};
	cr_assert_eq(change(id, item, &err), 0, "%s", err.text);
}

/* Keeps what is found for QUESTION as JSON; the caller frees it. */
static char *found_text(const char *question)
{
	(void)fakes_ask(question, NULL, 5, 0);
	return json_text(fakes.found);
}

Test(knowledge_change, an_article_that_is_added_is_found_and_one_that_is_taken_out_is_not)
{
	fakes_know_three();
	changed("invoice",
		fakes_article("invoice", "Where is my invoice?", "Under billing.", "Billing"));
	cr_expect_str_eq(fakes_ask("where is my invoice", NULL, 1, 0), "invoice ");
	changed("invoice", NULL);
	changed("reset", NULL);
	changed("nobody", NULL);
	cr_expect_null(strstr(fakes_ask("where is my invoice", NULL, 5, 0), "invoice"));
	cr_expect_null(strstr(fakes_ask("how do I reset my password", NULL, 5, 0), "reset"));
	for (const char *const *id = (const char *const[]){"crash", "refund", NULL}; *id != NULL;
		id++)
		changed(*id, NULL);
	cr_expect_str_eq(fakes_ask("refund", NULL, 5, 0), "");
	changed("refund", fakes_article("refund", "Can I get a refund?", "Yes.", "Billing"));
	cr_expect_str_eq(fakes_ask("refund", NULL, 5, 0), "refund ");
}

Test(knowledge_change, a_changed_base_finds_what_one_finds_that_is_made_of_the_same_articles)
{
	static const char *const questions[] = {"reset my password", "refund within sixty days",
		"\"crash on start\" error AB-12", "why does it crash", "my invoice"};
	char *texts[array_length(questions)];
	struct ss_error err = {0};
	fakes_know_three();
	changed("invoice",
		fakes_article("invoice", "Where is my invoice?", "Under billing.", "Billing"));
	changed("refund",
		fakes_article("refund", "Can I get a refund?", "Within sixty days.", "Billing"));
	changed("crash", fakes_article("crash", "Why is there a crash on start?", "Error AB-12.",
				 "Technical"));
	changed("account",
		fakes_article("account", "How do I close my account?", "Write to us.", "Account"));
	changed("reset", NULL);
	cr_assert_eq(knowledge_calibrate(fakes.knowledge, &err), 0);
	for (size_t i = 0; i < array_length(questions); i++)
		texts[i] = found_text(questions[i]);
	fakes_forget();
	struct ss_value *items[] = {
		fakes_article("account", "How do I close my account?", "Write to us.", "Account"),
		fakes_article(
			"crash", "Why is there a crash on start?", "Error AB-12.", "Technical"),
		fakes_article("invoice", "Where is my invoice?", "Under billing.", "Billing"),
		fakes_article("refund", "Can I get a refund?", "Within sixty days.", "Billing")};
	fakes_know(items, array_length(items), &err);
	for (size_t i = 0; i < array_length(questions); i++) {
		char *text = found_text(questions[i]);
		cr_expect_str_eq(texts[i], text);
		free(text);
		free(texts[i]);
	}
}

Test(knowledge_change, texts_that_an_article_had_before_are_not_embedded_again)
{
	fakes_know_three();
	fakes.texts = 0;
	changed("refund",
		fakes_article("refund", "Can I get a refund?", "Within thirty days.", "Account"));
	cr_expect_eq(fakes.texts, 0);
	changed("refund",
		fakes_article("refund", "Can I get a refund?", "Within sixty days.", "Account"));
	cr_expect_lt(fakes.texts, 3);
	cr_expect_gt(fakes.texts, 0);
}

Test(knowledge_change, an_embedder_that_fails_leaves_the_base_as_it_was_and_the_change_can_go_on)
{
	struct ss_error err = {0};
	fakes_know_three();
	struct ss_value *item =
		fakes_article("refund", "Can I get my money back?", "Never.", "Billing");
	struct knowledge_change *one = knowledge_change_new("refund", item);
	value_unref(item);
	fakes.fails = "the model is gone";
	cr_expect_lt(knowledge_change_step(fakes.knowledge, one, &err), 0);
	cr_expect_str_eq(err.text, "the model is gone");
	fakes.fails = NULL;
	cr_expect_str_eq(fakes_ask("can I get a refund", NULL, 1, 0), "refund ");
	int more = 1;
	while (more > 0)
		more = knowledge_change_step(fakes.knowledge, one, &err);
	knowledge_change_free(one);
	cr_expect_eq(more, 0);
	(void)fakes_ask("can I get my money back", NULL, 1, 0);
	cr_expect_str_eq(
		value_as_string(value_get(value_at(fakes.found, 0), "content"), NULL), "Never.");
}

Test(knowledge_change, a_piece_of_a_change_embeds_few_texts)
{
	struct buffer text = {0};
	struct ss_error err = {0};
	fakes_know_three();
	for (int i = 0; i < 400; i++)
		buffer_add_format(
			&text, "This is the sentence number %d of a long article.\n\n", i);
	struct ss_value *item =
		fakes_article("long", "What is long?", buffer_text(&text), "General");
	struct knowledge_change *one = knowledge_change_new("long", item);
	size_t pieces = 0;
	int more = 1;
	for (fakes.largest_batch = 0; more > 0; pieces++)
		more = knowledge_change_step(fakes.knowledge, one, &err);
	knowledge_change_free(one);
	value_unref(item);
	buffer_free(&text);
	cr_expect_gt(pieces, 5);
	cr_expect_leq(fakes.largest_batch, 16);
}

static int find_nothing(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	(void)instance;
	(void)queries;
	(void)err;
	for (size_t i = 0; i < count * k; i++) {
		ids[i] = -1;
		scores[i] = -1;
	}
	return 0;
}

Test(knowledge_change, no_number_of_questions_is_too_many_to_learn_from)
{
	const struct ss_index_operations nothing = {
		.build = fakes_index.build, .search = find_nothing};
	const struct knowledge_options options = knowledge_defaults();
	struct ss_error err = {0};
	char id[32];
	/* Of 1001 to 1004 every fifth one makes 201. */
	for (size_t count = 999; count < 1006; count++) {
		struct articles articles = {
			.items = memory_array(count, sizeof(struct ss_value *))};
		for (; articles.count < count; articles.count++) {
			(void)snprintf(id, sizeof id, "question%zu", articles.count);
			articles.items[articles.count] =
				fakes_article(id, id, "An answer.", "General");
		}
		fakes.knowledge = knowledge_new(
			&articles, &fakes_embedder, &fakes, &nothing, &fakes, &options, &err);
		cr_expect_not_null(fakes.knowledge, "%s", err.text);
		for (size_t i = 0; i < count; i++)
			value_unref(articles.items[i]);
		free(articles.items);
		fakes_forget();
	}
}
