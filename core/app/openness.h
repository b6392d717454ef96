/* Who gets in: nobody but who is on this machine without an API key, unless the configuration says so in words. */
#ifndef APP_OPENNESS_H
#define APP_OPENNESS_H

struct config;
struct diagnostics;

/* Adds the mistake that other machines can reach the server and there is no key. */
void openness_refuse(const struct config *config, struct diagnostics *diagnostics);

/* For `check`: adds it when a start would. A store that is not there is not made, and one that cannot be looked at, or that opening
 * would change, says nothing. */
void openness_check(const struct config *config, struct diagnostics *diagnostics);

#endif
