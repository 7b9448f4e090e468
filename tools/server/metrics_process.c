/* metrics_process.c - the process, by the names that Prometheus' own clients
 * give it. What cannot be read is left out. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "metrics.h"

static void put_memory(struct text *t)
{
	unsigned long long size, resident;
	FILE *f = fopen("/proc/self/statm", "re");
	double page = (double)sysconf(_SC_PAGESIZE);

	if (!f)
		return;
	if (fscanf(f, "%llu %llu", &size, &resident) == 2) {
		metrics_put_one(t, "process_virtual_memory_bytes", "gauge",
				"Virtual memory in bytes.",
				(double)size * page);
		metrics_put_one(t, "process_resident_memory_bytes", "gauge",
				"Resident memory in bytes.",
				(double)resident * page);
	}
	fclose(f);
}

static void put_descriptors(struct text *t)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	struct rlimit limit;
	int n = -1; /* the directory's own */

	if (dir) {
		while ((entry = readdir(dir)))
			n += *entry->d_name != '.';
		closedir(dir);
		metrics_put_one(t, "process_open_fds", "gauge",
				"Open file descriptors.", n);
	}
	if (!getrlimit(RLIMIT_NOFILE, &limit) &&
	    limit.rlim_cur != RLIM_INFINITY)
		metrics_put_one(t, "process_max_fds", "gauge",
				"The most file descriptors that may be open.",
				(double)limit.rlim_cur);
}

void metrics_put_process(struct text *t)
{
	struct timespec ts;

	if (!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts))
		metrics_put_one(t, "process_cpu_seconds_total", "counter",
				"Processor time spent, in seconds.",
				(double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
	put_memory(t);
	put_descriptors(t);
}
