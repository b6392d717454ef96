/* JSON Schema (draft 2020-12) of options, made from the tables that options.h reads them by. For editors. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <smartsupport/plugin.h>

/* What a scalar may be when it has a variable in it, as in ${NAME}. */
struct ss_value *schema_variable(void);

/* A schema or, if the value has a variable in it, that. Takes SCHEMA. */
struct ss_value *schema_or_variable(struct ss_value *schema);

/* What VALUES (taken), with anyOf or type, allow, or nothing, as in `timeout: ~`, which stands for the default. */
struct ss_value *schema_or_nothing(struct ss_value *values);

/* SCHEMA (taken) with the member KEY as well, whose VALUE is taken. */
struct ss_value *schema_with(struct ss_value *schema, const char *key, struct ss_value *value);

/* A new list of the NAMES, which end with NULL. */
struct ss_value *schema_names(const char *const *names);

/* A new list of the words in CHOICES, as a row of SS_OPTION_CHOICE has them. */
struct ss_value *schema_words(const char *choices);

/* The values that the option ROW may have, with its help and its default; new. */
struct ss_value *schema_option(const struct ss_option *row);

/* The names of those of ROWS that have no default: a new list. */
struct ss_value *schema_required(const struct ss_option *rows);

#endif
