#include "fail.h"

#undef pk_fail
#undef pk_fail_sys
#undef pk_fail_nomem

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int fill(struct pakhus_error *err, int status, int sys, const char *fmt,
		va_list ap)
{
	size_t n;

	if (!err || err->status)
		return status;
	err->status = status;
	err->sys = sys;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	n = strlen(err->text);
	if (sys && n < sizeof(err->text)) {
		char why[128];

		/* the GNU form: it never fails and is safe in threads */
		snprintf(err->text + n, sizeof(err->text) - n, ": %s",
			 strerror_r(sys, why, sizeof(why)));
	}
	return status;
}

int pk_fail(struct pakhus_error *err, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, status, 0, fmt, ap);
	va_end(ap);
	return status;
}

static int status_of(int sys)
{
	switch (sys) {
	case EACCES:
	case EPERM:
	case EROFS:
		return PAKHUS_EDENIED;
	case ENOMEM:
		return PAKHUS_ENOMEM;
	case ENOENT:
	case ENOTDIR:
		return PAKHUS_ENOTFOUND;
	default:
		return PAKHUS_ESYS;
	}
}

int pk_fail_sys(struct pakhus_error *err, const char *fmt, ...)
{
	int sys = errno, status = status_of(sys);
	va_list ap;

	va_start(ap, fmt);
	fill(err, status, sys, fmt, ap);
	va_end(ap);
	return status;
}

int pk_fail_nomem(struct pakhus_error *err)
{
	return pk_fail(err, PAKHUS_ENOMEM, "out of memory");
}

void pk_error_init(struct pakhus_error *err)
{
	if (!err)
		return;
	err->status = err->sys = 0;
	err->text[0] = '\0';
}
