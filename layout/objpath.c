#include "objpath.h"
#include "hex.h"

void pk_objpath(const unsigned char hash[PK_HASH_SIZE],
		char out[PK_OBJPATH_SIZE])
{
	memcpy(out, "objects/", 8);
	pk_hex(hash, 1, out + 8);
	out[10] = '/';
	pk_hex(hash + 1, PK_HASH_SIZE - 1, out + 11);
}

int pk_objpath_parse(const char *path, unsigned char hash[PK_HASH_SIZE])
{
	size_t n = strlen(path);

	if (n < PK_HEX_SIZE + 1)
		return -1;
	n -= PK_HEX_SIZE + 1;
	if (n && path[n - 1] != '/') /* xab/… is no directory of F-11 */
		return -1;
	path += n;
	if (path[2] != '/' || pk_unhex(path, hash, 1))
		return -1;
	return pk_unhex(path + 3, hash + 1, PK_HASH_SIZE - 1);
}
