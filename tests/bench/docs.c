/* docs.c - the documents that are published: packages that evolve, made from
 * a seed, and histories read from files.
 *
 * A generated package is a list of units (fields, views, flows, records). A
 * new version draws a few of them anew, and everything else stays as it was;
 * what a unit says comes from package, unit and how often it was drawn. The
 * words, the habits of ObjectStack's own build (defaults spelled out, long
 * runs of the same keys) and the sizes are meant to compress about as real
 * packages do.
 */
#include "bench.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define OBJECTS 10
#define FIELDS 13 /* of an object */
#define VIEWS 12
#define FLOWS 8
#define RECORDS 48
#define UNITS (OBJECTS * FIELDS + VIEWS + FLOWS + RECORDS)
#define EPOCH 1600000000

const char *const doc_kinds[DOCS_KINDS] = {"generated", "small"};

static const char *const words[] = {
	"account",    "active",	  "activity",  "address",     "agent",
	"agreement",  "amount",	  "annual",    "approval",    "article",
	"asset",      "assignee", "audit",     "balance",     "batch",
	"billing",    "board",	  "branch",    "budget",      "calendar",
	"campaign",   "carrier",  "case",      "category",    "channel",
	"claim",      "client",	  "close",     "code",	      "comment",
	"commission", "company",  "contact",   "contract",    "cost",
	"country",    "coupon",	  "credit",    "currency",    "customer",
	"date",	      "deal",	  "default",   "delivery",    "department",
	"deposit",    "device",	  "discount",  "document",    "duration",
	"email",      "employee", "end",       "escalation",  "estimate",
	"event",      "expected", "expense",   "external",    "feedback",
	"field",      "final",	  "forecast",  "gateway",     "goal",
	"grade",      "group",	  "history",   "holiday",     "image",
	"import",     "incident", "industry",  "initial",     "inspection",
	"insurance",  "interest", "inventory", "invoice",     "issue",
	"item",	      "journal",  "label",     "language",    "lead",
	"leave",      "ledger",	  "level",     "license",     "limit",
	"line",	      "link",	  "list",      "loan",	      "location",
	"machine",    "manager",  "margin",    "market",      "material",
	"meeting",    "member",	  "message",   "method",      "milestone",
	"mobile",     "model",	  "module",    "month",	      "name",
	"network",    "note",	  "notice",    "number",      "objective",
	"offer",      "office",	  "operation", "opportunity", "option",
	"order",      "owner",	  "package",   "parent",      "partner",
	"payment",    "payroll",  "period",    "permit",      "phase",
	"phone",      "pipeline", "plan",      "policy",      "position",
	"price",      "priority", "process",   "product",     "profile",
	"project",    "purchase", "quality",   "quantity",    "quarter",
	"question",   "quota",	  "quote",     "rate",	      "reason",
	"receipt",    "record",	  "reference", "refund",      "region",
	"reminder",   "renewal",  "rent",      "report",      "request",
	"resource",   "response", "result",    "return",      "revenue",
	"review",     "risk",	  "role",      "route",	      "salary",
	"sales",      "sample",	  "schedule",  "scope",	      "score",
	"season",     "section",  "segment",   "service",     "session",
	"severity",   "shift",	  "shipment",  "signature",   "site",
	"skill",      "source",	  "stage",     "start",	      "status",
	"stock",      "store",	  "street",    "subject",     "supplier",
	"support",    "survey",	  "target",    "task",	      "tax",
	"team",	      "template", "term",      "territory",   "ticket",
	"time",	      "title",	  "topic",     "total",	      "tracking",
	"training",   "transfer", "travel",    "type",	      "unit",
	"update",     "user",	  "value",     "vendor",      "vehicle",
	"visit",      "volume",	  "wallet",    "warehouse",   "warranty",
	"week",	      "weight",	  "workflow",  "year",	      "zone",
};
#define WORDS (sizeof(words) / sizeof(*words))

static const char *const signs[] = {
	"客户", "联系", "订单", "产品",	  "价格",   "状态", "日期", "名称",
	"类型", "数量", "金额", "备注",	  "负责人", "部门", "合同", "发票",
	"地址", "电话", "阶段", "优先级", "描述",   "创建", "更新", "审批",
};
static const char *const types[] = {"text",   "textarea", "number", "currency",
				    "select", "lookup",	  "date",   "boolean"};

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return random_next(state) % limit;
}

/* ---- A text that grows ---- */

struct text {
	char *at;
	size_t size, room;
};

static void reserve(struct text *t, size_t more)
{
	if (t->room - t->size > more)
		return;
	t->room = (t->room + more) * 2;
	t->at = must(realloc(t->at, t->room));
}

static void put(struct text *t, const char *s)
{
	size_t n = strlen(s);

	reserve(t, n);
	memcpy(t->at + t->size, s, n + 1);
	t->size += n;
}

__attribute__((format(printf, 2, 3))) static void putf(struct text *t,
						       const char *fmt, ...)
{
	va_list ap;

	reserve(t, 1024);
	va_start(ap, fmt);
	t->size += (size_t)vsnprintf(t->at + t->size, 1024, fmt, ap);
	va_end(ap);
}

/* count words: with a capital each and spaces, or small with sep. */
static void put_words(struct text *t, uint64_t *r, unsigned count, char sep)
{
	for (unsigned i = 0; i < count; i++) {
		size_t at = t->size + (i > 0);

		if (i)
			putf(t, "%c", sep == 'T' ? ' ' : sep);
		put(t, words[random_below(r, WORDS)]);
		if (sep == 'T')
			t->at[at] = (char)(t->at[at] - 'a' + 'A');
	}
}

static void put_sentence(struct text *t, uint64_t *r)
{
	size_t at = t->size;

	put_words(t, r, 4 + (unsigned)random_below(r, 7), ' ');
	t->at[at] = (char)(t->at[at] - 'a' + 'A');
	put(t, ".");
}

/* ---- Units ---- */

struct made {
	struct text t;
	uint64_t package;
	uint16_t drawn[UNITS];
};

/* What never changes of a unit, and what does with each draw. */
static uint64_t seed_of(const struct made *m, unsigned unit, int drawn)
{
	uint64_t s = m->package * 100003 + unit;

	random_next(&s);
	return s + (drawn ? m->drawn[unit] * 7919U : 0U);
}

static void put_name(struct made *m, unsigned unit)
{
	uint64_t r = seed_of(m, unit, 0);

	put_words(&m->t, &r, 2, '_');
	putf(&m->t, "_%u", unit);
}

static void put_object_name(struct made *m, unsigned object)
{
	put_name(m, object % OBJECTS * FIELDS);
}

static const char *truth(uint64_t *r)
{
	return random_below(r, 6) ? "false" : "true";
}

static void put_field(struct made *m, unsigned unit)
{
	uint64_t r = seed_of(m, unit, 0), d = seed_of(m, unit, 1);
	unsigned type = (unsigned)random_below(&r, 8);
	struct text *t = &m->t;

	put(t, "\"");
	put_name(m, unit);
	put(t, "\":{\"label\":\"");
	put_words(t, &d, 2, 'T');
	putf(t,
	     "\",\"type\":\"%s\",\"required\":%s,\"searchable\":%s,"
	     "\"multiple\":false,\"unique\":%s,",
	     types[type], truth(&r), truth(&r), truth(&r));
	if (type < 2)
		putf(t, "\"maxLength\":%u,",
		     16U << (unsigned)random_below(&r, 6));
	if (type == 4) {
		put(t, "\"options\":[");
		for (unsigned i = 0; i < 4; i++) {
			uint64_t both = r;

			put(t, i ? ",{\"label\":\"" : "{\"label\":\"");
			put_words(t, &r, 1, 'T');
			put(t, "\",\"value\":\"");
			put_words(t, &both, 1, '_');
			put(t, "\"}");
		}
		put(t, "],");
	}
	if (type == 5) {
		put(t, "\"reference\":\"");
		put_object_name(m, (unsigned)random_below(&r, OBJECTS));
		put(t, "\",");
	}
	if (!random_below(&r, 3)) {
		put(t, "\"description\":\"");
		put_sentence(t, &d);
		put(t, "\",");
	}
	putf(t,
	     "\"deleteBehavior\":\"set_null\",\"auditTrail\":%s,"
	     "\"hidden\":false,\"readonly\":%s,\"sortable\":true,"
	     "\"index\":%s,\"externalId\":false}",
	     truth(&r), truth(&r), truth(&r));
}

static void put_view(struct made *m, unsigned unit)
{
	uint64_t r = seed_of(m, unit, 0), d = seed_of(m, unit, 1);
	unsigned object = (unsigned)random_below(&r, OBJECTS);
	struct text *t = &m->t;

	put(t, "{\"list\":{\"label\":\"");
	put_words(t, &d, 3, 'T');
	put(t, "\",\"type\":\"grid\",\"data\":{\"provider\":\"object\","
	       "\"object\":\"");
	put_object_name(m, object);
	put(t, "\"},\"columns\":[");
	for (unsigned i = 0; i < 7; i++) {
		put(t, i ? ",{\"field\":\"" : "{\"field\":\"");
		put_name(m,
			 object * FIELDS +
				 (unsigned)(i + random_below(&d, FIELDS - 7)));
		put(t, "\"}");
	}
	putf(t,
	     "]},\"formViews\":{\"default\":{\"type\":\"simple\","
	     "\"sections\":[{\"label\":\"Information\",\"columns\":%u}]}}}",
	     1 + (unsigned)random_below(&d, 3));
}

static void put_flow(struct made *m, unsigned unit)
{
	uint64_t r = seed_of(m, unit, 0), d = seed_of(m, unit, 1);
	struct text *t = &m->t;

	put(t, "{\"name\":\"");
	put_name(m, unit);
	put(t, "\",\"label\":\"");
	put_words(t, &r, 3, 'T');
	put(t, "\",\"description\":\"");
	put_sentence(t, &d);
	put(t, "\",\"version\":1,\"status\":\"draft\",\"template\":false,"
	       "\"type\":\"autolaunched\",\"nodes\":[");
	for (unsigned i = 0; i < 5; i++) {
		uint64_t *from = i == 2 ? &d : &r;

		putf(t, "%s{\"id\":\"n%u\",\"type\":\"script\",\"label\":\"",
		     i ? "," : "", i);
		put_words(t, from, 3, 'T');
		put(t, "\",\"config\":{\"objectName\":\"");
		put_object_name(m, (unsigned)random_below(&r, OBJECTS));
		put(t, "\",\"condition\":\"");
		put_words(t, from, 2, '_');
		putf(t, " == \\\"%s\\\" && previous.",
		     words[random_below(from, WORDS)]);
		put_words(t, from, 2, '_');
		putf(t, " > %u\",\"source\":\"\\n    const input = ctx.input;",
		     (unsigned)random_below(from, 100000));
		putf(t, "\\n    if (input.%s) input.%s = %u;\\n\"}}",
		     words[random_below(from, WORDS)],
		     words[random_below(from, WORDS)],
		     (unsigned)random_below(from, 1000));
	}
	put(t, "],\"edges\":[");
	for (unsigned i = 0; i < 4; i++)
		putf(t,
		     "%s{\"id\":\"e%u\",\"source\":\"n%u\",\"target\":\"n%u\","
		     "\"type\":\"default\",\"isDefault\":false}",
		     i ? "," : "", i, i, i + 1);
	put(t, "]}");
}

static void put_record(struct made *m, unsigned unit)
{
	uint64_t r = seed_of(m, unit, 0), d = seed_of(m, unit, 1);
	struct text *t = &m->t;

	put(t, "{\"name\":\"");
	put_words(t, &r, 2, 'T');
	putf(t,
	     "\",\"email\":\"user%06x@example.com\",\"amount\":%u.%u,"
	     "\"phone\":\"+1 %03u %07u\",\"due\":\"20%02u-%02u-%02u\","
	     "\"note\":\"",
	     (unsigned)random_below(&r, 1 << 24),
	     (unsigned)random_below(&d, 1000000),
	     1 + (unsigned)random_below(&d, 9),
	     (unsigned)random_below(&r, 1000),
	     (unsigned)random_below(&r, 10000000),
	     20 + (unsigned)random_below(&d, 10),
	     1 + (unsigned)random_below(&d, 12),
	     1 + (unsigned)random_below(&d, 28));
	put_sentence(t, &d);
	put(t, "\"}");
}

static void put_translations(struct made *m)
{
	struct text *t = &m->t;

	put(t, "{\"zh-CN\":{\"fields\":{");
	for (unsigned u = 0; u < OBJECTS * FIELDS; u++) {
		uint64_t r = seed_of(m, u, 1);

		put(t, u ? ",\"" : "\"");
		put_name(m, u);
		put(t, "\":{\"label\":\"");
		for (unsigned i = 0; i < 2; i++)
			put(t, signs[random_below(&r, 24)]);
		put(t, "\"}");
	}
	put(t, "}}}");
}

static void put_metadata(struct made *m)
{
	struct text *t = &m->t;
	unsigned u = 0;

	put(t, "{\"objects\":[");
	for (unsigned o = 0; o < OBJECTS; o++) {
		put(t, o ? ",{\"name\":\"" : "{\"name\":\"");
		put_object_name(m, o);
		put(t, "\",\"active\":true,\"isSystem\":false,"
		       "\"abstract\":false,\"datasource\":\"default\","
		       "\"fields\":{");
		for (unsigned f = 0; f < FIELDS; f++) {
			if (f)
				put(t, ",");
			put_field(m, u++);
		}
		put(t, "}}");
	}
	put(t, "],\"views\":[");
	for (unsigned i = 0; i < VIEWS; i++) {
		if (i)
			put(t, ",");
		put_view(m, u++);
	}
	put(t, "],\"flows\":[");
	for (unsigned i = 0; i < FLOWS; i++) {
		if (i)
			put(t, ",");
		put_flow(m, u++);
	}
	put(t, "],\"data\":[");
	for (unsigned i = 0; i < RECORDS; i++) {
		if (i)
			put(t, ",");
		put_record(m, u++);
	}
	put(t, "],\"translations\":[");
	put_translations(m);
	put(t, "]}");
}

static void draw(struct made *m, uint64_t version)
{
	for (uint64_t v = 1; v <= version; v++) {
		uint64_t r = m->package * 1000003 + v;
		uint64_t n = 4 + random_below(&r, 16);

		while (n--)
			m->drawn[random_below(&r, UNITS)]++;
	}
}

/* ---- Documents ---- */

void doc_make(struct doc *out, enum doc_kind kind, uint64_t package,
	      uint64_t version)
{
	struct made m = {.package = package};
	uint64_t r = package * 31 + (uint64_t)kind + 17;
	size_t at, mid;

	*out = (struct doc){.created = EPOCH + (int64_t)version * 3600};
	snprintf(out->id, sizeof(out->id), "com.%s.%s%llu",
		 words[random_below(&r, WORDS)], words[random_below(&r, WORDS)],
		 (unsigned long long)package);
	snprintf(out->version, sizeof(out->version), "1.%llu.0",
		 (unsigned long long)version);
	put(&m.t, "{\"manifest\":");
	at = m.t.size;
	putf(&m.t, "{\"id\":\"%s\",\"version\":\"%s\",\"type\":\"app\",",
	     out->id, out->version);
	put(&m.t, "\"name\":\"");
	put_words(&m.t, &r, 2, 'T');
	put(&m.t, "\",\"description\":\"");
	put_sentence(&m.t, &r);
	put(&m.t, "\"}");
	mid = m.t.size;
	put(&m.t, ",\"metadata\":");
	if (kind == DOCS_GENERATED) {
		draw(&m, version);
		put_metadata(&m);
	} else {
		put(&m.t, "{\"objects\":[{\"name\":\"");
		put_words(&m.t, &r, 2, '_');
		r += version;
		putf(&m.t, "\",\"revision\":%u,\"label\":\"",
		     (unsigned)random_below(&r, 1000000));
		put_words(&m.t, &r, 3, 'T');
		put(&m.t, "\"}]}");
	}
	out->metadata_size = m.t.size;
	put(&m.t, "}");
	out->text = m.t.at;
	out->size = m.t.size;
	out->manifest = out->text + at;
	out->manifest_size = mid - at;
	out->metadata =
		out->manifest + out->manifest_size + strlen(",\"metadata\":");
	out->metadata_size -= (size_t)(out->metadata - out->text);
}

void doc_nth(struct doc *out, enum doc_kind kind, uint64_t n, uint64_t total)
{
	uint64_t packages = total / VERSIONS_EACH + !!(total % VERSIONS_EACH);

	doc_make(out, kind, n % packages, n / packages);
}

void doc_release(struct doc *doc)
{
	free(doc->text);
	doc->text = NULL;
}

void docs_make(struct docs *out, enum doc_kind kind, uint64_t first,
	       size_t count, uint64_t total)
{
	*out = (struct docs){.count = count};
	out->items = must(calloc(count + 1, sizeof(*out->items)));
	for (size_t i = 0; i < count; i++) {
		doc_nth(&out->items[i], kind, first + i, total);
		out->bytes += out->items[i].size;
	}
}

void docs_release(struct docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		doc_release(&docs->items[i]);
	free(docs->items);
	*docs = (struct docs){0};
}

/* ---- Histories from files ---- */

/* Behind the value that starts at p. */
static const char *skip_value(const char *p)
{
	unsigned depth = 0;

	do {
		if (*p == '"') {
			for (p++; *p && *p != '"'; p++)
				p += *p == '\\' && p[1];
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
		p += !!*p;
	} while (*p && (depth || !strchr(",}]", *p)));
	return p;
}

/* The string member of an object's text, without its quotes; none of these
 * has escapes in it. */
static void member(char *out, size_t room, const char *object, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = object + 1; *p == '"'; p += *p == ',') {
		const char *end = skip_value(p), *value;

		value = strchr(p + 1, '"') + 2;
		if (!strncmp(p + 1, key, n) && p[n + 1] == '"')
			snprintf(out, room, "%.*s",
				 (int)(strcspn(value + 1, "\"")), value + 1);
		p = end;
	}
}

static void add_line(struct docs *out, const char *line, size_t size,
		     int64_t created)
{
	static const char head[] = "{\"manifest\":";
	struct doc *d;

	out->items = must(
		realloc(out->items, (out->count + 1) * sizeof(*out->items)));
	d = &out->items[out->count++];
	*d = (struct doc){.size = size, .created = created};
	d->text = must(strndup(line, size));
	d->manifest = d->text + strlen(head);
	d->manifest_size = (size_t)(skip_value(d->manifest) - d->manifest);
	d->metadata = d->manifest + d->manifest_size + strlen(",\"metadata\":");
	d->metadata_size = (size_t)(skip_value(d->metadata) - d->metadata);
	member(d->id, sizeof(d->id), d->manifest, "id");
	member(d->version, sizeof(d->version), d->manifest, "version");
	out->bytes += size;
}

static void load_file(struct docs *out, const char *path, uint64_t limit)
{
	FILE *f = fopen(path, "rb");
	struct text z = {0}, t = {0};
	ZSTD_inBuffer in;
	ZSTD_DCtx *ctx = must(ZSTD_createDCtx());
	int64_t created = EPOCH;
	char *line, *end;
	size_t n;

	if (!f)
		return;
	do {
		reserve(&z, 1 << 16);
		n = fread(z.at + z.size, 1, 1 << 16, f);
		z.size += n;
	} while (n);
	fclose(f);
	in = (ZSTD_inBuffer){z.at, z.size, 0};
	do {
		ZSTD_outBuffer o;

		reserve(&t, 1 << 17);
		o = (ZSTD_outBuffer){t.at, t.room - 1, t.size};
		n = ZSTD_decompressStream(ctx, &o, &in);
		t.size = o.pos;
	} while (n && !ZSTD_isError(n) && (in.pos < in.size || t.size > 0));
	ZSTD_freeDCtx(ctx);
	t.at[t.size] = 0;
	for (line = t.at;
	     (end = strchr(line, '\n')) && (!limit || out->count < limit);
	     line = end + 1)
		add_line(out, line, (size_t)(end - line), created += 3600);
	free(z.at);
	free(t.at);
}

static int is_history(const struct dirent *e)
{
	size_t n = strlen(e->d_name), tail = strlen(".jsonl.zst");

	return n > tail && !strcmp(e->d_name + n - tail, ".jsonl.zst");
}

void docs_load(struct docs *out, const char *dir, uint64_t limit)
{
	struct dirent **names = NULL;
	int n = dir ? scandir(dir, &names, is_history, alphasort) : 0;
	char path[4096];

	*out = (struct docs){0};
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (!limit || out->count < limit)
			load_file(out, path, limit);
		free(names[i]);
	}
	free(names);
}
