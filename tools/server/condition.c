#include "condition.h"

#include "accept.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Past one tag: where it ends, or NULL. */
static const char *past_tag(const char *s)
{
	if (!strncmp(s, "W/", 2))
		s += 2;
	if (*s != '"')
		return NULL;
	for (s++; *s && *s != '"'; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return NULL;
	return *s ? s + 1 : NULL;
}

static int same_tag(const char *a, size_t size, const char *b, int is_strong)
{
	int is_weak = !strncmp(a, "W/", 2);

	if (is_weak) {
		a += 2;
		size -= 2;
	}
	if (!strncmp(b, "W/", 2)) {
		is_weak = 1;
		b += 2;
	}
	return !(is_weak && is_strong) && strlen(b) == size &&
	       !memcmp(a, b, size);
}

int tags_have(const char *list, const char *tag, int is_strong)
{
	const char *end;

	list += strspn(list, " \t");
	if (*list == '*')
		return !list[1 + strspn(list + 1, " \t")];
	for (list += strspn(list, " \t,"); *list;
	     list = end + strspn(end, " \t,")) {
		end = past_tag(list);
		if (!end || (*end && !strchr(" \t,", *end)))
			return 0;
		if (same_tag(list, (size_t)(end - list), tag, is_strong))
			return 1;
	}
	return 0;
}

int condition_has(const struct request *rq, const char *field,
		  const char *tag, int is_strong)
{
	size_t i;

	for (i = 0; i < rq->field_count; i++)
		if (!strcasecmp(rq->fields[i].name, field) &&
		    tags_have(rq->fields[i].value, tag, is_strong))
			return 1;
	return 0;
}

void tag_coded(const char *tag, enum coding c, char out[TAG_SIZE])
{
	if (c == CODING_IDENTITY)
		snprintf(out, TAG_SIZE, "%s", tag);
	else
		snprintf(out, TAG_SIZE, "%.*s-%s\"", (int)strlen(tag) - 1, tag,
			 coding_names[c]);
}

int condition_known(const struct request *rq, const char *tag,
		    char out[TAG_SIZE])
{
	enum coding order[CODINGS];
	size_t n, i;

	if (!request_field(rq, "If-None-Match"))
		return 0;
	n = accept_of(rq, order);
	for (i = 0; i < n; i++) {
		tag_coded(tag, order[i], out);
		if (condition_has(rq, "If-None-Match", out, 0))
			return 1;
	}
	return 0;
}

int date_parse(const char *text, int64_t *out)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %e %H:%M:%S %Y"};
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*out = timegm(&tm);
			return 0;
		}
	}
	return -1;
}

void date_format(int64_t seconds, char out[DATE_SIZE])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	*out = '\0';
	if (gmtime_r(&t, &tm))
		strftime(out, DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}
