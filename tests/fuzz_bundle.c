/* fuzz_bundle.c - entry bundles. */
#include "fuzz.h"

FUZZ(again_bundle)
