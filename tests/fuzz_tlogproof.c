/* fuzz_tlogproof.c - proofs of entries, and of logs that have grown. */
#include "fuzz.h"

FUZZ(again_proof, again_growth)
