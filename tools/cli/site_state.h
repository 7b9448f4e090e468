/* site_state.h - the hidden file of a site: which store it is made from, and
 * how far.
 *
 * It has the store's identity, and a mark: how many entries of the log the
 * site shows, and when the last of them was made and of what, by which a log
 * that was set back, or went on otherwise, is told from it.
 */
#ifndef SITE_STATE_H
#define SITE_STATE_H

#include "site.h"

#define SITE_MARK_MAX 128

/* What the list begins with, by which a site is known too. */
#define SITE_LIST_HEAD "{\"success\":true,\"data\":{\"items\":["

/* Whether the directory may be written to at all, what is shown already, and
 * from which entry on to look: sets identity, position, from and anew. Where
 * all is made anew the hidden file says so from now on. */
int site_begin(struct site *site);
int site_mark(const struct site *site, uint64_t position,
	      char out[SITE_MARK_MAX]);
/* Everything up to the mark is shown now. */
int site_note(struct site *site, const char *mark);

#endif
