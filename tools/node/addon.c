/* addon.c - what the module consists of. */
#include "addon.h"
#include "batch.h"
#include "call.h"
#include "crypto.h"
#include "event.h"
#include "handle.h"
#include "values.h"
#include "verbs.h"

#include <stdlib.h>

static const struct verb *const *const tables[] = {
	store_verbs, write_verbs, batch_verbs, read_verbs,  page_verbs,
	log_verbs,   check_verbs, bundle_verbs, mirror_verbs,
	serve_verbs, attrs_verbs,
};

struct addon *addon_of(napi_env env)
{
	void *data = NULL;

	napi_get_instance_data(env, &data);
	return data;
}

/* ---- functions that are done at once ---- */

/* setup(PakhusError, tell): before anything else. */
static napi_value setup(napi_env env, napi_callback_info info)
{
	struct addon *addon = addon_of(env);
	napi_value argv[2];
	size_t n = 2;

	if (napi_get_cb_info(env, info, &n, argv, NULL, NULL) == napi_ok &&
	    !addon->tell) {
		napi_create_reference(env, argv[0], 1, &addon->error);
		napi_create_reference(env, argv[1], 1, &addon->tell);
	}
	return NULL;
}

/* The call that the first argument is the id of. */
static struct call *take_call(struct args *a, napi_callback_info info)
{
	a->n = ARGS_MAX;
	if (napi_get_cb_info(a->env, info, &a->n, a->value, NULL, NULL) !=
	    napi_ok)
		return NULL;
	return call_find(addon_of(a->env), take_number(a, UINT64_C(1) << 53));
}

/* cancel(id): what is over already is let be. */
static napi_value cancel(napi_env env, napi_callback_info info)
{
	struct args a = { .env = env };
	struct call *c = take_call(&a, info);

	if (c)
		event_cancel(c);
	return NULL;
}

/* answer(id, status, text) */
static napi_value answer(napi_env env, napi_callback_info info)
{
	struct args a = { .env = env };
	struct call *c = take_call(&a, info);
	char text[400] = "";
	int32_t status = 0;
	size_t n;

	if (!c || !c->answer || a.n < 3)
		return NULL;
	napi_get_value_int32(env, a.value[1], &status);
	napi_get_value_string_utf8(env, a.value[2], text, sizeof(text), &n);
	event_answer(c, status, text);
	return NULL;
}

static napi_value strstatus(napi_env env, napi_callback_info info)
{
	napi_value argv[1], v = NULL;
	int32_t status = 1;
	size_t n = 1;

	if (napi_get_cb_info(env, info, &n, argv, NULL, NULL) == napi_ok)
		napi_get_value_int32(env, argv[0], &status);
	napi_create_string_utf8(env, pakhus_strstatus(status),
				NAPI_AUTO_LENGTH, &v);
	return v;
}

static napi_status define(napi_env env, napi_value exports, const char *name,
			  napi_callback f)
{
	napi_value v;
	napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH,
						  f, NULL, &v);

	return status != napi_ok
		       ? status
		       : napi_set_named_property(env, exports, name, v);
}

/* ---- the environment ---- */

static void woken(napi_env env, napi_value f, void *context, void *data)
{
	(void)f;
	(void)data;
	if (env) /* else it has ended */
		event_drain(context);
}

static napi_status make_wake(struct addon *addon)
{
	napi_value name;
	napi_status status = napi_create_string_utf8(
		addon->env, "pakhus", NAPI_AUTO_LENGTH, &name);

	if (status == napi_ok)
		status = napi_create_threadsafe_function(
			addon->env, NULL, NULL, name, 0, 1, NULL, NULL, addon,
			woken, &addon->wake);
	return status != napi_ok ? status
				 : napi_unref_threadsafe_function(addon->env,
								  addon->wake);
}

/* Calls on the pool are over: Node waits for them before. */
static void end(void *data)
{
	struct addon *addon = data;

	addon->is_ending = 1;
	call_end_all(addon);
	event_drop(addon);
	handle_end_all(addon);
	napi_release_threadsafe_function(addon->wake, napi_tsfn_abort);
}

static void free_addon(napi_env env, void *data, void *hint)
{
	struct addon *addon = data;

	(void)env;
	(void)hint;
	pthread_mutex_destroy(&addon->lock);
	free(addon);
}

static napi_status add_verbs(napi_env env, napi_value exports)
{
	napi_value v;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct verb *const *at = tables[i]; *at; at++)
			if (call_define(env, *at, &v) != napi_ok ||
			    napi_set_named_property(env, exports, (*at)->name,
						    v) != napi_ok)
				return napi_generic_failure;
	return napi_ok;
}

NAPI_MODULE_INIT()
{
	struct addon *addon = calloc(1, sizeof(*addon));
	napi_value v;

	if (!addon || crypto_init()) {
		free(addon);
		napi_throw_error(env, NULL, "pakhus: out of memory");
		return NULL;
	}
	addon->env = env;
	pthread_mutex_init(&addon->lock, NULL);
	if (napi_set_instance_data(env, addon, free_addon, NULL) != napi_ok ||
	    make_wake(addon) != napi_ok ||
	    napi_add_env_cleanup_hook(env, end, addon) != napi_ok ||
	    define(env, exports, "setup", setup) != napi_ok ||
	    define(env, exports, "cancel", cancel) != napi_ok ||
	    define(env, exports, "answer", answer) != napi_ok ||
	    define(env, exports, "strstatus", strstatus) != napi_ok ||
	    add_verbs(env, exports) != napi_ok ||
	    napi_create_string_utf8(env, pakhus_version(), NAPI_AUTO_LENGTH,
				    &v) != napi_ok ||
	    napi_set_named_property(env, exports, "version", v) != napi_ok) {
		napi_throw_error(env, NULL, "pakhus: the addon cannot begin");
		return NULL;
	}
	return exports;
}
