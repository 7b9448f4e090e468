#include "tar.h"

#include <stdio.h>

#define MODE 100
#define OWNER 108
#define GROUP 116
#define SIZE 124
#define TIME 136
#define SUM 148
#define SUM_SIZE 8
#define TYPE 156
#define MAGIC 257
#define MAGIC_SIZE 8
#define DEVICE 329

static const char magic[MAGIC_SIZE] = { 'u', 's', 't', 'a', 'r', 0, '0', '0' };

/* POSIX: the bytes' sum, those of the sum itself counting as spaces. */
static void put_sum(const unsigned char *block, char out[SUM_SIZE])
{
	unsigned sum = SUM_SIZE * ' ';

	for (int i = 0; i < PK_TAR_BLOCK; i++)
		if (i < SUM || i >= SUM + SUM_SIZE)
			sum += block[i];
	sprintf(out, "%06o", sum & 0777777);
	out[SUM_SIZE - 1] = ' ';
}

void pk_tar_encode(const struct pk_tar *t, unsigned char out[PK_TAR_BLOCK])
{
	char digits[16];

	memset(out, 0, PK_TAR_BLOCK);
	memcpy(out, t->name, strnlen(t->name, PK_TAR_NAME - 1));
	memcpy(out + MODE, "0000444", 7);
	memcpy(out + OWNER, "0000000", 7);
	memcpy(out + GROUP, "0000000", 7);
	snprintf(digits, sizeof(digits), "%011llo",
		 (unsigned long long)(t->size & PK_TAR_SIZE_MAX));
	memcpy(out + SIZE, digits, 11);
	memcpy(out + TIME, "00000000000", 11);
	out[TYPE] = '0';
	memcpy(out + MAGIC, magic, MAGIC_SIZE);
	memcpy(out + DEVICE, "0000000", 7);
	memcpy(out + DEVICE + 8, "0000000", 7);
	put_sum(out, digits);
	memcpy(out + SUM, digits, SUM_SIZE);
}

/* A name that leads nowhere but below where it is unpacked. */
static int is_plain(const char *name)
{
	const char *part = name;

	for (;; name++) {
		size_t n = (size_t)(name - part);

		if (*name && *name != '/') {
			if (*name <= ' ' || *name > '~')
				return 0;
			continue;
		}
		if (!n || (n <= 2 && !memcmp(part, "..", n)))
			return 0;
		if (!*name)
			return 1;
		part = name + 1;
	}
}

const char *pk_tar_decode(const unsigned char in[PK_TAR_BLOCK],
			  struct pk_tar *t)
{
	unsigned char again[PK_TAR_BLOCK];
	char sum[SUM_SIZE];

	put_sum(in, sum);
	if (memcmp(in + SUM, sum, SUM_SIZE))
		return "F-80 the header's checksum is wrong";
	if (memcmp(in + MAGIC, magic, MAGIC_SIZE))
		return "F-80 is not a ustar header";
	if (in[TYPE] != '0')
		return "F-80 is a link, a directory or an extension, no "
		       "regular file";
	if (in[PK_TAR_NAME - 1])
		return "F-80 the name is longer than 99 bytes";
	memcpy(t->name, in, PK_TAR_NAME);
	if (!is_plain(t->name))
		return "F-80 the name does not lead to a place below";
	t->size = 0;
	for (int i = 0; i < 11; i++) {
		unsigned char c = in[SIZE + i];

		if (c < '0' || c > '7')
			return "F-80 the size is not eleven octal digits";
		t->size = t->size << 3 | (uint64_t)(c - '0');
	}
	/* what is left, and the whole, has one spelling */
	pk_tar_encode(t, again);
	if (memcmp(again, in, PK_TAR_BLOCK))
		return "F-80 mode, owner, time or something else is not as in "
		       "every bundle";
	return NULL;
}

int pk_tar_is_end(const unsigned char in[PK_TAR_BLOCK])
{
	static const unsigned char zeros[PK_TAR_BLOCK];

	return !memcmp(in, zeros, PK_TAR_BLOCK);
}

size_t pk_tar_padding(uint64_t size)
{
	return (size_t)(-size & (PK_TAR_BLOCK - 1));
}
