/* aid_entry.c - appends lines to the log of a store at rest as the store
 * would, signed with its key, whether or not this release knows what they
 * mean.
 *
 *	aid_entry STORE LINE...
 */
#include "auto.h"
#include "io.h"
#include "logwrite.h"
#include "tmpfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pakhus_error err;

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "aid_entry: %s\n", err.text);
	exit(1);
}

int main(int argc, char **argv)
{
	static struct pk_keys keys;
	struct pk_log_writer w;
	struct pk_checkpoint c;
	struct pk_signer signer;
	struct pk_format format;
	char note[PK_CHECKPOINT_NOTE], *text;
	size_t size;
	int dir;

	if (argc < 3)
		return 2;
	dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	must(pk_read_file(dir, "FORMAT", PK_FORMAT_SIZE, &text, &size, &err));
	if (pk_format_decode(text, size, &format))
		return 1;
	free(text);
	must(pk_read_file(dir, "local/key", PK_SKEY_SIZE + 1, &text, &size,
			  &err));
	must(pk_signer_decode(text, size - 1, &signer, &err));
	free(text);
	must(pk_log_keys(dir, &keys, &err));
	must(pk_log_checkpoint(dir, format.origin, &keys, &c, &err));
	must(pk_log_open_writer(&w, dir, &c, &err));
	for (int i = 2; i < argc; i++)
		must(pk_log_add(&w, argv[i], strlen(argv[i])));
	must(pk_log_finish(&w, c.root));
	c.size = w.edge.size;
	pk_log_close_writer(&w);
	must(pk_log_sign(&c, &signer, note, &size, &err));
	must(pk_install(dir, "local/last-signed", note, size, 0600, &err));
	must(pk_log_install(dir, note, size, &err));
	return 0;
}
