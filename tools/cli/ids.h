/* ids.h - a set of package ids: gathered, settled, and then asked.
 */
#ifndef IDS_H
#define IDS_H

#include <stdbool.h>
#include <stddef.h>

struct ids {
	char **id;
	size_t count;
	size_t room; /* private */
};

void ids_add(struct ids *ids, const char *id);
/* Each one once, in order of bytes; before ids_have(). */
void ids_settle(struct ids *ids);
bool ids_have(const struct ids *ids, const char *id);
void ids_release(struct ids *ids);

#endif
