/* Parts of the instructions in an answer: so many words of them in a row. Pure; linear. */
#ifndef QUERN_LEAK_H
#define QUERN_LEAK_H
#include "common/json.h"
#include "guards/words.h"

struct leak_scratch {
    struct words words;
    struct lexicon *empty;
};

/* The longest stretch of the answer that has `least` words or more in a row as the system messages
 * of the request have them: its bytes. False: there is none. */
bool leak_find(struct leak_scratch *s, struct json body, const char *answer, size_t len,
               size_t least, size_t *from, size_t *to);
#endif
