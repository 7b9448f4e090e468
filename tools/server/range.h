/* range.h - a request's Range (RFC 9110, section 14.2).
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdint.h>

enum range {
	RANGE_NONE, /* not one range of bytes: all is sent */
	RANGE_ONE,  /* *count bytes, at least one, from *from on */
	RANGE_BEHIND /* begins behind the end */
};

enum range range_parse(const char *value, uint64_t size, uint64_t *from,
		       uint64_t *count);

#endif
