/* listen_tls.c - TLS 1.2 and later, with OpenSSL through libevent. */
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "listen_state.h"

struct tls {
	SSL_CTX *ctx;
	const char *cert, *key;
};

/* In words what OpenSSL says in its own. */
static void explain(int is_key, char *why, size_t size)
{
	unsigned long code = ERR_get_error();

	if (ERR_SYSTEM_ERROR(code))
		snprintf(why, size, "%s", strerror(ERR_GET_REASON(code)));
	else if ((ERR_GET_LIB(code) == ERR_LIB_PEM &&
		  ERR_GET_REASON(code) == PEM_R_NO_START_LINE) ||
		 ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER)
		snprintf(why, size, "no %s in PEM is in it",
			 is_key ? "private key" : "certificate");
	else if (ERR_GET_LIB(code) == ERR_LIB_X509 ||
		 (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		  ERR_GET_REASON(code) == SSL_R_NO_CERTIFICATE_ASSIGNED))
		snprintf(why, size, "not the key of the certificate");
	else
		ERR_error_string_n(code, why, size);
	ERR_clear_error();
}

static SSL_CTX *context(const char *cert, const char *key,
			struct pakhus_error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const char *what = cert;
	char why[160];

	ERR_clear_error();
	if (ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate_chain_file(ctx, cert) == 1) {
		what = key;
		/* of another kind than the certificate's it is taken, and then
		 * no handshake succeeds */
		if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) ==
			    1 &&
		    SSL_CTX_check_private_key(ctx) == 1) {
			/* bodies have a length, so an end that was not said
			 * hides nothing */
			SSL_CTX_set_options(ctx,
					    SSL_OP_NO_RENEGOTIATION |
					    SSL_OP_IGNORE_UNEXPECTED_EOF |
					    SSL_OP_NO_COMPRESSION);
			SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
			return ctx;
		}
	}
	explain(what == key, why, sizeof(why));
	SSL_CTX_free(ctx);
	server_fail(err, PAKHUS_EINVAL, 0, "read %s for TLS: %s", what, why);
	return NULL;
}

struct tls *tls_new(const char *cert, const char *key,
		    struct pakhus_error *err)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls) {
		server_fail_nomem(err);
		return NULL;
	}
	tls->cert = cert;
	tls->key = key;
	tls->ctx = context(cert, key, err);
	if (!tls->ctx) {
		free(tls);
		return NULL;
	}
	return tls;
}

/* Connections keep the context that they began with. */
int tls_reload(struct tls *tls, struct pakhus_error *err)
{
	SSL_CTX *ctx = context(tls->cert, tls->key, err);

	if (!ctx)
		return err->status;
	SSL_CTX_free(tls->ctx);
	tls->ctx = ctx;
	return 0;
}

struct bufferevent *tls_bufferevent(struct tls *tls, struct event_base *base,
				    int fd)
{
	SSL *ssl = SSL_new(tls->ctx);
	struct bufferevent *bev;

	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, fd, ssl,
					     BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

void tls_finish(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl && SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	ERR_clear_error();
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}
