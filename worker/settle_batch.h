/* One transaction's worth of outcomes as statement parameters. */
#ifndef QUERN_SETTLE_BATCH_H
#define QUERN_SETTLE_BATCH_H
#include "settle_sql.h"
#include "task.h"

enum { BATCH_BYTES_MAX = 16 << 20, BATCH_PUBLISHED_MAX = 4096 };

struct batch {
    struct task **tasks; /* once closed, by job and custom_id */
    size_t count, max, bytes;
    struct pgarray results[R_COLUMNS], attempts[A_COLUMNS], unreadable[U_COLUMNS],
        letters[L_COLUMNS], parked[P_COLUMNS], savings[S_COLUMNS], kept[K_COLUMNS],
        charges[C_COLUMNS], events[E_COLUMNS], quality[Q_COLUMNS], published_ids;
    struct task **letter_tasks, **parked_tasks; /* of each row of `letters` and `parked` */
    int64_t published[BATCH_PUBLISHED_MAX];
    size_t published_count;
    size_t entry_max; /* bytes of an answer that is kept */
    bool rare;        /* more than results and attempts was sent */
    bool all_letters; /* asks for unpublished letters of every task in it */
};

void batch_init(struct batch *b, size_t max, size_t entry_max);
void batch_free(struct batch *b);
void batch_begin(struct batch *b, bool all_letters);
bool batch_full(const struct batch *b); /* in bytes */
void batch_add(struct batch *b, struct task *t);
/* No more will be added: makes the rows. */
void batch_close(struct batch *b);
void batch_published(struct batch *b, const int64_t *ids, size_t count);
/* Sends the transaction; after batch_close(). */
void batch_run(struct batch *b, struct pglink *link);
/* After success: how many of its results others had written already. Of a batch that is run
 * again for its letters: 0, the first run has told. */
int64_t batch_lost(const struct batch *b, const struct pglink_reply *r);
/* After success: did results of the batch meet others that were there already? If one of those is a
 * failure whose worker died, its dead letter is ours to publish: the same batch is to be run again,
 * asking for all letters. */
bool batch_lost_some(const struct batch *b, const struct pglink_reply *r);
/* After success: sets publication_id of the tasks whose dead letter or parked copy is to be
 * published. */
void batch_read(struct batch *b, const struct pglink_reply *r);
#endif
