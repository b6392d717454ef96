#include "base/network.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

static struct address address(const char *text)
{
	struct address address;
	cr_assert_eq(address_read(&address, text), 0, "%s", text);
	return address;
}

static bool has(const char *network_text, const char *address_text)
{
	struct network network;
	const struct address one = address(address_text);
	cr_assert_eq(network_read(&network, network_text), 0, "%s", network_text);
	return network_has(&network, &one);
}

Test(network, reads_addresses_of_both_kinds_in_one_form)
{
	const struct address old = address("192.0.2.1");
	const struct address mapped = address("::ffff:192.0.2.1");
	const struct address bracketed = address("[2001:db8::1]");
	const struct address bare = address("2001:db8::1");
	cr_expect_eq(memcmp(&old, &mapped, sizeof old), 0);
	cr_expect_eq(memcmp(&bracketed, &bare, sizeof bare), 0);
	cr_expect(address_is_old(&old));
	cr_expect_not(address_is_old(&bare));
}

Test(network, refuses_what_is_no_address)
{
	static const char *const texts[] = {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1",
		"1.2.3.4:80", "[1::2", "1::2]", "[]", "::1%lo", " 1.2.3.4", "1.2.3.4 ",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
	for (size_t i = 0; i < array_length(texts); i++) {
		struct address address;
		cr_expect_eq(address_read(&address, texts[i]), -1, "%s", texts[i]);
	}
}

Test(network, knows_the_addresses_of_this_machine)
{
	static const char *const here[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
	static const char *const elsewhere[] = {
		"0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "::2", "::7f00:1"};
	for (size_t i = 0; i < array_length(here); i++) {
		const struct address one = address(here[i]);
		cr_expect(address_is_loopback(&one), "%s", here[i]);
	}
	for (size_t i = 0; i < array_length(elsewhere); i++) {
		const struct address one = address(elsewhere[i]);
		cr_expect_not(address_is_loopback(&one), "%s", elsewhere[i]);
	}
}

Test(network, has_the_addresses_with_its_prefix)
{
	cr_expect(has("10.0.0.0/8", "10.255.1.2"));
	cr_expect_not(has("10.0.0.0/8", "11.0.0.0"));
	cr_expect(has("10.0.0.128/25", "10.0.0.129"));
	cr_expect_not(has("10.0.0.128/25", "10.0.0.127"));
	cr_expect(has("127.0.0.1", "127.0.0.1"));
	cr_expect_not(has("127.0.0.1", "127.0.0.2"));
	cr_expect(has("0.0.0.0/0", "203.0.113.9"));
	cr_expect_not(has("0.0.0.0/0", "2001:db8::1"));
	cr_expect(has("2001:db8::/33", "2001:db8:7fff::1"));
	cr_expect_not(has("2001:db8::/33", "2001:db8:8000::1"));
	cr_expect(has("::/0", "203.0.113.9"));
}

Test(network, refuses_what_is_none)
{
	static const char *const texts[] = {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/8x", "10.0.0.1/8", "2001:db8::/129", "2001:db8::1/64", "example.com/8"};
	for (size_t i = 0; i < array_length(texts); i++) {
		struct network network;
		cr_expect_eq(network_read(&network, texts[i]), -1, "%s", texts[i]);
	}
}
