/* Identifiers: UUIDs of version 7 (RFC 9562), which sort by the time they were made. Any thread. */
#ifndef BASE_ID_H
#define BASE_ID_H

/* Bytes of an identifier with a prefix of up to 16 characters, the NUL included. */
enum { ID_SIZE = 56 };

/* Writes PREFIX and a new UUIDv7, as in conv_01932f3e-5c5a-7cc1-9a4e-0d1c2b3a4f50. Returns ID. */
char *id_new(const char *prefix, char id[ID_SIZE]);

#endif
