#include "base/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BITS = 128, OLD_BITS = 96 };

static const unsigned char old_start[12] = {[10] = 0xff, [11] = 0xff};

int address_read(struct address *address, const char *text)
{
	char plain[INET6_ADDRSTRLEN];
	size_t length = strlen(text);
	if (text[0] == '[') {
		if (length < 2 || text[length - 1] != ']')
			return -1;
		text++;
		length -= 2;
	}
	if (length >= sizeof plain)
		return -1;
	memcpy(plain, text, length);
	plain[length] = '\0';
	memcpy(address->bytes, old_start, sizeof old_start);
	if (inet_pton(AF_INET, plain, address->bytes + sizeof old_start) == 1)
		return 0;
	return inet_pton(AF_INET6, plain, address->bytes) == 1 ? 0 : -1;
}

bool address_is_old(const struct address *address)
{
	return memcmp(address->bytes, old_start, sizeof old_start) == 0;
}

bool address_is_loopback(const struct address *address)
{
	static const unsigned char one[16] = {[15] = 1};
	if (address_is_old(address))
		return address->bytes[12] == 127;
	return memcmp(address->bytes, one, sizeof one) == 0;
}

static bool has_bit(const struct address *address, unsigned bit)
{
	return (address->bytes[bit / 8] & (0x80u >> bit % 8)) != 0;
}

int network_read(struct network *network, const char *text)
{
	char plain[64];
	char *end = NULL;
	size_t length = strcspn(text, "/");
	if (length >= sizeof plain)
		return -1;
	memcpy(plain, text, length);
	plain[length] = '\0';
	if (address_read(&network->address, plain) < 0)
		return -1;
	network->bits = ADDRESS_BITS;
	if (text[length] == '\0')
		return 0;
	const char *digits = text + length + 1;
	unsigned long bits = strtoul(digits, &end, 10);
	unsigned most = address_is_old(&network->address) ? ADDRESS_BITS - OLD_BITS : ADDRESS_BITS;
	if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || bits > most)
		return -1;
	network->bits = (unsigned)bits + ADDRESS_BITS - most;
	for (unsigned bit = network->bits; bit < ADDRESS_BITS; bit++) {
		if (has_bit(&network->address, bit))
			return -1;
	}
	return 0;
}

bool network_has(const struct network *network, const struct address *address)
{
	unsigned whole = network->bits / 8;
	unsigned rest = network->bits % 8;
	if (memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	unsigned mask = 0xff00u >> rest & 0xffu;
	return ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}
