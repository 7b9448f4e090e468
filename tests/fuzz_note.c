/* fuzz_note.c - signed notes, checkpoints and signature lines. */
#include "fuzz.h"

FUZZ(again_note, again_checkpoint, again_signatures)
