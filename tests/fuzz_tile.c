/* fuzz_tile.c - paths of tiles and bundles. */
#include "fuzz.h"

FUZZ(again_tile)
