/* fuzz_stick.c - what begins a bundle for a stick, and its members' names. */
#include "fuzz.h"

FUZZ(again_stick, again_member)
