#include "support/fake_host.h"

#include <criterion/criterion.h>
#include <string.h>

Test(billing, asks_for_the_invoice_and_for_no_card_number_when_it_abstains)
{
	struct ss_error err = {0};
	struct fake_host *host = fake_host_new(&smartsupport_plugin);
	cr_assert_eq(fake_host_create(host, "", &err), 0, "%s", err.text);
	fake_host_set_text(host, "message", "What about the fee of last May?");
	fake_host_set_text(host, "sentiment", "Neutral");
	fake_host_set(host, "history", "[]");
	fake_host_set(host, "kb_results", "[]");
	cr_assert_eq(fake_host_run(host, &err), SS_DONE, "%s", err.text);
	const char *text = fake_host_written_text(host, "answer");
	cr_expect_not_null(strstr(text, "invoice number"));
	cr_expect_not_null(strstr(text, "never send a card number"));
	cr_expect_str_eq(fake_host_written_json(host, "answered"), "false");
	fake_host_free(host);
}
