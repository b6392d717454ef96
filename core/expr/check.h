/* What the checker's files share. */
#ifndef EXPR_CHECK_H
#define EXPR_CHECK_H

#include "expr/node.h"

/* The name that a comprehension gives its items. */
struct local {
	const char *name;
	enum ss_type type;
};

struct checker {
	const struct expr_variable *variables;
	size_t count;
	bool dynamic; /* types are not looked at; what is wrong fails where it is evaluated */
	bool dotted;  /* a variable has a dot in its name */
	struct local locals[EXPR_DEPTH_LIMIT];
	size_t levels;
	struct expr_error *error;
};

int check(struct checker *checker, struct expr_node *node);

/* Whether the type of NODE is known. */
bool check_known(const struct expr_node *node);

/* What NODE is, for messages. */
const char *check_a_type(const struct expr_node *node);

/* The level of the comprehension whose items are called NAME; the number of levels when there is none. */
size_t check_local(const struct checker *checker, const char *name);

/* Makes NODE, a selection as in a.b.c, the variable of that name if there is one. */
bool check_qualified(struct checker *checker, struct expr_node *node);

/* Makes NODE, a call as in strings.quote(x), one of the function of that name if there is one. */
void check_namespace(struct checker *checker, struct expr_node *node);

int check_list(struct checker *checker, struct expr_node *node);
int check_map(struct checker *checker, struct expr_node *node);
int check_call(struct checker *checker, struct expr_node *node);
int check_comprehension(struct checker *checker, struct expr_node *node);

#endif
