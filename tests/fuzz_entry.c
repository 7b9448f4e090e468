/* fuzz_entry.c - log entries. */
#include "fuzz.h"

FUZZ(again_entry)
