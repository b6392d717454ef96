#include "base/hash.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(hash, is_sha256)
{
	char text[HASH_SIZE];
	/* FIPS 180-2, B.1. */
	cr_expect_str_eq(hash_sha256("abc", 3, text),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(hash, derives_keys_as_rfc_5869_does)
{
	/* Its test case 3, which has neither salt nor info. */
	static const unsigned char expected[] =
		"\x8d\xa4\xe7\x75\xa5\x63\xc1\x8f\x71\x5f\x80\x2a\x06\x3c\x5a\x31\xb8\xa1\x1f\x5c"
		"\x5e\xe1\x87\x9e\xc3\x45\x4e\x5f\x3c\x73\x8d\x2d\x9d\x20\x13\x95\xfa\xa4\xb6\x1a"
		"\x96\xc8";
	unsigned char bytes[sizeof expected - 1];
	char secret[22];
	memset(secret, 0x0b, sizeof secret);
	hash_hkdf_sha256((struct ss_text){secret, sizeof secret}, "", bytes, sizeof bytes);
	cr_expect_arr_eq(bytes, expected, sizeof bytes);
}

Test(hash, derives_another_key_for_another_purpose)
{
	unsigned char one[32], other[32];
	hash_hkdf_sha256(text_of("a secret"), "one", one, sizeof one);
	hash_hkdf_sha256(text_of("a secret"), "other", other, sizeof other);
	cr_expect_arr_neq(one, other, sizeof one);
}
