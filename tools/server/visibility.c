#include "visibility.h"

int visibility_is_listed(struct exchange *x, const char *id)
{
	(void)x;
	(void)id;
	return 1;
}
