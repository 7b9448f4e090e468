/* getter.c - one get in a process of its own, for the peer that this is
 * compiled for: PEER. What it prints is in bench.h at struct peer. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Of this program alone: what rusage has counts the parent before exec. A
 * peer that lies in a child has come to its end. */
static unsigned long peak_bytes(void)
{
	unsigned long kib = 0;
	struct rusage child;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmHWM:", 6))
			kib = strtoul(line + 6, NULL, 10);
	if (f)
		fclose(f);
	if (!getrusage(RUSAGE_CHILDREN, &child) &&
	    (unsigned long)child.ru_maxrss > kib)
		kib = (unsigned long)child.ru_maxrss;
	return kib * 1024;
}

int main(int argc, char **argv)
{
	static const struct peer_options none;
	struct answer a = {0};
	int64_t cpu = cpu_ns();
	void *client;

	if (argc != 4)
		return 2;
	client = PEER.open(&PEER, argv[1], &none);
	cpu = cpu_ns() - cpu;
	if (!client || PEER.get(client, argv[2], argv[3], &a) < 0 ||
	    !a.manifest)
		return 1;
	PEER.close(client);
	printf("%lu %lld %zu %zu\n", peak_bytes(), (long long)cpu,
	       a.manifest_size, a.metadata_size);
	fflush(stdout);
	fwrite(a.manifest, 1, a.manifest_size, stdout);
	fwrite(a.metadata, 1, a.metadata_size, stdout);
	if (a.release)
		a.release(a.owner);
	return fflush(stdout) ? 1 : 0;
}
