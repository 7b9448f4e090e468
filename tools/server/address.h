/* address.h - where a server listens, and who may speak for others.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "pakhus.h"

enum { ADDRESS_MAX = 160, PEER_MAX = 64 };

/* A socket that listens at text: HOST:PORT, [V6]:PORT, :PORT (every address)
 * or unix:PATH; port 0 is one that is free. NULL: the one that systemd passed
 * (LISTEN_FDS). name becomes what it is bound to, in the same form. Below 0 is
 * a status: *err says why. */
int address_listen(const char *text, char name[ADDRESS_MAX],
		   struct pakhus_error *err);
/* Whether text has one of these forms. */
int address_is_formed(const char *text);
/* Whether systemd passed a socket. */
int address_is_passed(void);
/* Takes away the file of a unix socket. */
void address_remove(const char *name);

/* A client's address without its port; "unix" for one of this host. */
void address_peer(const struct sockaddr *sa, char out[PEER_MAX]);

/* Networks: ADDRESS[/BITS] or unix, with commas between. 1, 0, or -1: that is
 * none. */
int address_is_in(const char *networks, const char *peer);

#endif
