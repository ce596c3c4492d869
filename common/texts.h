/* The texts of a request (chat, responses, completion, embeddings …): each with who says it, and
 * the request written anew with others in their place. Pure. */
#ifndef QUERN_TEXTS_H
#define QUERN_TEXTS_H
#include "common/buf.h"
#include "common/json.h"

enum text_role { TEXT_OTHER, TEXT_SYSTEM, TEXT_USER, TEXT_ASSISTANT, TEXT_TOOL };

struct text_place {
    enum text_role role; /* OTHER: it is in no message: a user's name, a tool's description … */
    bool prose;          /* what a message says, a prompt, a tool's arguments or answer */
    bool own;            /* in metadata, schemas and the like, where names are the user's own */
    bool values;         /* in metadata and the like, where numbers are, too */
    bool data;           /* a member's name, or a number; see texts_rewrite_data() */
    struct json name;    /* of the member that has it, or has the array that does */
};

/* Appends what is to stand for the string `v` (a JSON string, with its quotes). */
typedef void text_writer(void *arg, struct text_place place, struct json v, struct buf *out);

/* Appends the request with each string value written by `f`, but for those that only say how it is
 * built (model, role, type, ids, base64 of pictures). All else is as it was. */
void texts_rewrite(struct json body, text_writer *f, void *arg, struct buf *out);
/* The same, and where names are the user's own, so are names of members and numbers texts for `f`,
 * as strings, and nothing is left out. `whole`: all of `v` is such a place. */
void texts_rewrite_data(struct json v, bool whole, text_writer *f, void *arg, struct buf *out);
#endif
