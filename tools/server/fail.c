#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int server_fail(struct pakhus_error *err, int status, int sys, const char *fmt,
		...)
{
	char why[128];
	va_list ap;
	size_t n;

	if (!err)
		return status;
	err->status = status;
	err->sys = sys;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	if (sys)
		snprintf(err->text + n, sizeof(err->text) - n, ": %s",
			 strerror_r(sys, why, sizeof(why)));
	return status;
}

int server_status(int sys)
{
	switch (sys) {
	case ENOENT:
	case ENOTDIR:
		return PAKHUS_ENOTFOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return PAKHUS_EDENIED;
	case ENOMEM:
		return PAKHUS_ENOMEM;
	default:
		return PAKHUS_ESYS;
	}
}
