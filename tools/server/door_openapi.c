/* door_openapi.c - the document that describes all doors. */
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "openapi.h"

static void openapi(struct exchange *x)
{
	size_t size = (size_t)openapi_size;
	char *body = malloc(size + 1);

	if (!body) {
		reply_no_memory(x);
		return;
	}
	memcpy(body, openapi_json, size);
	body[size] = '\0';
	reply_bytes(x, 200, "application/json", body, size);
}

const struct route openapi_routes[] = {
	{HTTP_GET, "/api/v1/openapi.json", openapi, SCOPE_NONE, 0},
	{0},
};
