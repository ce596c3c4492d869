/* The statements that write outcomes, and the order of their parameters. */
#ifndef QUERN_SETTLE_SQL_H
#define QUERN_SETTLE_SQL_H
#include "pgarray.h"
#include "pglink.h"

/* "settle": the results first, then the attempts, then the letters. Arrays, one entry a row. */
enum result_column {
    R_JOB_ID,
    R_CUSTOM_ID,
    R_GENERATION,
    R_STATUS,
    R_LANE,
    R_TENANT,
    R_USER,
    R_FEATURE,
    R_MODEL,
    R_BACKEND,
    R_UPSTREAM_MODEL,
    R_HTTP_STATUS,
    R_RESPONSE,
    R_ERROR_TYPE,
    R_ERROR,
    R_ATTEMPTS,
    R_INPUT,
    R_CACHED,
    R_OUTPUT,
    R_REASONING,
    R_COST,
    R_STARTED,
    R_FINISHED,
    R_SOURCE,
    R_ANSWER_OF,
    R_COLUMNS
};
enum attempt_column {
    A_JOB_ID,
    A_CUSTOM_ID,
    A_TOKEN,
    A_GENERATION,
    A_NUMBER,
    A_BACKEND,
    A_MODEL,
    A_HTTP_STATUS,
    A_ERROR_TYPE,
    A_ERROR,
    A_INPUT,
    A_CACHED,
    A_CACHE_WRITE,
    A_OUTPUT,
    A_REASONING,
    A_COST,
    A_STARTED,
    A_DURATION,
    A_FIRST_TOKEN,
    A_PRICE_VERSION,
    A_ASKED,
    A_CACHE_WRITE_1H,
    A_SERVICE_TIER,
    A_PACK,
    A_TENANT,
    A_USER,
    A_FEATURE,
    A_LANE,
    A_COLUMNS
};
/* "unreadable": records that are no task. Answers topic, partition, offset, id, published. */
enum unreadable_column { U_REASON, U_ERROR, U_TOPIC, U_PARTITION, U_OFFSET, U_RECORD, U_COLUMNS };
/* What may become a dead letter: all columns for "settle", which writes those that won. */
enum letter_column {
    L_JOB_ID,
    L_CUSTOM_ID,
    L_GENERATION,
    L_STATUS,
    L_LANE,
    L_ATTEMPTS,
    L_REASON,
    L_ERROR,
    L_TENANT,
    L_TOPIC,
    L_PARTITION,
    L_OFFSET,
    L_RECORD,
    L_COLUMNS
};
/* The first of them are the key for "letters", which answers the position (from 1) and id of each
 * unpublished letter. */
enum { LETTER_KEY = L_STATUS, RESULT_KEY = R_STATUS };
/* "park": copies for a retry topic -> position (from 1) and id; none for a task that has a result,
 * a newer copy or a cancelled job. */
enum parked_column {
    P_JOB_ID,
    P_CUSTOM_ID,
    P_GENERATION,
    P_SEQ,
    P_LANE,
    P_ROUNDS,
    P_ATTEMPTS,
    P_DUE,
    P_FIRST_SEEN,
    P_REASON,
    P_ERROR,
    P_RECORD,
    P_COLUMNS
};
/* "savings": what tasks did not cost; of those whose result is the one written with it. */
enum saving_column {
    S_JOB_ID,
    S_CUSTOM_ID,
    S_GENERATION,
    S_FINISHED,
    S_KIND,
    S_TOKENS,
    S_COST,
    S_COLUMNS
};
/* "keep": outcomes of tasks that have a cache key. The lease on it ends; the answer is kept if the
 * time to live is above 0. Then the owner of the leases. */
enum kept_column {
    K_KEY,
    K_LEASED, /* the key that is leased: another one if another model answered */
    K_JOB_ID,
    K_CUSTOM_ID,
    K_GENERATION,
    K_FINISHED,
    K_TENANT,
    K_TTL, /* ms */
    K_INPUT,
    K_CACHED,
    K_OUTPUT,
    K_REASONING,
    K_COST,
    K_COLUMNS
};
/* "charge": attempts counted against budgets. */
enum charge_column {
    C_JOB_ID,
    C_CUSTOM_ID,
    C_TOKEN,
    C_NAME,
    C_SUBJECT,
    C_PERIOD, /* us since 1970; 0: the budget has none */
    C_COST,
    C_COLUMNS
};
/* "events": verdicts of guards. */
enum event_column {
    E_JOB_ID,
    E_CUSTOM_ID,
    E_GENERATION,
    E_NUMBER,
    E_DIRECTION,
    E_GUARD,
    E_ACTION,
    E_SCORE, /* thousandths */
    E_REASONS,
    E_SPANS,
    E_COLUMNS
};
/* "quality": what was measured of answers; numbers in thousandths. */
enum quality_column {
    Q_JOB_ID,
    Q_CUSTOM_ID,
    Q_GENERATION,
    Q_COMPLETION,
    Q_RELEVANCE,
    Q_COVERAGE,
    Q_GROUNDEDNESS,
    Q_CLAIMS,
    Q_UNSUPPORTED,
    Q_COLUMNS
};
/* "published" and "parked_published": ids that Kafka has acknowledged; both share their numbers. */

extern const enum pg_type result_types[R_COLUMNS], attempt_types[A_COLUMNS],
    saving_types[S_COLUMNS], charge_types[C_COLUMNS], kept_types[K_COLUMNS], event_types[E_COLUMNS],
    quality_types[Q_COLUMNS], unreadable_types[U_COLUMNS], letter_types[L_COLUMNS],
    parked_types[P_COLUMNS];
extern const struct pglink_statement settle_statements[];
#endif
