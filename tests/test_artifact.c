/* test_artifact.c - the build artifact of a package: what publishes it again
 * publishes the same document (F-1, F-3).
 */
#include "t.h"
#include "stores.h"

/* The package that reading a document gives, without a store. */
static struct pakhus_package package_of(const char *text)
{
	struct pakhus_package p = {.document = text,
				   .document_size = strlen(text)};
	struct pakhus_json it = {.text = text, .size = p.document_size};

	strcpy(p.record.id, "a");
	strcpy(p.record.version, "1");
	assert_int_equal(pakhus_json_next(&it), 1);
	p.manifest = it.value;
	p.manifest_size = it.value_size;
	assert_int_equal(pakhus_json_next(&it), 1);
	p.metadata = it.value;
	p.metadata_size = it.value_size;
	return p;
}

#define M "{\"id\":\"a\",\"version\":\"1\"}"
#define DOC(metadata) "{\"manifest\":" M ",\"metadata\":" metadata "}"

static void an_artifact_is_what_javascript_makes_of_it(void **state)
{
	/* JSON.stringify({manifest, ...metadata}) */
	static const struct {
		const char *document, *artifact;
	} rows[] = {
		{DOC("{}"), "{\"manifest\":" M "}"},
		{DOC("{\"objects\":[]}"),
		 "{\"manifest\":" M ",\"objects\":[]}"},
		{DOC("{\"0\":1,\"7\":{\"x\":[1,2]},\"a\":2}"),
		 "{\"0\":1,\"7\":{\"x\":[1,2]},\"manifest\":" M ",\"a\":2}"},
		{DOC("{\"4294967294\":null}"),
		 "{\"4294967294\":null,\"manifest\":" M "}"},
		{DOC("{\"4294967295\":null}"),
		 "{\"manifest\":" M ",\"4294967295\":null}"},
		{DOC("{\"01\":1,\"-1\":2}"),
		 "{\"manifest\":" M ",\"01\":1,\"-1\":2}"},
		{DOC("{\"__proto__\":{},\"id\":\"b\",\"\":0}"),
		 "{\"manifest\":" M ",\"__proto__\":{},\"id\":\"b\",\"\":0}"},
		{DOC("{\"Manifest\":1,\"metadata2\":2,\"manifes\\\"\":3}"),
		 "{\"manifest\":" M ",\"Manifest\":1,\"metadata2\":2,"
		 "\"manifes\\\"\":3}"},
	};

	(void)state;
	for (size_t i = 0; i < T_COUNT(rows); i++) {
		char hash[PAKHUS_HASH_HEX + 1], was[PAKHUS_HASH_HEX + 1];
		char again[PAKHUS_HASH_HEX + 1], *text;
		char *exact = (char *)t_exact(rows[i].document,
					      strlen(rows[i].document) + 1);
		struct pakhus_package p = package_of(exact);
		size_t size;

		assert_done(pakhus_artifact(&p, &text, &size, hash, &err));
		assert_string_equal(text, rows[i].artifact);
		assert_int_equal(size, strlen(text));
		assert_done(pakhus_hash(rows[i].document, p.document_size, was,
					&err));
		assert_done(pakhus_hash(text, size, again, &err));
		assert_string_equal(again, was);
		pakhus_free(text);
		free(exact);
	}
}

static void its_hash_is_the_sha256_of_its_bytes(void **state)
{
	struct pakhus_package p = package_of(
		"{\"manifest\":{\"id\":\"com.acme.crm\",\"name\":\"CRM\","
		"\"version\":\"1.0.0\",\"type\":\"app\"},\"metadata\":"
		"{\"objects\":[]}}");
	char hash[PAKHUS_HASH_HEX + 1], *text;
	size_t size;

	(void)state;
	assert_done(pakhus_artifact(&p, &text, &size, hash, &err));
	/* sha256sum's */
	assert_string_equal(hash, "fa124c65832a0ee11f4d9fce7e766fca"
				  "b623fd18849895124d8e019abd3313f7");
	pakhus_free(text);
}

static void refused(struct pakhus_package p, const char *word)
{
	char hash[PAKHUS_HASH_HEX + 1] = "untouched", *text = NULL;
	size_t size = 7;

	assert_status(pakhus_artifact(&p, &text, &size, hash, &err),
		      PAKHUS_EINVAL);
	assert_non_null(strstr(err.text, word));
	assert_string_equal(hash, "untouched");
	assert_null(text);
	assert_int_equal(size, 7);
}

static void what_an_artifact_cannot_hold_is_said(void **state)
{
	struct pakhus_package none = package_of(DOC("{}"));

	(void)state;
	refused(package_of(DOC("{\"manifest\":1}")), "a@1: its metadata has a "
						     "key \"manifest\"");
	refused(package_of(DOC("{\"metadata\":{}}")), "\"metadata\"");
	refused(package_of(DOC("{\"1\":0,\"x\":1,\"metadata\":2}")),
		"\"metadata\"");
	none.metadata = none.document = NULL;
	refused(none, "without its metadata");
}

static void nesting_at_its_limit_goes_both_ways(void **state)
{
	enum { DEEP = 511 }; /* the metadata's own bracket is one */
	char *doc = malloc(sizeof(DOC("{\"a\":}")) + 2 * (size_t)DEEP);
	char was[PAKHUS_HASH_HEX + 1], again[PAKHUS_HASH_HEX + 1];
	char hash[PAKHUS_HASH_HEX + 1], *text, *to;
	struct pakhus_package p;
	size_t size;

	(void)state;
	to = stpcpy(doc, "{\"manifest\":" M ",\"metadata\":{\"a\":");
	memset(to, '[', DEEP);
	memset(to + DEEP, ']', DEEP);
	strcpy(to + (size_t)2 * DEEP, "}}");
	p = package_of(doc);
	assert_done(pakhus_hash(doc, strlen(doc), was, &err));
	assert_done(pakhus_artifact(&p, &text, &size, hash, &err));
	assert_done(pakhus_hash(text, size, again, &err));
	assert_string_equal(again, was);
	pakhus_free(text);
	free(doc);
}

static void damaged_metadata_is_refused_or_no_more_than_it(void **state)
{
	static const char text[] = "{\"0\":[1],\"b\\\"\":{\"c\":\"d\"},\"e\":2}";
	size_t n = sizeof(text) - 1;

	(void)state;
	for (size_t bit = 0; bit < 8 * n; bit++) {
		char hash[PAKHUS_HASH_HEX + 1], *out = NULL;
		char *copy = (char *)t_exact(text, n);
		struct pakhus_package p = package_of(DOC("{}"));
		size_t size;

		copy[bit / 8] ^= (char)(1 << bit % 8);
		for (size_t cut = bit % 8 ? n : 0; cut <= n; cut++) {
			char *exact = (char *)t_exact(copy, cut);

			p.metadata = exact;
			p.metadata_size = cut;
			if (!pakhus_artifact(&p, &out, &size, hash, &err))
				pakhus_free(out);
			free(exact);
		}
		free(copy);
	}
}

static void what_get_gives_makes_one(void **state)
{
	struct pakhus *s = fresh(state);
	struct pakhus_record first = s_publish(s, "p", "1", 1), second;
	struct pakhus_package *p = s_get(s, "p", "1");
	char hash[PAKHUS_HASH_HEX + 1], *text;
	size_t size;

	assert_done(pakhus_artifact(p, &text, &size, hash, &err));
	assert_done(pakhus_publish(s, text, size, NULL, &second, &err));
	assert_string_equal(first.hash, second.hash);
	pakhus_free(text);
	pakhus_package_free(p);
	pakhus_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_artifact_is_what_javascript_makes_of_it),
		cmocka_unit_test(its_hash_is_the_sha256_of_its_bytes),
		cmocka_unit_test(what_an_artifact_cannot_hold_is_said),
		cmocka_unit_test(nesting_at_its_limit_goes_both_ways),
		cmocka_unit_test(damaged_metadata_is_refused_or_no_more_than_it),
		T_IN_DIR(what_get_gives_makes_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
