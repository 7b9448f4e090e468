/* openapi.h - the description of every route, openapi.json.
 */
#ifndef OPENAPI_H
#define OPENAPI_H

extern const char openapi_json[], openapi_json_end[];

#endif
