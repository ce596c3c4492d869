/* Shorter prompts with the same meaning, by fixed rules: no model, no chance. Code, quotations and
 * JSON stay byte for byte (segment.h). Pure. */
#ifndef QUERN_COMPRESS_H
#define QUERN_COMPRESS_H
#include "common/config.h"
#include "common/json.h"

enum { COMPRESS_TEXT_MAX = 64 << 20 };

/* Appends the text, compressed as the rule says, but for short forms and the budget of tokens. */
void compress_text(const struct config_compress_rule *r, const char *text, size_t len,
                   struct buf *out);

/* Appends a checked request with the texts of its messages (and the prompt of a completion)
 * compressed; everything else is written as it was. `forms`: struct config_short_form. False: the
 * request has nothing that becomes shorter; nothing is appended. */
bool compress_body(const struct config_compress_rule *r, const struct config_list *forms,
                   struct json body, struct buf *out);

/* In html.c. Appends the text of an HTML document or fragment: tags go, block elements end lines,
 * list items begin with "- ", <pre> becomes a block between ``` lines, scripts, styles and comments
 * go with what is in them, character references become characters. Code, quotations and JSON stay
 * as they are (segment.h). Linear in time. */
void html_to_text(const char *html, size_t len, struct buf *out);
/* Does it look like HTML: has it a tag that closes? */
bool html_is(const char *text, size_t len);
/* Is it HTML as a whole: does it begin with a tag? */
bool html_is_document(const char *text, size_t len);
/* The length of the tag or comment that stands at `p`; of an element that is dropped whole (a
 * script), of all of it. 0: there is none ("a <b && c> d"). */
size_t html_element(const char *p, size_t left);
/* In phrases.c. The shorter form of a wordy phrase that stands at `p`, where a word begins (ASCII
 * case does not matter); *len: how long the phrase is. NULL: there is none. */
const char *phrase_short(const char *p, size_t left, size_t *len);
#endif
