#include "members.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "out.h"
#include "pakhus.h"

bool slice_same(struct slice a, struct slice b)
{
	return a.size == b.size && !memcmp(a.text, b.text, a.size);
}

/* The inside of a string literal; anything else has no name in it. */
static bool string_inside(struct slice value, struct slice *out)
{
	if (value.size < 3 || value.text[0] != '"')
		return false;
	out->text = value.text + 1;
	out->size = value.size - 2;
	return true;
}

/* What an element of an array is called: the first of name, id and key
 * that is a string and not empty. */
static struct slice name_of(struct slice element)
{
	static const char *const keys[] = {"name", "id", "key"};
	struct pakhus_json it = {.text = element.text, .size = element.size};
	struct slice name = {NULL, 0}, value;
	size_t i, best = 3;

	while (pakhus_json_next(&it) == 1) {
		value = (struct slice){it.value, it.value_size};
		for (i = 0; i < best; i++)
			if (it.key_size == strlen(keys[i]) &&
			    !memcmp(it.key, keys[i], it.key_size) &&
			    string_inside(value, &name))
				best = i;
	}
	return name;
}

static int compare(const struct member *a, const struct member *b)
{
	size_t n = a->name.size < b->name.size ? a->name.size : b->name.size;
	int c;

	if (!a->name.text || !b->name.text)
		return !!a->name.text - !!b->name.text;
	c = memcmp(a->name.text, b->name.text, n);
	if (c)
		return c;
	return (a->name.size > b->name.size) - (a->name.size < b->name.size);
}

static int compare_nth(const struct member *a, const struct member *b)
{
	int c = compare(a, b);

	return c ? c : (a->nth > b->nth) - (a->nth < b->nth);
}

/* Equal names in the order of their places. */
static int compare_places(const void *left, const void *right, void *arg)
{
	const struct member *item = arg, *a, *b;
	int c;

	a = item + *(const size_t *)left;
	b = item + *(const size_t *)right;
	c = compare(a, b);
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* Numbers members of one name, and keeps their order for the searches. */
static void sort(struct members *m)
{
	struct member *member, *before = NULL;
	size_t i;

	if (!m->count)
		return;
	m->by_name = mem_need(calloc(m->count, sizeof(*m->by_name)));
	for (i = 0; i < m->count; i++)
		m->by_name[i] = i;
	qsort_r(m->by_name, m->count, sizeof(*m->by_name), compare_places,
		m->item);
	for (i = 0; i < m->count; i++) {
		member = &m->item[m->by_name[i]];
		if (!member->name.text)
			member->nth = member->at;
		else if (before && !compare(before, member))
			member->nth = before->nth + 1;
		before = member;
	}
}

static void add(struct members *m, struct slice name, struct slice value)
{
	struct member member = {.name = name, .value = value, .at = m->count};

	m->item = mem_grow(m->item, m->count, &m->room, sizeof(*m->item));
	m->item[m->count++] = member;
}

void members_read(struct slice value, struct members *out)
{
	struct pakhus_json it = {.text = value.text, .size = value.size};
	struct members m = {.all_named = true};
	struct slice name, element;

	if (value.size && value.text[0] == '{')
		m.kind = MEMBERS_OBJECT;
	else if (value.size && value.text[0] == '[')
		m.kind = MEMBERS_ARRAY;
	while (m.kind != MEMBERS_NONE && pakhus_json_next(&it) == 1) {
		element = (struct slice){it.value, it.value_size};
		name = (struct slice){it.key ? it.key : "", it.key_size};
		if (m.kind == MEMBERS_ARRAY && element.text[0] != '{') {
			members_release(&m);
			m.kind = MEMBERS_NONE;
			break;
		}
		if (m.kind == MEMBERS_ARRAY)
			name = name_of(element);
		m.all_named = m.all_named && name.text;
		add(&m, name, element);
	}
	sort(&m);
	*out = m;
}

void members_release(struct members *members)
{
	free(members->item);
	free(members->by_name);
	members->item = NULL;
	members->by_name = NULL;
	members->count = 0;
}

const struct member *members_find(const struct members *members,
				  const struct member *like)
{
	size_t low = 0, high = members->count, middle;
	const struct member *member;
	int c;

	while (low < high) {
		middle = low + (high - low) / 2;
		member = &members->item[members->by_name[middle]];
		c = compare_nth(like, member);
		if (!c)
			return member;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void member_put_name(const struct member *member, FILE *f)
{
	if (!member->name.text) {
		fprintf(f, "%zu", member->nth);
		return;
	}
	out_plain_n(f, member->name.text, member->name.size);
	if (member->nth)
		fprintf(f, "#%zu", member->nth + 1);
}
