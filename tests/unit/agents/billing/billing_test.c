#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <string.h>

Test(billing, asks_for_the_invoice_and_for_no_card_number_when_it_abstains)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	cr_assert_eq(ss_test_create(host, "", &err), 0, "%s", err.text);
	ss_test_set_text(host, "message", "What about the fee of last May?");
	ss_test_set_text(host, "sentiment", "Neutral");
	ss_test_set(host, "history", "[]");
	ss_test_set(host, "kb_results", "[]");
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	const char *text = ss_test_written_text(host, "answer");
	cr_expect_not_null(strstr(text, "invoice number"));
	cr_expect_not_null(strstr(text, "never send a card number"));
	cr_expect_str_eq(ss_test_written_json(host, "answered"), "false");
	ss_test_host_free(host);
}
