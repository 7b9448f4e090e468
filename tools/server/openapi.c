/* openapi.c - openapi.json, in the program. */
#include "openapi.h"

__asm__(".section .rodata\n"
	".global openapi_json, openapi_size\n"
	".hidden openapi_json, openapi_size\n"
	".type openapi_json, %object\n"
	".type openapi_size, %object\n"
	"openapi_json:\n"
	".incbin \"tools/server/openapi.json\"\n"
	"0:\n"
	".size openapi_json, 0b - openapi_json\n"
	".balign 8\n"
	"openapi_size:\n"
	".quad 0b - openapi_json\n"
	".size openapi_size, 8\n"
	".previous\n");
