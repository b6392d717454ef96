#include "learn/csv.h"

#include <criterion/criterion.h>
#include <string.h>

/* The records of TEXT, a line each, with | between the fields, or the error. */
static void expect(const char *text, size_t length, const char *wanted)
{
	char got[1000] = "";
	size_t at = 0;
	int result;
	struct ss_error err = {0};
	struct csv_record record;
	struct csv *csv = csv_new("f", text, length);
	while ((result = csv_next(csv, &record, &err)) == 1) {
		at += (size_t)snprintf(got + at, sizeof got - at, "%zu:", record.line);
		for (size_t i = 0; i < record.count; i++) {
			cr_expect_eq(strlen(record.fields[i].data), record.fields[i].length);
			at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", i > 0 ? "|" : "",
				record.fields[i].data);
		}
		at += (size_t)snprintf(got + at, sizeof got - at, "\n");
	}
	if (result < 0)
		(void)snprintf(got + at, sizeof got - at, "%s", err.text);
	cr_expect_str_eq(got, wanted);
	csv_free(csv);
}

static void reads(const char *text, const char *wanted)
{
	expect(text, strlen(text), wanted);
}

Test(csv, reads_records_with_either_line_end)
{
	reads("a,b\n1,2\n", "1:a|b\n2:1|2\n");
	reads("a,b\r\n1,2\r\n", "1:a|b\n2:1|2\n");
	reads("a,b\n1,2", "1:a|b\n2:1|2\n");
	reads("\xef\xbb\xbf"
	      "a\n",
		"1:a\n");
	reads("", "");
	reads("\n\r\n\na\n\nb\n\n", "4:a\n6:b\n");
	reads("a,", "1:a|\n");
	reads(",\n", "1:|\n");
}

Test(csv, reads_quoted_fields_with_commas_line_ends_and_quotation_marks)
{
	reads("\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d\n");
	reads("\"a\r\nb\",c\nd,e\n", "1:a\r\nb|c\n3:d|e\n");
	reads("\"\",\"\"", "1:|\n");
	reads("\"\"\"\"", "1:\"\n");
	reads("\"\"\n", "1:\n");
}

Test(csv, names_the_line_of_what_is_damaged)
{
	reads("a\n\"b\nc", "1:a\nf:2: the quotation mark that opens a field here is never closed");
	reads("a\n\"", "1:a\nf:2: the quotation mark that opens a field here is never closed");
	reads("\"a\nb\"c\n",
		"f:2: a field goes on behind its closing quotation mark; write a quotation mark "
		"inside it twice");
	reads("x\na\"b\n",
		"1:x\nf:2: there is a quotation mark inside a field that does not begin with one; "
		"put the field in quotation marks and write that one twice");
	reads("a\rb\n", "f:1: a carriage return without a line feed; end lines with LF or CRLF");
	expect("a\n\0b", 4, "1:a\nf:2: has a NUL character in it; save it as UTF-8");
}

Test(csv, refuses_more_fields_than_its_limit)
{
	struct ss_error err = {0};
	struct csv_record record;
	char text[CSV_FIELDS_LIMIT + 1];
	memset(text, ',', sizeof text);
	struct csv *csv = csv_new("f", text, CSV_FIELDS_LIMIT - 1);
	cr_expect_eq(csv_next(csv, &record, &err), 1);
	cr_expect_eq(record.count, CSV_FIELDS_LIMIT);
	csv_free(csv);
	csv = csv_new("f", text, CSV_FIELDS_LIMIT);
	cr_expect_eq(csv_next(csv, &record, &err), -1);
	cr_expect_str_eq(err.text, "f:1: a line has more than 1000 fields");
	csv_free(csv);
}
