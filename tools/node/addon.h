/* addon.h - what one JavaScript environment, the main thread or a worker,
 * holds of this addon; nothing is static.
 *
 * All of it belongs to the environment's thread, but the queue of events,
 * which has a lock. When the environment ends, running calls are waited for
 * and every store that is open is closed.
 */
#ifndef ADDON_H
#define ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>

#include "pakhus.h"

struct call;
struct event;
struct handle;

struct addon {
	napi_env env;
	napi_ref error; /* class PakhusError */
	napi_ref tell;	/* the function that events are given to */
	napi_threadsafe_function wake;
	int is_ending;
	unsigned awake; /* calls that keep the loop alive through wake */
	struct handle *handles;
	struct call *watched; /* calls that can be cancelled by their id */

	pthread_mutex_t lock; /* of the events */
	struct event *first, *last;
};

struct addon *addon_of(napi_env env);

#endif
