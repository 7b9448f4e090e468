/* door_ops.c - what those ask who keep the server running. */
#include "exchange.h"

static void livez(struct exchange *x)
{
	struct text t = {0};

	json_open(&t, '{');
	json_pair(&t, "status", "alive");
	json_close(&t, '}');
	reply_json(x, 200, &t);
}

const struct route ops_routes[] = {
	{HTTP_GET, "/livez", livez, SCOPE_NONE, 0},
	{0},
};
