/* Answers that should be JSON: are they, and of the shape that was asked for? Pure. */
#ifndef QUERN_SHAPE_H
#define QUERN_SHAPE_H
#include "common/error.h"
#include "common/json.h"

/* What a request asks for: a schema, an empty object if any JSON will do; absent: it asks for no
 * JSON. Chat's response_format and the Responses API's text.format. */
struct json shape_wanted(struct json body);
/* Does the text fit? If not as it is, perhaps after cheap repairs, and `out` has it then: fences
 * and words around it gone, commas before a closing bracket gone, a bracket that is missing at the
 * end added. False: no; `err` says why. */
bool shape_check(struct json schema, const char *text, size_t len, struct buf *out, bool *repaired,
                 struct error *err);
/* Appends a chat request with the answer that did not fit and the reason behind its messages. */
void shape_ask_again(struct json body, const char *answer, const char *why, struct buf *out);
/* Appends a chat completion with another text in its first choice. */
void shape_put_text(struct json answer, const char *text, size_t len, struct buf *out);
#endif
