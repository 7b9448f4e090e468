/* crypto.c - see crypto.h.
 *
 * Node exports the symbols of the OpenSSL that it was built with, which is
 * 3.0 in Node 18 to 22, 3.5 in Node 24, the system's in a distribution's
 * Node, and none or BoringSSL in other runtimes. What is used here works with
 * each of the first three, but whoever starts Node can give its copy another
 * configuration and other providers (--openssl-config, FIPS), and signing a
 * log must not depend on that. So the addon has a copy of its own, linked
 * statically and with its symbols hidden: the two do not meet. It reads no
 * configuration, and does not clean up at exit(), when calls may still run on
 * other threads.
 */
#include "crypto.h"

#include <openssl/crypto.h>

int crypto_init(void)
{
	return !OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
					    OPENSSL_INIT_NO_ATEXIT,
				    NULL);
}
