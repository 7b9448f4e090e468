/* crypto.h - the addon's own copy of libcrypto. */
#ifndef CRYPTO_H
#define CRYPTO_H

/* Before the library is used; not 0 if it cannot be. From any thread, again
 * and again. */
int crypto_init(void);

#endif
