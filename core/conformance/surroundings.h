/* What of a process all of its parts share, and a plugin is to leave as it was: the working folder, limits, signals, the locale,
 * and the files that others have open. */
#ifndef CONFORMANCE_SURROUNDINGS_H
#define CONFORMANCE_SURROUNDINGS_H

struct surroundings;

/* Those of this process as they are now. */
struct surroundings *surroundings_new(void);
void surroundings_free(struct surroundings *surroundings);

/* What has changed since, as in "the umask"; NULL: nothing has. *WAS and *IS are then new texts. */
const char *surroundings_changed(const struct surroundings *before, char **was, char **is);

#endif
