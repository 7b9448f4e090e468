/* fuzz_tar.c - a member's header, with the checksum put right: without that
 * nothing behind it would be reached. */
#include "fuzz.h"

#include <stdio.h>

static void put_right(unsigned char *block)
{
	unsigned sum = 8 * ' ';
	char digits[8];

	for (int i = 0; i < PK_TAR_BLOCK; i++)
		sum += i < 148 || i >= 156 ? block[i] : 0;
	snprintf(digits, sizeof(digits), "%06o", sum);
	memcpy(block + 148, digits, 7);
	block[155] = ' ';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char block[PK_TAR_BLOCK];

	fuzz_again(again_tar, bytes, size);
	if (size != PK_TAR_BLOCK)
		return 0;
	memcpy(block, bytes, size);
	put_right(block);
	fuzz_again(again_tar, block, size);
	return 0;
}
