/* openapi.c - openapi.json, in the program. */
#include "openapi.h"

__asm__(".section .rodata\n"
	".global openapi_json, openapi_json_end\n"
	".hidden openapi_json, openapi_json_end\n"
	".type openapi_json, %object\n"
	".type openapi_json_end, %object\n"
	"openapi_json:\n"
	".incbin \"tools/server/openapi.json\"\n"
	"openapi_json_end:\n"
	".byte 0\n"
	".size openapi_json, openapi_json_end - openapi_json\n"
	".size openapi_json_end, 1\n"
	".previous\n"
	".section .note.GNU-stack,\"\",%progbits\n"
	".previous\n");
