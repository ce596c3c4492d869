/* Reading JSON (RFC 8259) in place: nothing is allocated, nothing is rounded.
 *
 * Task bodies are relayed byte for byte and money is read from decimal text, so a reader that turns
 * numbers into doubles will not do (docs/decisions/0001). A text is checked once, whole, by
 * json_check(); the other functions walk text that has passed it and must not be given any other.
 */
#ifndef QUERN_JSON_H
#define QUERN_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"

enum { JSON_DEPTH_MAX = 64, JSON_KEYS_MAX = 32 };

/* The raw text of one value; borrowed from the text that it points into. p == NULL: absent. */
struct json {
    const char *p;
    size_t len;
};

struct json_member {
    struct json key;   /* with its quotes */
    struct json value; /* raw */
};

/* True if the text is exactly one JSON value in valid UTF-8, at most JSON_DEPTH_MAX deep, without
 * \u0000 (which no text column can hold) or lone surrogates. Else `err` (class PERMANENT, code
 * "invalid_json") says where and why. */
MUST_CHECK bool json_check(const char *text, size_t len, struct error *err);

/* The value of a checked text, without the white space around it. */
struct json json_root(const char *text, size_t len);

bool json_is(struct json v, char kind); /* kind: '{' '[' '"' '0' 't' (true or false) 'n' (null) */

/* Iterates an object's members in order; start with *pos = 0. False at the end. */
bool json_next_member(struct json object, size_t *pos, struct json_member *out);
bool json_next_item(struct json array, size_t *pos, struct json *out);

/* The first member named `key` (which needs no escapes), or an absent value; absent also if
 * `object` is absent or no object, so look-ups chain. */
struct json json_get(struct json object, const char *key);

/* The first member of each of these names (JSON_KEYS_MAX at most), in one pass over the object. */
void json_get_all(struct json object, const char *const keys[], struct json out[], size_t count);

/* Appends the decoded string. False if it is no string. */
bool json_string(struct json v, struct buf *out);
/* The decoded string as a malloc'ed text, or NULL if it is absent or no string. */
char *json_string_dup(struct json v);
/* The value of the escape \uXXXX at `p` in any text; -1: there is none. */
enum { JSON_UNIT_LEN = 6 };
int json_code_unit(const char *p, const char *end);
bool json_equals(struct json v, const char *s); /* is it this string? */
/* True if v is an integer that fits. 1.0 and 1e3 are no integers. */
bool json_int64(struct json v, int64_t *out);

/* Appends the text without the white space between tokens (one line, whatever it was). */
void json_minify(struct json v, struct buf *out);
#endif
