/* Several small requests with the same instructions as one: the combined request, its answer taken
 * apart, and what each part used. Pure. */
#ifndef QUERN_PACK_H
#define QUERN_PACK_H
#include "common/canon.h"
#include "common/price.h"
#include "common/task_doc.h"

enum { PACK_ITEMS_MAX = 200, PACK_TEXT_MAX = 8 << 20 };

/* What sharing adds to the bound of an item: the marks around it; the words about all of them, to
 * one of them; the answer's number and marks. In bytes, and so in tokens at most. */
enum { PACK_ITEM_MORE = 96, PACK_WORDS_MORE = 640, PACK_ANSWER_MORE = 16 };

/* Can this request be a part of one? A chat whose messages are texts, the last of them a user's,
 * that asks for one answer in prose: no tools, formats, stop sequences or probabilities. */
bool pack_fits(const struct task_doc *d);
/* What requests must have in common: all but the last message's text, the limit of the answer, and
 * whether it is streamed.
 * `scope` separates what must not meet. False: no memory, or too long. */
MUST_CHECK bool pack_key(const struct task_doc *d, const char *scope, const char *model,
                         unsigned char key[CANON_DIGEST]);
/* The text of the last message, decoded; the caller frees it. */
void pack_text(const struct task_doc *d, struct buf *out);

/* Appends the request for all: the first one's, with one last message that has what the texts begin
 * with in common once, and the rest of each as a numbered item. `mark`: a random word; no item can
 * pretend to be another. */
void pack_write(const struct task_doc *const *docs, size_t count, const char *mark,
                struct buf *out);

/* An item's answer in the text of the combined one (a JSON object by number, perhaps between fences
 * or words), decoded: true if it is there once, and no more than white space. */
struct pack_answer {
    struct json object; /* absent: nothing can be read */
    struct buf text;    /* that it points into */
};
void pack_read(struct json answer, struct pack_answer *out);
bool pack_item(const struct pack_answer *a, size_t number, struct buf *out);
void pack_answer_free(struct pack_answer *a);

/* Appends the answer of one item as a chat completion of its own. */
void pack_reply(struct json answer, const struct buf *text, const struct usage *u, struct buf *out);

/* The share of one part, from `from` to `to` of `whole` (weights summed up): shares of all parts
 * add up to the amount exactly. */
int64_t pack_share(int64_t amount, int64_t from, int64_t to, int64_t whole);
struct usage pack_usage(const struct usage *u, int64_t from, int64_t to, int64_t whole);
#endif
