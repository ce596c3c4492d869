/* Parts of the instructions in an answer: so many words of them in a row. Pure; linear. */
#ifndef QUERN_LEAK_H
#define QUERN_LEAK_H
#include "common/json.h"
#include "guards/words.h"

struct leak_scratch {
    struct words words;
    struct lexicon *empty;
    uint64_t *rows; /* of the instructions, sorted */
    size_t row_count, least;
};

/* Reads the system messages of a request; rows of `least` words count. */
void leak_begin(struct leak_scratch *s, struct json body, size_t least);
void leak_end(struct leak_scratch *s);
/* The longest stretch of an answer that has so many words or more in a row as the instructions have
 * them: its bytes. False: there is none. */
bool leak_find(struct leak_scratch *s, const char *answer, size_t len, size_t *from, size_t *to);
#endif
