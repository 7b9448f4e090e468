#include "entry.h"
#include "hex.h"
#include "utf8.h"

#include <assert.h>

#define EXACT_MAX ((UINT64_C(1) << 53) - 1) /* F-22: exact in a double */

const char pk_entry_newer[] = "F-24 an op that this program does not know";

enum kind { TEXT, HASH, NUMBER };

struct field {
	const char *key;
	enum kind kind;
	unsigned short at, max; /* offset in struct pk_entry; longest text */
	unsigned char min;	/* shortest text */
};

#define AT(member) offsetof(struct pk_entry, member)
static const struct field ID = { "id", TEXT, AT(id), PK_ID_MAX, 1 };
static const struct field VERSION = { "version", TEXT, AT(version),
				      PK_VERSION_MAX, 1 };
static const struct field ANY_VERSION = { "version", TEXT, AT(version),
					  PK_VERSION_MAX, 0 };
static const struct field DIGEST = { "hash", HASH, AT(hash), 0, 0 };
static const struct field FORMAT = { "format", HASH, AT(hash), 0, 0 };
static const struct field MANIFEST = { "manifest_size", NUMBER,
				       AT(manifest_size), 0, 0 };
static const struct field METADATA = { "metadata_size", NUMBER,
				       AT(metadata_size), 0, 0 };
static const struct field SIZE = { "size", NUMBER, AT(size), 0, 0 };
static const struct field FEATURES = { "features", NUMBER, AT(features), 0, 0 };
static const struct field KEY = { "key", TEXT, AT(text), PK_TEXT_MAX, 1 };
static const struct field REASON = { "reason", TEXT, AT(text), PK_TEXT_MAX, 0 };
static const struct field MESSAGE = { "message", TEXT, AT(text), PK_TEXT_MAX,
				      0 };
static const struct field TAG = { "tag", TEXT, AT(tag), PK_VERSION_MAX, 1 };
static const struct field TIME = { "time", NUMBER, AT(time), 0, 0 };
static const struct field BY = { "by", TEXT, AT(by), PK_BY_MAX, 0 };

#define FIELDS_MAX 7
static const struct {
	const char *name;
	const struct field *field[FIELDS_MAX + 1]; /* in order, then NULL */
} ops[PK_OPS] = {
	[PK_OP_KEY] = { "key", { &KEY, &FORMAT, &TIME, &BY } },
	[PK_OP_PUBLISH] = { "publish", { &ID, &VERSION, &DIGEST, &MANIFEST,
					 &METADATA, &TIME, &BY } },
	[PK_OP_DELETE] = { "delete", { &ID, &VERSION, &TIME, &BY } },
	[PK_OP_ATTRS] = { "attrs", { &ID, &ANY_VERSION, &DIGEST, &SIZE, &TIME,
				     &BY } },
	[PK_OP_YANK] = { "yank", { &ID, &VERSION, &REASON, &TIME, &BY } },
	[PK_OP_UNYANK] = { "unyank", { &ID, &VERSION, &TIME, &BY } },
	[PK_OP_TAG] = { "tag", { &ID, &TAG, &ANY_VERSION, &TIME, &BY } },
	[PK_OP_DEPRECATE] = { "deprecate", { &ID, &ANY_VERSION, &MESSAGE, &TIME,
					     &BY } },
	[PK_OP_PURGE] = { "purge", { &ID, &ANY_VERSION, &DIGEST, &REASON, &TIME,
				     &BY } },
	[PK_OP_REQUIRE] = { "require", { &FEATURES, &TIME, &BY } },
};

const char *pk_op_name(enum pk_op op)
{
	return ops[op].name;
}

/* ---- encode ---- */

static char *put(char *out, const char *s)
{
	size_t n = strlen(s);

	memcpy(out, s, n);
	return out + n;
}

static char *put_string(char *out, const char *s)
{
	*out++ = '"';
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			*out++ = '\\';
		*out++ = *s;
	}
	*out++ = '"';
	return out;
}

static char *put_number(char *out, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(out, digits + n, sizeof(digits) - n);
	return out + sizeof(digits) - n;
}

size_t pk_entry_encode(const struct pk_entry *e, char out[PK_ENTRY_MAX])
{
	char *p = put(out, "{\"op\":\"");

	p = put(p, ops[e->op].name);
	*p++ = '"';
	for (int i = 0; ops[e->op].field[i]; i++) {
		const struct field *f = ops[e->op].field[i];
		const void *at = (const char *)e + f->at;

		*p++ = ',';
		p = put_string(p, f->key);
		*p++ = ':';
		if (f->kind == NUMBER) {
			p = put_number(p, *(const uint64_t *)at);
		} else if (f->kind == HASH) {
			*p++ = '"';
			pk_hex(at, PK_HASH_SIZE, p);
			p += PK_HEX_SIZE;
			*p++ = '"';
		} else {
			assert(pk_is_plain(at, strlen(at)));
			p = put_string(p, at);
		}
	}
	*p++ = '}';
	return (size_t)(p - out);
}

/* ---- decode ---- */

struct line {
	const char *at, *end;
};

static int take(struct line *l, const char *s)
{
	size_t n = strlen(s);

	if ((size_t)(l->end - l->at) < n || memcmp(l->at, s, n))
		return -1;
	l->at += n;
	return 0;
}

static int take_string(struct line *l, const struct field *f, char *out)
{
	const char *from = out;

	if (take(l, "\""))
		return -1;
	for (; l->at < l->end && *l->at != '"'; l->at++) {
		if (*l->at == '\\') {
			l->at++;
			if (l->at == l->end ||
			    (*l->at != '"' && *l->at != '\\'))
				return -1;
		}
		if (out - from == f->max)
			return -1;
		*out++ = *l->at;
	}
	*out = '\0';
	if (out - from < f->min || !pk_is_plain(from, (size_t)(out - from)))
		return -1;
	return take(l, "\"");
}

static int take_hash(struct line *l, unsigned char *out)
{
	if (take(l, "\"") || l->end - l->at < PK_HEX_SIZE ||
	    pk_unhex(l->at, out, PK_HASH_SIZE))
		return -1;
	l->at += PK_HEX_SIZE;
	return take(l, "\"");
}

static int take_number(struct line *l, uint64_t *out)
{
	const char *from = l->at;
	uint64_t v = 0;

	while (l->at < l->end && *l->at >= '0' && *l->at <= '9') {
		v = v * 10 + (uint64_t)(*l->at++ - '0');
		if (v > EXACT_MAX)
			return -1;
	}
	if (l->at == from || (*from == '0' && l->at - from > 1))
		return -1;
	*out = v;
	return 0;
}

static int take_op(struct line *l, enum pk_op *op)
{
	for (int i = 0; i < PK_OPS; i++) {
		struct line try = *l;

		if (take(&try, ops[i].name) || take(&try, "\""))
			continue;
		*op = (enum pk_op)i;
		*l = try;
		return 0;
	}
	return -1;
}

const char *pk_entry_decode(const char *line, size_t size, struct pk_entry *e)
{
	struct line l = { line, line + size };

	memset(e, 0, offsetof(struct pk_entry, tag) + 1);
	e->text[0] = '\0';
	if (size > PK_ENTRY_MAX)
		return "F-28 the entry is longer than 8192 bytes";
	if (take(&l, "{\"op\":\""))
		return "F-20 the entry does not begin with its op";
	if (take_op(&l, &e->op))
		return pk_entry_newer;
	for (int i = 0; ops[e->op].field[i]; i++) {
		const struct field *f = ops[e->op].field[i];
		void *at = (char *)e + f->at;

		if (take(&l, ",\"") || take(&l, f->key) || take(&l, "\":"))
			return "F-20 a key is missing, unknown or out of order";
		if (f->kind == NUMBER && take_number(&l, at))
			return "F-22 a number is not a plain integer";
		if (f->kind == HASH && take_hash(&l, at))
			return "F-22 a hash is not 64 hexadecimal digits";
		if (f->kind == TEXT && take_string(&l, f, at))
			return "F-21 a string is too long, empty or not plain";
	}
	if (take(&l, "}") || l.at != l.end)
		return "F-20 something stands behind the last key";
	if (!strcmp(e->version, "latest"))
		return "F-9 a version is called latest";
	return NULL;
}
