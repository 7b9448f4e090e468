/* sum.h - XXH64, the checksum of what only one host reads.
 *
 * The function is the one zstd frames carry (RFC 8878 3.1.1; xxHash fast
 * digest algorithm, XXH64): a second reader has it already. It finds
 * accidents; against people there is SHA-256.
 */
#ifndef PK_SUM_H
#define PK_SUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t pk_sum(uint64_t seed, const void *bytes, size_t size);

#endif
