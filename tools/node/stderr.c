/* stderr.c - a stderr that lies inside of the addon.
 *
 * Debian's liblmdb.a is compiled for programs: it reads the variable where
 * only the program itself could have it. The linker gives it this one
 * (--wrap=stderr); LMDB writes to it when an assertion fails.
 */
#include <stdio.h>

extern FILE *__real_stderr;
FILE *__wrap_stderr;

__attribute__((constructor)) static void find_stderr(void)
{
	__wrap_stderr = __real_stderr;
}
