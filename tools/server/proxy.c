#include "proxy.h"

#include <string.h>
#include <strings.h>

/* The last one, which is that of whoever stands next to us. */
static const char *last_field(const struct request *rq, const char *name)
{
	size_t i;

	for (i = rq->field_count; i--;)
		if (!strcasecmp(rq->fields[i].name, name))
			return rq->fields[i].value;
	return NULL;
}

void proxy_believe(const char *trust, struct request *rq, char peer[PEER_MAX])
{
	const char *list, *end, *proto;

	if (!trust || address_is_in(trust, peer) != 1)
		return;
	proto = last_field(rq, "X-Forwarded-Proto");
	if (proto)
		rq->is_tls = !strcasecmp(proto, "https");
	list = last_field(rq, "X-Forwarded-For");
	if (!list)
		return;
	for (end = list + strlen(list); end > list;) {
		const char *from = end;
		size_t size;

		while (from > list && from[-1] != ',')
			from--;
		from += strspn(from, " \t");
		size = from < end ? strcspn(from, " \t,") : 0;
		if (!size || size >= PEER_MAX)
			return;
		memcpy(peer, from, size);
		peer[size] = '\0';
		if (address_is_in(trust, peer) != 1)
			return;
		while (end > list && end[-1] != ',')
			end--;
		end -= end > list;
	}
}
