#include "expr/regex.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>

struct expr_regex {
	RE2 re2;
};

namespace
{

RE2::Options options()
{
	RE2::Options options;
	options.set_log_errors(false);
	options.set_max_mem(EXPR_REGEX_MEMORY_LIMIT);
	options.set_never_capture(true);
	return options;
}

} // namespace

struct expr_regex *expr_regex_new(const char *pattern, size_t length, char *why, size_t size)
{
	if (length > EXPR_PATTERN_LIMIT) {
		(void)std::snprintf(why, size, "it is longer than %d bytes", EXPR_PATTERN_LIMIT);
		return nullptr;
	}
	auto *regex =
		new (std::nothrow) expr_regex{RE2(re2::StringPiece(pattern, length), options())};
	if (regex == nullptr) {
		(void)std::snprintf(why, size, "out of memory");
	} else if (!regex->re2.ok()) {
		(void)std::snprintf(why, size, "%s", regex->re2.error().c_str());
		delete regex;
		regex = nullptr;
	}
	return regex;
}

void expr_regex_free(struct expr_regex *regex)
{
	delete regex;
}

bool expr_regex_matches(const struct expr_regex *regex, const char *text, size_t length)
{
	return RE2::PartialMatch(re2::StringPiece(text, length), regex->re2);
}

size_t expr_regex_size(const struct expr_regex *regex)
{
	return static_cast<size_t>(regex->re2.ProgramSize());
}
