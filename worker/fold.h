/* A JSON value that comes in pieces and is put together: how a streamed answer becomes the one that
 * its API gives unstreamed. Pure.
 *
 * The texts of a stream are appended as they stand, escapes and all: nothing is decoded. What is
 * merged must have passed json_check(). */
#ifndef QUERN_FOLD_H
#define QUERN_FOLD_H
#include "common/buf.h"
#include "common/json.h"

enum { FOLD_ITEMS_MAX = 65536, FOLD_MEMBERS_MAX = 256 }; /* of one list, of one object */

struct node; /* one value in it; lives as long as the fold */

struct fold {
    struct node *root;  /* an object */
    struct node *spill; /* stands in for what there is no room for */
    size_t bytes, max;  /* what it holds, about, and may */
    bool full;          /* it would have been more: the rest was dropped */
    size_t grown;       /* bytes of texts so far: above 0, the model has begun to speak */
    bool complete;      /* if the stream ends now, the answer is whole */
    bool closed;        /* and nothing of interest will follow */
};

void fold_init(struct fold *f, size_t max);
void fold_free(struct fold *f);

/* The member of that name, made (as null) if need be; what was no object becomes one. Never NULL,
 * but without effect once the fold is full. */
struct node *fold_member(struct fold *f, struct node *object, const char *key);
/* The same by the name's raw text, with its quotes. */
struct node *fold_raw_member(struct fold *f, struct node *object, struct json key);
/* The item at that place, made if need be, and those before it. NULL: no place in any list. */
struct node *fold_item(struct fold *f, struct node *list, int64_t index);
/* A new last item. */
struct node *fold_append(struct fold *f, struct node *list);
/* The value becomes this one, as it stands: nothing is merged into it later. */
void fold_set(struct fold *f, struct node *to, struct json value);

/* Merges a piece. Objects member by member; strings of the members that `grows` (ends with NULL)
 * names are appended, and other values replace what was there, unless they are null or empty. Items
 * of lists that have an "index" are merged with the item at that place (and lose that member);
 * others become new last items. */
void fold_merge(struct fold *f, struct node *to, struct json piece, const char *const grows[]);

/* One member of such a piece. */
void fold_merge_member(struct fold *f, struct node *to, struct json_member m,
                       const char *const grows[]);

/* Does every item of the list have that member, with a value that is not null? */
bool fold_all_have(const struct node *list, const char *key);
void fold_write(const struct node *n, struct buf *out);
/* The inside of a text, as it stands; empty if it is none. */
struct json fold_text(const struct node *n);
#endif
