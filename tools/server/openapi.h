/* openapi.h - the description of every route, openapi.json.
 */
#ifndef OPENAPI_H
#define OPENAPI_H

#include <stdint.h>

extern const char openapi_json[];
extern const uint64_t openapi_size;

#endif
