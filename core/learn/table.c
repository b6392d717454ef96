#include "learn/table.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <utf8proc.h>

static const char ellipsis[] = "…";
static const char replacement[] = "\xef\xbf\xbd";

/* Reads the character at AT, whose bytes are *USED and *PART as it is shown. Returns its columns. */
static size_t read_character(struct ss_text text, size_t at, size_t *used, struct ss_text *part)
{
	utf8proc_int32_t point;
	utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
		(utf8proc_ssize_t)(text.length - at), &point);
	*used = length > 0 ? (size_t)length : 1;
	*part = (struct ss_text){text.data + at, *used};
	if (length <= 0)
		*part = text_of(replacement);
	else if (utf8proc_category(point) == UTF8PROC_CATEGORY_CC)
		*part = text_of(" ");
	else if (utf8proc_category(point) == UTF8PROC_CATEGORY_CF)
		*part = text_of(""); /* as those that turn the direction of what follows */
	else
		return (size_t)utf8proc_charwidth(point);
	return part->length > 0 ? 1 : 0;
}

/* The columns that TEXT takes. */
static size_t columns_of(struct ss_text text)
{
	size_t columns = 0;
	struct ss_text part;
	for (size_t at = 0, used; at < text.length; at += used)
		columns += read_character(text, at, &used, &part);
	return columns;
}

/* Returns the columns that are left of COLUMNS. */
static size_t add_line(struct buffer *buffer, struct ss_text text, size_t columns)
{
	struct ss_text part;
	bool fits = columns_of(text) <= columns;
	size_t room = fits || columns == 0 ? columns : columns - 1;
	for (size_t at = 0, used; at < text.length; at += used) {
		size_t width = read_character(text, at, &used, &part);
		if (width > room)
			break;
		buffer_add(buffer, part.data, part.length);
		room -= width;
	}
	if (!fits && columns > 0)
		buffer_add_string(buffer, ellipsis);
	return room;
}

void table_line(struct buffer *buffer, struct ss_text text, size_t columns)
{
	(void)add_line(buffer, text, columns);
}

void table_left(struct buffer *buffer, const char *text, size_t columns)
{
	for (size_t left = add_line(buffer, text_of(text), columns); left > 0; left--)
		buffer_add_char(buffer, ' ');
}

void table_right(struct buffer *buffer, const char *text, size_t columns)
{
	struct buffer line = {0};
	for (size_t left = add_line(&line, text_of(text), columns); left > 0; left--)
		buffer_add_char(buffer, ' ');
	buffer_add(buffer, buffer_text(&line), line.length);
	buffer_free(&line);
}

void table_cell(struct buffer *buffer, size_t columns, const char *format, ...)
{
	struct buffer text = {0};
	va_list arguments;
	va_start(arguments, format);
	buffer_add_arguments(&text, format, arguments);
	va_end(arguments);
	table_right(buffer, buffer_text(&text), columns);
	buffer_free(&text);
}
