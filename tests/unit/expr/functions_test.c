/* Functions, one by one. */
#include "unit/expr/evaluate.h"

#include <criterion/criterion.h>

Test(conversions, read_ints_and_refuse_what_is_out_of_range)
{
	gives("int('42')", "42");
	gives("int('-9223372036854775808')", "-9223372036854775808");
	gives("int('+7')", "7");
	gives("int(-1.9)", "-1");
	gives("int(n)", "7");
	fails_at("1 + int('9223372036854775808')", 4, "does not fit 64 bits");
	fails_at("int(' 1')", 0, "it is no int");
	fails_at("int('')", 0, "it is no int");
	fails_at("int('-')", 0, "it is no int");
	fails_at("int('1.5')", 0, "it is no int");
	fails_at("int('0x10')", 0, "it is no int");
	fails_at("int('1\\0002')", 0, "it is no int");
	fails_at("int(9223372036854775807.0)", 0, "does not fit an int");
	fails_at("int(0.0 / 0.0)", 0, "does not fit an int");
	fails_at("int(true)", 4, "int() takes an int, a double or a string here, not a bool");
	fails_at("int(null)", 4, "not null");
	fails_at("int()", 0, "int() is not called with 0 arguments");
	fails_at("n.int()", 2, "int() is no method; write int(x)");
}

Test(conversions, read_doubles)
{
	gives("double('1.5e3')", "1500.0");
	gives("double('.5') + double('5.')", "5.5");
	gives("double(n)", "7.0");
	gives("double('-Infinity') < -1e308", "true");
	gives("double('NaN') == double('NaN')", "false");
	fails_at("double('1e999')", 0, "out of a double's range");
	fails_at("double('1 ')", 0, "it is no double");
	fails_at("double('.')", 0, "it is no double");
	fails_at("double('1e')", 0, "it is no double");
	fails_at("double('0x1p3')", 0, "it is no double");
	fails_at("double('')", 0, "it is no double");
	fails_at("double(list)", 7, "not a list");
}

Test(conversions, write_strings_with_the_fewest_digits)
{
	gives("string(-7)", "\"-7\"");
	gives("string(true) + string('x')", "\"truex\"");
	gives("string(1.0)", "\"1\"");
	gives("string(0.1)", "\"0.1\"");
	gives("string(-0.0)", "\"-0\"");
	gives("string(100000.0)", "\"100000\"");
	gives("string(1000000.0)", "\"1e+06\"");
	gives("string(1234567.5)", "\"1.2345675e+06\"");
	gives("string(0.0001)", "\"0.0001\"");
	gives("string(0.00001)", "\"1e-05\"");
	gives("string(5e-324)", "\"5e-324\"");
	gives("string(1.0 / 0.0) + string(-1.0 / 0.0) + string(0.0 / 0.0)", "\"+Inf-InfNaN\"");
	gives("double(string(2.0 / 3.0)) == 2.0 / 3.0", "true");
	fails_at("string(null)", 7, "not null");
	fails_at("string([1])", 7, "not a list");
}

Test(conversions, read_bools_by_their_names)
{
	gives("bool('True') && bool('t') && bool('1') && bool(true)", "true");
	gives("bool('F') || bool('0') || bool('False')", "false");
	fails_at("bool('yes')", 0, "write true or false");
	fails_at("bool(1)", 5, "not an int");
	gives("dyn(n) + 1", "8");
}

Test(search, finds_the_beginning_the_end_and_the_middle)
{
	gives("text.startsWith('Zü') && text.endsWith('😀') && text.contains('rich')", "true");
	gives("text.startsWith('ü') || text.endsWith('Z') || text.contains('zü')", "false");
	gives("''.contains('') && ''.startsWith('') && ''.endsWith('')", "true");
	gives("'a\\000b'.contains('\\000')", "true");
	fails_at("text.contains(1)", 14, "contains() takes a string here, not an int");
	fails_at("n.contains('x')", 0, "contains() takes a string here, not an int");
	fails_at("contains(text, 'x')", 0, "contains() is a method; write x.contains(…)");
}

Test(indexes, count_characters)
{
	gives("text.charAt(1)", "\"ü\"");
	gives("text.charAt(7)", "\"😀\"");
	gives("text.charAt(8)", "\"\"");
	fails_at("text.charAt(9)", 12, "the index 9 is outside the string, which has 8 characters");
	fails_at("text.charAt(-1)", 12, "outside the string");
	gives("text.indexOf('r')", "2");
	gives("text.indexOf('😀', 3)", "7");
	gives("text.indexOf('Z', 1)", "-1");
	gives("text.indexOf('', 3)", "3");
	gives("text.indexOf('x', 8)", "-1");
	fails_at("text.indexOf('x', 9)", 18, "outside the string");
	fails_at("text.indexOf('x', -1)", 18, "outside the string");
	gives("'abcabc'.lastIndexOf('bc')", "4");
	gives("'abcabc'.lastIndexOf('bc', 3)", "1");
	gives("'üaüa'.lastIndexOf('ü', 1)", "0");
	gives("'abc'.lastIndexOf('')", "3");
	gives("'abc'.lastIndexOf('', 1)", "1");
	gives("'abc'.lastIndexOf('abcd')", "-1");
	fails_at("'abc'.lastIndexOf('a', 4)", 23, "outside the string");
	gives("text.substring(1, 6)", "\"ürich\"");
	gives("text.substring(7)", "\"😀\"");
	gives("text.substring(8) + text.substring(3, 3)", "\"\"");
	fails_at("text.substring(9)", 15, "outside the string");
	fails_at("text.substring(0, 9)", 18, "outside the string");
	fails_at("text.substring(4, 3)", 15, "ends at 3, before its start at 4");
}

Test(trim, takes_unicode_white_space_and_nothing_else)
{
	gives("'\\u00a0\\u2003 \\t\\n a b\\u3000\\u0085'.trim()", "\"a b\"");
	gives("'\\u200bx\\ufeff'.trim() == '\\u200bx\\ufeff'", "true");
	gives("' \\t'.trim() + ''.trim()", "\"\"");
}

Test(split, divides_at_a_separator_or_between_characters)
{
	gives("'a,b,,c'.split(',')", "[\"a\",\"b\",\"\",\"c\"]");
	gives("'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]");
	gives("'a,b,c'.split(',', 1)", "[\"a,b,c\"]");
	gives("'a,b,c'.split(',', 0)", "[]");
	gives("'a,b,c'.split(',', -1)", "[\"a\",\"b\",\"c\"]");
	gives("'aü😀'.split('')", "[\"a\",\"ü\",\"😀\"]");
	gives("'abc'.split('', 2)", "[\"a\",\"bc\"]");
	gives("''.split('')", "[]");
	gives("''.split(',')", "[\"\"]");
	gives("['a', 'b'].join(', ') + ['c', 'd'].join() + [].join('x')", "\"a, bcd\"");
	fails_at("['a', 1].join(',')", 0, "join() takes a list of strings, not of an int");
}

Test(replace, takes_what_it_finds_from_the_left)
{
	gives("'aaa'.replace('aa', 'b')", "\"ba\"");
	gives("'banana'.replace('a', 'o', 2)", "\"bonona\"");
	gives("'banana'.replace('a', 'o', 0) + 'banana'.replace('a', '', -5)", "\"bananabnn\"");
	gives("'üb'.replace('', '-')", "\"-ü-b-\"");
	gives("'ab'.replace('', '-', 2)", "\"-a-b\"");
	gives("''.replace('', 'x')", "\"x\"");
}

Test(case, changes_ascii_letters_only)
{
	gives("'aZä@[`{'.upperAscii()", "\"AZä@[`{\"");
	gives("'AzÄ@[`{'.lowerAscii()", "\"azÄ@[`{\"");
	gives("'aü😀'.reverse()", "\"😀üa\"");
	gives("strings.quote('a\"b\\\\\\n') == '\"a\\\\\"b\\\\\\\\\\\\n\"'", "true");
	fails_at("quote('a')", 0, "there is no function quote()");
	fails_at("strings.quote(1)", 14, "strings.quote() takes a string here");
	gives("[{'quote': 1}].map(strings, strings.quote)", "[1]");
}

Test(matches, searches_with_re2)
{
	gives("text.matches('^Z.rich') && text.matches('\\\\p{So}$')", "true");
	gives("matches('abc', 'b') && !'abc'.matches('^b')", "true");
	gives("'a.c'.matches(r'a\\.c') && !'abc'.matches(r'a\\.c')", "true");
	gives("['^a', 'x$'].filter(p, 'abc'.matches(p))", "[\"^a\"]");
	fails_at("text.matches('a(')", 13, "the pattern is wrong: missing )");
	fails_at("['('].all(p, text.matches(p))", 26, "the pattern is wrong");
	fails_at("text.matches(r'(a)\\1')", 13, "the pattern is wrong");
	fails_at("text.matches(1)", 13, "matches() takes a string here, not an int");
}

Test(format, writes_each_kind)
{
	gives("'%s %s %s %s'.format([1, 2.5, 'x', null])", "\"1 2.5 x null\"");
	gives("'%s'.format([[1, 'a', [true]]])", "\"[1, a, [true]]\"");
	gives("'%s'.format([{'b': 1, 'a': {10: 1, 9: 2}, true: 3}])",
		"\"{a: {10: 1, 9: 2}, b: 1, true: 3}\"");
	gives("'%d %d'.format([-5, 2.5])", "\"-5 2.5\"");
	gives("'%f %.0f %.3f'.format([1.5, 2.5, 1])", "\"1.500000 2 1.000\"");
	gives("'%e %.2e'.format([1234.5, 0])", "\"1.234500e+03 0.00e+00\"");
	gives("'%x %X %x %o %b %b'.format([255, 255, 'hi', 8, -5, true])",
		"\"ff FF 6869 10 -101 1\"");
	gives("'%b'.format([-9223372036854775808])",
		"\"-1000000000000000000000000000000000000000000000000000000000000000\"");
	gives("'%s %s %f'.format([1e20, 1.0 / 0.0, 0.0 / 0.0])",
		"\"100000000000000000000 Infinity NaN\"");
	gives("'%s'.format([0.000012]) + '%s'.format([-123.456])", "\"0.000012-123.456\"");
	gives("'100%%'.format([])", "\"100%\"");
	fails_at("'%s %s'.format([1])", 15, "the format needs more than the 1 given argument");
	fails_at("'%d'.format(['x'])", 12, "%d takes an int or a double, not a string");
	fails_at("'%y'.format([1])", 0, "there is no \"%y\"");
	fails_at("'%.2s'.format([1])", 0, "there is no \"%.2s\"");
	fails_at("'%'.format([1])", 0, "there is no \"%\"");
	fails_at("'%.101f'.format([1])", 0, "too many digits");
}

Test(comprehensions, go_through_lists_and_keys)
{
	gives("list.all(x, x > 0) && list.exists(x, x == 2) && list.exists_one(x, x > 2)", "true");
	gives("list.map(x, x * 2)", "[6,2,4]");
	gives("list.map(x, x > 1, string(x))", "[\"3\",\"2\"]");
	gives("map.filter(key, key != 'b')", "[\"a\",\"c-d\"]");
	gives("list.map(x, list.filter(y, y < x).map(x, x * 10))", "[[10,20],[],[10]]");
	gives("list.map(n, n) + list.map(x, .n)", "[3,1,2,7,7,7]");
	gives("{3: 'a', 1: 'b', true: 'c'}.map(k, k)", "[true,1,3]");
	gives("list.existsOne(x, x > 5)", "false");
	fails_at("list.map(1, 2)", 9, "the first argument of map() is the name of an item");
	fails_at("list.map((x), 2)", 10, "the first argument of map() is the name");
	fails_at("list.map(x)", 5, "there is no function map()");
	fails_at("n.all(x, true)", 2, "a list or a map has items to go through, an int has none");
	fails_at("list.filter(x, x)", 15, "the condition for an item must be a bool, not an int");
	fails_at("list.map(x, y)", 12, "there is no field \"y\"");
	fails_at("list.map(x, x) + [x]", 18, "there is no field \"x\"");
}

Test(comprehensions, let_one_item_outvote_the_errors_of_others)
{
	gives("[0, 1].exists(x, 1 / x == 1)", "true");
	gives("[0, 2].all(x, 1 / x == 1)", "false");
	gives("[0, 2].all(x, 1 / x == 1) || 1 / 0 == 1 || true", "true");
	fails_at("[0, 1].all(x, 1 / x == 1)", 16, "division by zero");
	fails_at("[0, 2].exists(x, 1 / x == 1)", 19, "division by zero");
	fails_at("[2, 0].exists_one(x, 1 / x == 0)", 23, "division by zero");
	fails_at("[0, 0].exists(x, 1 / x == 1) || x", 19, "division by zero");
}

Test(maps, have_strings_ints_and_bools_as_keys)
{
	gives("{'a': 1, 2: 'b', true: null}[2]", "\"b\"");
	gives("{1: 'a'}[1.0]", "\"a\"");
	gives("2.0 in {2: 1} && !(2.5 in {2: 1}) && !('2' in {2: 1}) && !(null in {2: 1})", "true");
	gives("{1: 'a', false: 'b'}", "{\"1\":\"a\",\"false\":\"b\"}");
	gives("{'a': n}.a + {'a': [n]}['a'][0]", "14");
	gives("{'a': n, 'b': [1]} == {'b': [1.0], 'a': 7}", "true");
	gives("{'x y': 1}.`x y` + map.b[1]", "21");
	gives("has(map.`c-d`) && !has(map.e)", "true");
	gives("{'a': 1,}", "{\"a\":1}");
	gives("size({n: 1, n + 1: 2})", "2");
	fails_at("{'a': 1, 'a': 2}", 0, "the map has a key twice");
	fails_at("{n: 1, 7: 2}", 0, "the map has a key twice");
	fails_at("{1.5: 1}", 1, "a map's key is a string, an int or a bool, not a double");
	fails_at("{null: 1}", 1, "not null");
	fails_at("{'1': 1, 1: 2}", 0, "the same when they are written as strings");
	fails_at("{'a\\000': 1}", 0, "NUL");
	fails_at("{1: 2}[3]", 7, "there is no key 3");
	fails_at("{'a' 1}", 5, "expected \":\" before \"1}\"");
}

Test(literals, know_every_prefix_quote_and_escape)
{
	gives("r'a\\n' + R\"\\x\"", "\"a\\\\n\\\\x\"");
	gives("'''it's\n\"quoted\" '' \\t''' + \"\"\"a\"b\"\"\"",
		"\"it's\\n\\\"quoted\\\" '' \\ta\\\"b\"");
	gives("'\\x41\\X42\\103\\u00e9\\U0001F600'", "\"ABCé😀\"");
	gives("'\\xff' == 'ÿ' && size('\\377') == 1", "true");
	gives("r''", "\"\"");
	gives("1 // one\n + 2 // two", "3");
	gives("\f1\t+\r\n1", "2");
	fails_at("'\\ud800'", 1, "unknown escape");
	fails_at("'\\U00110000'", 1, "unknown escape");
	fails_at("'\\x4'", 1, "unknown escape");
	fails_at("'\\400'", 1, "unknown escape");
	fails_at("'\\18'", 1, "unknown escape");
	fails_at("'''abc''", 0, "the string has no end");
	fails_at("r'abc\\'x", 7, "unexpected \"x\"");
	fails_at("1 + b'abc'", 4, "bytes are not supported");
	fails_at("'\xff'", 1, "not UTF-8");
	fails_at("`a` == 1", 0, "expected a value");
	fails_at("map.`a", 4, "no closing");
	fails_at("for == 1", 0, "\"for\" is a reserved word");
	gives("{'for': 1}.for", "1");
}

Test(undeclared, types_are_looked_at_only_where_they_count)
{
	gives("false && 32", "false");
	gives("missing || true", "true");
	gives("nosuch(1) || true", "true");
	gives("1 == 'a'", "false");
	gives("true ? 1 : 'a' * 2", "1");
	fails_at("true && missing", 8, "there is no field \"missing\"");
	fails_at("1 + nosuch(1)", 4, "there is no function nosuch()");
	fails_at("n + 1.5", 2, "+ does not take an int and a double");
	fails_at("1 < 'a'", 2, "an int and a string have no order");
	fails_at("list[1][0]", 7, "an int has no items");
	fails_at("list[3]", 5, "the index 3 is outside the list, which has 3 items");
	fails_at("map.x.y", 3, "there is no key \"x\"");
	fails_at("!n", 1, "! takes a bool, not an int");
	fails_at("n && true", 0, "&& takes a bool, not an int");
	fails_at("n ? 1 : 2", 0, "?: takes a bool, not an int");
	fails_at("-text", 0, "- takes a number, not a string");
	fails_at("1 in text", 2, "\"in\" takes a list or a map on its right, not a string");
}

Test(joining, takes_strings_and_lists)
{
	gives("text + '!' + text.charAt(0)", "\"Zürich 😀!Z\"");
	gives("list + [] + [[4]]", "[3,1,2,[4]]");
	gives("[1] + ['a'] == [1.0, 'a']", "true");
	gives("list[1.0]", "1");
	gives("map", "{\"a\":1,\"b\":[10,20],\"c-d\":null}");
}
