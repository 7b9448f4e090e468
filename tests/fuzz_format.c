/* fuzz_format.c - the file that begins a store. */
#include "fuzz.h"

FUZZ(again_format)
