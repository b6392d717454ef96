#include "expr/mustache.h"

#include "value/value.h"

#include <kainjow/mustache.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace km = kainjow::mustache;

struct mustache {
	std::string file;
	size_t length;
	km::mustache rendered;
	std::vector<std::string> names; /* of the variables that are given to it, */
	std::vector<size_t> rows;       /* and their rows */
	std::vector<mustache_read> reads;
};

namespace
{

using component = km::component<std::string>;

/* What a place in a file is called. */
struct place {
	size_t line, column;
};

place place_of(const std::string &text, size_t offset)
{
	place at = {1, 1};
	for (size_t i = 0; i < offset && i < text.size(); i++) {
		bool continues = (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
		if (text[i] == '\n')
			at = {at.line + 1, 1};
		else if (!continues)
			at.column++;
	}
	return at;
}

/* Looks at a template and reports what is wrong with it. */
class checker
{
      public:
	checker(const char *file, const std::string &text, const expr_variable *variables,
		size_t count, diagnostics *mistakes)
	    : file_(file), text_(text), variables_(variables), count_(count), mistakes_(mistakes)
	{
	}

	/* Finds what the parser must not see: it takes other delimiters for granted, and goes as deep as it is told. */
	bool tags_are_good()
	{
		size_t tags = 0;
		for (size_t at = 0; (at = text_.find("{{", at)) != std::string::npos;) {
			size_t inside = text_.find_first_not_of(" \t\r\n", at + 2);
			if (inside != std::string::npos && text_[inside] == '=')
				return report(at, "other delimiters ({{= … =}}) are not known; "
						  "write {{ and }}");
			if (++tags > MUSTACHE_TAGS_LIMIT)
				return report(at, "there are more than " +
							  std::to_string(MUSTACHE_TAGS_LIMIT) +
							  " tags; a prompt has fewer");
			size_t end = text_.find("}}", at + 2);
			at = end != std::string::npos ? end + 2 : text_.size();
		}
		return true;
	}

	bool parse()
	{
		std::string why;
		km::context<std::string> nothing;
		km::context_internal<std::string> context{nothing};
		const km::parser<std::string> parser{text_, context, root_, why};
		size_t at = why.rfind(" at ");
		if (why.empty())
			return true;
		/* The parser's sentences end with the offset. */
		std::string what = why.substr(0, at);
		what[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(what[0])));
		return report(std::strtoul(why.c_str() + at + 4, nullptr, 10), what);
	}

	void check()
	{
		check_children(root_, {false, false}, 0);
	}

	const std::vector<size_t> &rows() const
	{
		return rows_;
	}

	const std::vector<mustache_read> &reads() const
	{
		return reads_;
	}

      private:
	/* Where a tag stands. */
	struct scope {
		bool inside; /* of a section, so that {{.}} means something */
		bool open;   /* names may be those of items, of which nothing is known */
	};

	bool report(size_t offset, const std::string &what)
	{
		place at = place_of(text_, offset);
		diagnostics_add(mistakes_, file_, at.line, at.column, "%s", what.c_str());
		return false;
	}

	/* The row of the variable that NAME begins with; COUNT for none. */
	size_t find(const std::string &name) const
	{
		std::string first = name.substr(0, name.find('.'));
		size_t row = 0;
		while (row < count_ && first != variables_[row].name)
			row++;
		return row;
	}

	void note(size_t row, size_t offset, scope where)
	{
		place at = place_of(text_, offset);
		auto same = [row](const mustache_read &read) { return read.variable == row; };
		if (std::find(rows_.begin(), rows_.end(), row) == rows_.end())
			rows_.push_back(row);
		if (!where.open && std::none_of(reads_.begin(), reads_.end(), same))
			reads_.push_back({row, at.line, at.column});
	}

	/* Whether values of ROW may have members. */
	bool has_members(size_t row) const
	{
		return variables_[row].type == SS_MAP || variables_[row].type == SS_NULL;
	}

	void report_unknown(const component &tag)
	{
		char hint[120];
		std::vector<const char *> names;
		std::string first = tag.tag.name.substr(0, tag.tag.name.find('.'));
		for (size_t i = 0; i < count_; i++)
			names.push_back(variables_[i].name);
		(void)diagnostics_hint(first.c_str(), names.data(), count_, hint, sizeof hint);
		report(tag.position,
			"the state has no field \"" + first.substr(0, 60) + "\"" + hint);
	}

	static bool is_name(const std::string &name)
	{
		bool blank = name.find_first_of(" \t\r\n{}") != std::string::npos;
		return !name.empty() && !blank && name.front() != '.' && name.back() != '.' &&
		       name.find("..") == std::string::npos;
	}

	/* Whether the name of TAG can mean something at its place. */
	bool check_name(const component &tag, scope where)
	{
		const std::string &name = tag.tag.name;
		if (name == "." && where.inside)
			return true;
		if (!is_name(name))
			return report(tag.position,
				name == "."
					? "{{.}} is the item of a section; there is none around it"
					: "\"" + name.substr(0, 60) + "\" is no name");
		size_t row = find(name);
		if (row == count_ && !where.open)
			report_unknown(tag);
		if (row == count_)
			return where.open;
		if (name.find('.') != std::string::npos && !has_members(row) && !where.open)
			return report(tag.position, std::string("the field ") +
							    variables_[row].name + " is a " +
							    value_type_name(variables_[row].type) +
							    " and has no members");
		note(row, tag.position, where);
		return true;
	}

	void check_variable(const component &tag, scope where)
	{
		const std::string &name = tag.tag.name;
		if (!check_name(tag, where) || where.open || name.find('.') != std::string::npos)
			return;
		size_t row = find(name);
		if (variables_[row].type == SS_LIST)
			report(tag.position, "the field " + name + " is a list; write {{#" + name +
						     "}} … {{/" + name +
						     "}} around what is said of each item");
		else if (variables_[row].type == SS_MAP)
			report(tag.position,
				"the field " + name + " is a map; write {{" + name + ".MEMBER}}");
	}

	void check_section(component &tag, scope where, size_t depth)
	{
		if (depth >= MUSTACHE_DEPTH_LIMIT) {
			report(tag.position, "sections are nested deeper than " +
						     std::to_string(MUSTACHE_DEPTH_LIMIT));
			return;
		}
		if (!check_name(tag, where))
			return;
		scope within = {where.inside, where.open};
		if (tag.tag.type == km::tag_type::section_begin) {
			size_t row = find(tag.tag.name);
			within.inside = true;
			within.open = where.open || row == count_ || has_members(row) ||
				      variables_[row].type == SS_LIST;
		}
		check_children(tag, within, depth + 1);
	}

	void check_children(component &parent, scope where, size_t depth)
	{
		for (component &child : parent.children) {
			switch (child.tag.type) {
			case km::tag_type::variable:
			case km::tag_type::unescaped_variable:
				check_variable(child, where);
				break;
			case km::tag_type::section_begin:
			case km::tag_type::section_begin_inverted:
				check_section(child, where, depth);
				break;
			case km::tag_type::partial:
				report(child.position,
					"other templates ({{> " + child.tag.name.substr(0, 60) +
						"}}) are not known here; write their text");
				break;
			default:
				break;
			}
		}
	}

	const char *file_;
	const std::string &text_;
	const expr_variable *variables_;
	size_t count_;
	diagnostics *mistakes_;
	component root_;
	std::vector<size_t> rows_;
	std::vector<mustache_read> reads_;
};

class too_long : public std::exception
{
};

/* What a rendering may still add. */
class allowance
{
      public:
	void spend(size_t bytes)
	{
		if (bytes > left_)
			throw too_long();
		left_ -= bytes;
	}

      private:
	size_t left_ = MUSTACHE_TEXT_LIMIT;
};

/* Only what could begin or end a tag of the prompt's own. Neither does > by itself, which stands in many an article
 * between the names of pages, and which models would repeat as they read it. */
std::string escape(const std::string &text)
{
	std::string escaped;
	escaped.reserve(text.size());
	for (char byte : text) {
		if (byte == '&')
			escaped += "&amp;";
		else if (byte == '<')
			escaped += "&lt;";
		else
			escaped += byte;
	}
	return escaped;
}

std::string number(double value)
{
	char text[40];
	(void)std::snprintf(text, sizeof text, "%.15g", value);
	return text;
}

/* VALUE as the renderer has it. It tells of nothing but lists and false that they are nothing, so all that is
 * nothing becomes false. */
km::data data_of(const ss_value *value, allowance *left)
{
	km::list items;
	km::object members;
	ss_text text = value_as_text(value);
	switch (value_type(value)) {
	case SS_NULL:
		break;
	case SS_BOOL:
		return value_as_bool(value) ? km::data("true") : km::data(false);
	case SS_INT:
		return std::to_string(value_as_int(value));
	case SS_NUMBER:
		return number(value_as_number(value));
	case SS_STRING:
		left->spend(text.length);
		return text.length > 0 ? km::data(std::string(text.data, text.length))
				       : km::data(false);
	case SS_LIST:
		for (size_t i = 0; i < value_count(value); i++)
			items.push_back(data_of(value_at(value, i), left));
		return items.empty() ? km::data(false) : km::data(items);
	case SS_MAP:
		for (size_t i = 0; i < value_count(value); i++)
			members.insert({value_key_at(value, i), data_of(value_at(value, i), left)});
		return members.empty() ? km::data(false) : km::data(members);
	}
	return km::data(false);
}

/* The renderer's names, which it asks for each thing that it adds. */
class names : public km::context<std::string>
{
      public:
	names(const km::data *data, size_t length) : length_(length)
	{
		km::context<std::string>::push(data);
	}

	void push(const km::data *data) override
	{
		/* A section is not longer than its template. */
		left_.spend(length_);
		km::context<std::string>::push(data);
	}

	const km::data *get(const std::string &name) const override
	{
		const km::data *found = km::context<std::string>::get(name);
		if (found != nullptr && found->is_string())
			left_.spend(found->string_value().size());
		return found;
	}

      private:
	size_t length_;
	mutable allowance left_;
};

/* The text without the blanks at its ends, as C code has it. */
char *tidy(const std::string &text, size_t *length)
{
	static const char blanks[] = " \t\r\n";
	size_t first = text.find_first_not_of(blanks);
	*length = first != std::string::npos ? text.find_last_not_of(blanks) + 1 - first : 0;
	auto *copy = static_cast<char *>(std::malloc(*length + 1));
	if (copy == nullptr)
		throw std::bad_alloc();
	if (*length > 0)
		std::memcpy(copy, text.data() + first, *length);
	copy[*length] = '\0';
	return copy;
}

} // namespace

/* Where memory ends, so does the program, as in all of the core. */
struct mustache *mustache_parse(const char *file, const char *text, size_t length,
	const struct expr_variable *variables, size_t count, struct diagnostics *diagnostics)
{
	size_t before = diagnostics->count;
	const std::string source(text, length);
	checker look(file, source, variables, count, diagnostics);
	if (!look.tags_are_good() || !look.parse())
		return nullptr;
	look.check();
	if (diagnostics->count > before)
		return nullptr;
	auto *made =
		new mustache{file, length, km::mustache(source), {}, look.rows(), look.reads()};
	made->rendered.set_custom_escape(escape);
	for (size_t row : made->rows)
		made->names.emplace_back(variables[row].name);
	return made;
}

void mustache_free(struct mustache *mustache)
{
	delete mustache;
}

const struct mustache_read *mustache_reads(const struct mustache *mustache, size_t *count)
{
	*count = mustache->reads.size();
	return mustache->reads.data();
}

char *mustache_render(const struct mustache *mustache, struct ss_value *const *values,
	size_t *length, struct ss_error *err)
{
	try {
		allowance left;
		km::object members;
		for (size_t i = 0; i < mustache->rows.size(); i++)
			members.insert(
				{mustache->names[i], data_of(values[mustache->rows[i]], &left)});
		const km::data data(members);
		names context(&data, mustache->length);
		/* It notes nothing in itself but the errors of lambdas and partials, which there are none of. */
		auto &rendered = const_cast<km::mustache &>(mustache->rendered);
		return tidy(rendered.render(context), length);
	} catch (const too_long &) {
		(void)ss_fail_as(err, SS_LIMIT,
			"%s: with this state the prompt becomes longer than %d bytes; let it say "
			"less of "
			"lists",
			mustache->file.c_str(), MUSTACHE_TEXT_LIMIT);
		return nullptr;
	}
}
