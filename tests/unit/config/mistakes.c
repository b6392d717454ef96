#include "unit/config/mistakes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

char *mistakes_take(struct diagnostics *diagnostics)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	cr_assert_not_null(stream);
	diagnostics_print(diagnostics, stream);
	(void)fclose(stream);
	diagnostics_free(diagnostics);
	return text;
}

void mistakes_expect(struct diagnostics *diagnostics, const char *expected)
{
	char *text = mistakes_take(diagnostics);
	cr_expect_str_eq(text, expected);
	free(text);
}
