/* What a knowledge base finds. */
#include "fakes.h"

#include "base/memory.h"
#include "service/knowledge.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(knowledge, .init = fakes_forget, .fini = fakes_forget);

static double score_at(size_t place)
{
	return value_as_number(value_get(value_at(fakes.found, place), "score"));
}

Test(knowledge, finds_an_article_by_its_question)
{
	fakes_know_three();
	cr_expect_str_eq(fakes_ask("reset my password", NULL, 1, 0), "reset ");
	cr_expect_str_eq(value_as_string(value_get(value_at(fakes.found, 0), "content"), NULL),
		"Click the link.");
}

Test(knowledge, finds_an_article_by_its_answer)
{
	fakes_know_three();
	cr_expect_str_eq(fakes_ask("update the driver", NULL, 1, 0), "crash ");
}

Test(knowledge, finds_an_article_by_another_question_that_it_names)
{
	struct ss_error err = {0};
	struct ss_value *other = value_text("borrowed umbrella policy");
	struct ss_value *items[] = {fakes_article("a", "First", "Text.", ""),
		value_map_make({"id", value_text("b")}, {"title", value_text("Second")},
			{"content", value_text("Text.")}, {"category", value_text("")},
			{"questions", value_list(&other, 1)})};
	fakes_know(items, array_length(items), &err);
	cr_expect_str_eq(fakes_ask("umbrella policy", NULL, 1, 0), "b ");
}

Test(knowledge, gives_scores_from_0_to_1_in_falling_order)
{
	fakes_know_three();
	fakes_ask("can I get a refund", NULL, 3, 0);
	cr_assert_eq(value_count(fakes.found), 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(score_at(i) >= 0 && score_at(i) <= 1, "%g", score_at(i));
	cr_expect_geq(score_at(0), score_at(1));
	cr_expect_geq(score_at(1), score_at(2));
}

Test(knowledge, leaves_out_what_scores_too_little_and_what_is_too_many)
{
	fakes_know_three();
	cr_expect_str_eq(fakes_ask("can I get a refund", NULL, 3, 0.5), "refund ");
	cr_expect_str_eq(fakes_ask("bananas", NULL, 3, 0.5), "");
	fakes_ask("can I get a refund", NULL, 2, 0);
	cr_expect_eq(value_count(fakes.found), 2);
}

Test(knowledge, prefers_a_category_among_equals_only)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {fakes_article("a", "Where is the log?", "Here.", "Technical"),
		fakes_article("b", "Where is the log?", "Here.", "Billing")};
	fakes_know(items, array_length(items), &err);
	cr_expect_str_eq(fakes_ask("where is the log", NULL, 2, 0), "a b ");
	cr_expect_str_eq(fakes_ask("where is the log", "Billing", 2, 0), "b a ");
	double with = score_at(0);
	fakes_ask("where is the log", NULL, 2, 0);
	cr_expect_eq(score_at(0), with); /* the preference is no part of the score */
	fakes_forget();
	fakes_know_three();
	cr_expect_str_eq(fakes_ask("reset my password", "Billing", 1, 0), "reset ");
}

Test(knowledge, gives_no_article_a_chance_that_fits_too_little_for_its_category)
{
	fakes_know_three();
	fakes_ask("can I get a refund", NULL, 1, 0);
	double score = score_at(0);
	cr_expect_str_eq(fakes_ask("can I get a refund", "Billing", 1, score + 0.001), "");
}

Test(knowledge, finds_what_stands_far_down_in_a_long_article)
{
	struct ss_error err = {0};
	struct ss_value *items[2];
	char *text = memory_new(5000);
	while (strlen(text) < 3000)
		(void)strcat(text, "Some words about nothing in particular follow here.\n\n");
	(void)strcat(text, "The umbrella is behind the door.");
	items[0] = fakes_article("short", "One", "Some words.", "");
	items[1] = fakes_article("long", "Two", text, "");
	fakes_know(items, 2, &err);
	free(text);
	cr_expect_geq(fakes.texts, 2 + 1 + 3);
	cr_expect_str_eq(fakes_ask("where is the umbrella", NULL, 1, 0), "long ");
}

Test(knowledge, embeds_in_small_batches)
{
	struct ss_error err = {0};
	struct ss_value *items[40];
	for (size_t i = 0; i < array_length(items); i++) {
		char id[24];
		(void)snprintf(id, sizeof id, "a%zu", i);
		items[i] = fakes_article(id, id, "Text.", "");
	}
	fakes_know(items, array_length(items), &err);
	cr_expect_eq(fakes.texts, 80);
	cr_expect_leq(fakes.largest_batch, 16);
}

Test(knowledge, cuts_text_without_spaces_between_characters)
{
	struct ss_error err = {0};
	char *text = memory_new(4001);
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	struct ss_value *items[] = {fakes_article("a", "A", text, "")};
	fakes_know(items, 1, &err);
	free(text);
	cr_expect_not_null(fakes.knowledge, "%s", err.text);
}

Test(knowledge, is_not_made_when_the_embedder_fails)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {fakes_article("a", "A", "Text.", "")};
	fakes.fails = "no model";
	fakes_know(items, 1, &err);
	cr_expect_null(fakes.knowledge);
	cr_expect_str_eq(err.text, "no model");
}

static double stage(size_t place, const char *name)
{
	return value_as_number(value_get(value_get(value_at(fakes.found, place), "scores"), name));
}

Test(knowledge, tells_the_score_of_every_stage)
{
	const struct knowledge_options options = knowledge_defaults();
	fakes_know_three();
	fakes_ask("can I get a refund", NULL, 2, 0);
	for (size_t i = 0; i < 2; i++)
		cr_expect_float_eq(score_at(i),
			options.question_weight * stage(i, "question") +
				options.answer_weight * stage(i, "answer") +
				options.lexical_weight * stage(i, "lexical"),
			2e-4);
	cr_expect_gt(stage(0, "question"), stage(1, "question"));
	cr_expect_gt(stage(0, "lexical"), stage(1, "lexical"));
}

static double confidence(void)
{
	return value_as_number(value_get(value_at(fakes.found, 0), "confidence"));
}

Test(knowledge, tells_how_likely_the_first_article_answers)
{
	fakes_know_three();
	fakes_ask("can I get a refund", NULL, 3, 0);
	double sure = confidence();
	cr_expect_gt(sure, 0.5);
	cr_expect_null(value_get(value_at(fakes.found, 1), "confidence"));
	fakes_ask("bananas and apples", NULL, 3, 0);
	cr_expect_lt(confidence(), 0.2);
}

static const char *doubt(void)
{
	return value_as_string(value_get(value_at(fakes.found, 0), "doubt"), NULL);
}

/* Three articles of codes whose vectors are alike. */
static void know_codes(void)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {
		fakes_article("a", "Import error",
			"The program shows TB-1000 when a row is too long.", ""),
		fakes_article("b", "Import error",
			"The program shows TB-2000 when a row is too long.", ""),
		fakes_article(
			"c", "Import error", "Click on restore sheet when a row is missing.", "")};
	fakes_know(items, array_length(items), &err);
	cr_assert_not_null(fakes.knowledge, "%s", err.text);
}

Test(knowledge, puts_the_article_with_the_code_or_the_phrase_first)
{
	know_codes();
	cr_expect_str_eq(fakes_ask("what is TB-2000?", NULL, 1, 0), "b ");
	cr_expect_geq(confidence(), 0.5);
	cr_expect_str_eq(fakes_ask("TB-1000", NULL, 1, 0), "a ");
	cr_expect_str_eq(
		fakes_ask("the program shows import error \"restore sheet\"", NULL, 1, 0), "c ");
}

Test(knowledge, doubts_every_article_when_it_is_asked_for_a_code_that_none_has)
{
	know_codes();
	fakes_ask("import error TB-9999", NULL, 1, 0);
	cr_expect_eq(confidence(), 0);
	cr_expect_str_eq(doubt(), "unknown_code");
}

Test(knowledge, doubts_an_article_that_fits_but_for_words_that_none_has)
{
	fakes_know_three();
	cr_expect_str_eq(
		fakes_ask("How do I reset my old zebra umbrella password?", NULL, 1, 0), "reset ");
	cr_expect_eq(confidence(), 0);
	cr_expect_str_eq(doubt(), "other_subject");
	fakes_ask("How do I reset my password?", NULL, 1, 0);
	cr_expect_gt(confidence(), 0.5);
	cr_expect_null(value_get(value_at(fakes.found, 0), "doubt"));
}

Test(knowledge, answers_from_a_base_of_one_article)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {fakes_article("a", "How do I print?", "Click on print.", "")};
	fakes_know(items, 1, &err);
	fakes_ask("How can I print?", NULL, 3, 0);
	cr_expect(confidence() > 0 && confidence() < 1);
}

/* Both texts have the same words; only the first one has a sentence that says what is asked. */
Test(knowledge, is_surer_of_an_article_with_a_sentence_that_fits)
{
	static const char *const contents[] = {
		"Choose the blue printer tray there. Wait for the light outside.",
		"Choose there the light printer outside. Wait for the blue tray.",
	};
	double found_in[2];
	for (size_t i = 0; i < 2; i++) {
		struct ss_error err = {0};
		struct ss_value *items[] = {
			fakes_article("a", "How do I print?", contents[i], ""),
			fakes_article("b", "How do I save?", "Click on the disk in the menu.", ""),
		};
		fakes_know(items, 2, &err);
		cr_expect_str_eq(fakes_ask("Where is the blue printer tray?", NULL, 1, 0), "a ");
		found_in[i] = confidence();
		fakes_forget();
	}
	cr_expect_gt(found_in[0], found_in[1]);
}

/* Plugins that fail while the server runs. */

static void expect_missing(const char *expected)
{
	char *json = fakes.missing != NULL ? json_text(fakes.missing) : memory_string("nothing");
	cr_expect_str_eq(json, expected);
	free(json);
}

static void expect_words_alone(const char *why)
{
	char *expected =
		memory_format("{\"error\":\"%s\",\"stages\":[\"question\",\"answer\"]}", why);
	expect_missing(expected);
	free(expected);
	for (size_t i = 0; i < value_count(fakes.found); i++) {
		const struct ss_value *scores = value_get(value_at(fakes.found, i), "scores");
		cr_expect_eq(value_count(scores), 1);
		cr_expect_eq(score_at(i), value_as_number(value_get(scores, "lexical")));
	}
}

Test(knowledge, tells_of_nothing_missing_when_every_stage_ran)
{
	fakes_know_three();
	fakes_ask("can I get a refund", NULL, 3, 0);
	expect_missing("nothing");
	fakes_ask("How do I reset my old zebra umbrella password?", NULL, 1, 0);
	expect_missing("nothing");
}

Test(knowledge, finds_articles_by_their_words_alone_without_the_embedder)
{
	fakes_know_three();
	fakes.fails = "no model";
	cr_expect_str_eq(fakes_ask("reset the password", NULL, 3, 0), "reset ");
	expect_words_alone("no model");
	cr_expect_gt(confidence(), 0.5);
	cr_expect_str_eq(doubt(), "");
	cr_expect_str_eq(fakes_ask("bananas and apples", NULL, 3, 0), "");
	expect_words_alone("no model");
}

Test(knowledge, finds_articles_by_their_words_alone_without_the_index)
{
	fakes_know_three();
	fakes.search_fails = "index gone";
	cr_expect_str_eq(fakes_ask("reset the password", NULL, 3, 0), "reset ");
	expect_words_alone("index gone");
}

Test(knowledge, names_what_failed_without_saying_why)
{
	fakes_know_three();
	fakes.search_fails = "";
	fakes_ask("reset the password", NULL, 3, 0);
	expect_words_alone("the index failed without saying why");
}

Test(knowledge, keeps_to_codes_and_phrases_where_it_has_words_alone)
{
	know_codes();
	fakes.fails = "no model";
	cr_expect_str_eq(fakes_ask("what is TB-2000?", NULL, 1, 0), "b ");
	cr_expect_geq(confidence(), 0.5);
	cr_expect_str_eq(
		fakes_ask("the program shows import error \"restore sheet\"", NULL, 1, 0), "c ");
	cr_expect_geq(confidence(), 0.5);
	cr_expect_str_eq(
		fakes_ask("what is TB-2000?", NULL, 3, 1), "b ", "one that scores too little");
	fakes_ask("import error TB-9999", NULL, 1, 0);
	cr_expect_eq(confidence(), 0);
	cr_expect_str_eq(doubt(), "unknown_code");
}

Test(knowledge, is_not_sure_by_words_of_which_most_are_unknown)
{
	fakes_know_three();
	fakes.fails = "no model";
	cr_expect_str_eq(
		fakes_ask("paint an old zebra umbrella with a password", NULL, 1, 0), "reset ");
	cr_expect_lt(confidence(), 0.2);
}

Test(knowledge, prefers_a_category_by_words_alone)
{
	struct ss_error err = {0};
	struct ss_value *items[] = {fakes_article("a", "Where is the log?", "Here.", "Technical"),
		fakes_article("b", "Where is the log?", "Here.", "Billing")};
	fakes_know(items, array_length(items), &err);
	fakes.fails = "no model";
	cr_expect_str_eq(fakes_ask("where is the log", NULL, 2, 0), "a b ");
	cr_expect_str_eq(fakes_ask("where is the log", "Billing", 2, 0), "b a ");
	cr_expect_str_eq(fakes_ask("where is the log", "Billing", 1, 0), "b ");
}

/* The question has its vector; what fails is the embedding of what is left of it. */
Test(knowledge, goes_on_without_the_rule_whose_embedding_fails)
{
	static const char text[] = "How do I reset my old zebra umbrella password?";
	float vector[FAKES_DIMENSION];
	const struct knowledge_query query = {.text = text, .vector = vector, .top_k = 1};
	fakes_know_three();
	fakes_embed((struct ss_text){text, strlen(text)}, vector);
	fakes.fails = "no model";
	const struct knowledge_found result = knowledge_search(fakes.knowledge, &query);
	fakes.found = result.articles;
	fakes.missing = result.missing;
	expect_missing("{\"error\":\"no model\",\"stages\":[\"other_subject\"]}");
	cr_expect_gt(confidence(), 0);
	cr_expect_str_eq(doubt(), "");
	cr_expect_eq(value_count(value_get(value_at(fakes.found, 0), "scores")), 3);
}
