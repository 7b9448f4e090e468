/* fuzz_vkey.c - verifier keys. */
#include "fuzz.h"

FUZZ(again_vkey)
