/* The configuration: one YAML file, one schema table (config_schema.c), one struct. */
#ifndef QUERN_CONFIG_H
#define QUERN_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/error.h"

enum lane { LANE_HIGH, LANE_NORMAL, LANE_LOW, LANE_COUNT };
enum {
    RETRY_TIERS = 4,
    CONFIG_BACKENDS_MAX = 64,
    CONFIG_MODELS_MAX = 1024,
    CONFIG_LIMITS_MAX = 128
};

extern const char *const lane_names[LANE_COUNT];
extern const char *const retry_tier_names[RETRY_TIERS];
extern const int64_t retry_tier_ms[RETRY_TIERS];
/* The lane of that name, or -1. */
int lane_parse(const char *name);

struct config_pair {
    char *name, *value;
};

struct config_pairs {
    struct config_pair *items;
    size_t count;
};

/* A list of structs; each begins with the `int line` where it stands in the file. */
struct config_list {
    void *items;
    size_t count;
};

/* How long a call may take, in ms; 0: not said here. */
struct config_timeouts {
    int64_t connect, first, stall, total;
};

/* What a service allows; shared by all workers. */
struct config_limit {
    int line;
    char *model;              /* upstream: exact, or a pattern; NULL: all */
    int64_t requests, tokens; /* a minute; 0: no limit */
};

struct config_backend {
    int line;
    char *name, *base_url, *url_path, *api_key_env, *api_key_file, *key_header;
    int64_t dialect, max_output_tokens;
    struct {
        int64_t max, min, start, latency; /* calls; latency in ms; start, latency 0: none */
    } concurrency;
    struct config_timeouts timeout;
    struct {
        int64_t failures, wait, wait_max, probes; /* waits in ms; failures 0: no breaker */
    } breaker;
    struct config_list limits; /* struct config_limit */
    struct {
        char *prefix;
        int64_t tier; /* enum price_tier */
    } prices;
    bool verify_tls, stream, is_private;
    struct config_pairs headers;
};

struct config_candidate {
    int line;
    char *backend, *model; /* model NULL: the name that the task asked for */
};

/* What else a task must be for a rule of `models`; unset: anything. */
struct config_when {
    char *tenant, *feature;       /* exact, or patterns */
    int64_t lane, complexity;     /* 0: any; else the enum's value, for lanes plus one */
    int64_t input_min, input_max; /* tokens, estimated; max 0: no limit */
    int64_t percent;              /* of the tasks that got so far */
    int64_t day_requests, day_tokens, day_cost; /* from that volume on; cost in pico-dollars */
};

/* The last answer, without a model: one of these; unset: none. */
struct config_fallback {
    char *text, *template;
    int64_t extract; /* sentences */
};

/* What tasks a rule is for; unset: any. Texts are exact, or patterns. */
struct config_match {
    char *model, *feature, *tenant, *user, *job;
    int64_t lane; /* 0: any; else the enum's value plus one */
};

/* Begins every rule of a stage, so that one table describes `when` for all of them. */
struct config_rule {
    int line;
    struct config_match when;
};

enum cache_scope { CACHE_TENANT, CACHE_SHARED };

struct config_cache_rule {
    struct config_rule rule;
    int64_t ttl;             /* ms; 0: kept for nobody */
    int64_t scope;           /* enum cache_scope */
    int64_t max_temperature; /* millionths of a millionth */
    bool never, coalesce;
};

struct config_pack_rule {
    struct config_rule rule;
    bool never;
    int64_t max_items, max_tokens, max_wait; /* wait in ms */
};

enum compress_cut { CUT_MIDDLE, CUT_TAIL, CUT_HEAD };

struct config_compress_rule {
    struct config_rule rule;
    bool never, whitespace, html, repeats, verbose;
    int64_t max_tokens; /* of all texts, estimated; 0: no limit */
    int64_t cut;        /* enum compress_cut */
};

enum guard_kind {
    GUARD_INJECTION,
    GUARD_SENSITIVE,
    GUARD_TERMS,
    GUARD_LEAK,
    GUARD_SIZE,
    GUARD_MODERATION,
    GUARD_KINDS
};
enum guard_action {
    GUARD_NONE,
    GUARD_FLAG,
    GUARD_STRIP,
    GUARD_MASK,
    GUARD_WRAP,
    GUARD_PRIVATE,
    GUARD_BLOCK
};
enum guard_direction { GUARD_BOTH, GUARD_IN, GUARD_OUT };

struct config_guard_rule {
    struct config_rule rule;
    char *name;
    int64_t guard, direction, action; /* enums */
    int64_t threshold;                /* of the score, times 10^12 */
    char *kinds;                      /* of sensitive data: "all", or names with commas */
    char *terms_file, *canary;
    char *backend, *model, *categories; /* of moderation */
    int64_t leak_words;
    int64_t max_messages, max_tokens, max_images; /* 0: no limit */
};

/* Answers that should be JSON: not looked at; mended and measured; asked for again too. */
enum shape_rule { SHAPE_OFF, SHAPE_FLAG, SHAPE_RETRY };

struct config_quality_rule {
    struct config_rule rule;
    bool never, source; /* source: the answer is held against what the user says */
    int64_t shape;      /* enum shape_rule */
    int64_t shape_retries;
    int64_t retry_below; /* of groundedness, times 10^12: then the next candidate */
    int64_t judge;       /* the share of its answers that are rated, times 10^12 */
};

/* A system prompt and what may stand for it. */
struct config_short_form {
    int line;
    char *name, *text, *brief;
};

struct config_model {
    int line;
    char *name; /* exact, or a pattern with '*' */
    struct config_when when;
    struct config_timeouts timeout;
    struct config_fallback fallback;
    int64_t order; /* enum candidate_order */
    struct config_list candidates;
};

enum candidate_order { ORDER_LISTED, ORDER_CHEAPEST };

struct config_price {
    int line;
    char *model;
    /* Atto-dollars a token; -1: unset. */
    int64_t input, output, cached, cache_write, cache_write_1h, reasoning;
};

/* A tenant's share. */
struct config_weight {
    int line;
    char *tenant; /* exact, or a pattern */
    int64_t weight;
};

struct config {
    char *path; /* where it was read from */
    struct {
        char *brokers, *topic_prefix, *group, *instance_id;
        char *security_protocol, *sasl_mechanism, *sasl_username;
        char *sasl_password_env, *sasl_password_file, *ssl_ca_file;
        int64_t partitions, replication, retention, session_timeout;
        struct config_pairs properties;
    } kafka;
    struct {
        char *url, *password_env, *password_file;
        int64_t connect_timeout;
    } database;
    struct {
        int64_t concurrency, queue_tasks, queue_memory, response_max, response_memory;
        int64_t settle_rows, settle_delay, shutdown_grace, revoke_grace;
        int64_t memory_limit, head_timeout;
    } worker;
    struct {
        int64_t attempts, base_delay, max_delay, retry_after_max;
        int64_t rounds, waiting_tasks, give_up_after;
    } retry;
    struct {
        int64_t weight[LANE_COUNT];
    } lanes;
    struct {
        int64_t lookahead;          /* records; 0: no fairness */
        struct config_list weights; /* struct config_weight */
    } fairness;
    struct {
        int64_t record_max, errors_max;
    } submit;
    struct {
        int64_t level, format;
    } log;
    struct {
        char *listen; /* NULL: nowhere */
    } metrics;
    struct {
        char *endpoint, *authorization_env, *authorization_file; /* endpoint NULL: off */
        int64_t ratio;                                           /* times 10^12 */
    } tracing;
    struct {
        int64_t results, attempts, dead_letters; /* ms; 0: for ever */
    } retention;
    struct {
        char *file;
        struct config_list models; /* struct config_price */
    } prices;
    struct {
        struct config_list rules; /* struct config_pack_rule */
    } packing;
    struct {
        struct config_list rules;       /* struct config_compress_rule */
        struct config_list short_forms; /* struct config_short_form */
    } compress;
    struct {
        char *baseline;
    } savings;
    struct {
        struct config_list rules; /* struct config_quality_rule */
        struct {
            char *model, *rubric;
            int64_t max_tokens;
        } judge;
    } quality;
    struct {
        int64_t profile;          /* 0: none, 1: standard */
        char *refusal;            /* what stands for an answer that is withheld */
        struct config_list rules; /* struct config_guard_rule */
    } guards;
    struct {
        char *time_zone;
        struct {
            char *url, *secret_env, *secret_file;
        } webhook;
    } limits;
    struct {
        int64_t max_size, entry_max, lease; /* bytes; lease in ms */
        struct config_list rules;           /* struct config_cache_rule */
    } cache;
    struct config_list backends; /* struct config_backend */
    struct config_list models;   /* struct config_model */
};

/* Every mistake in a file, each "FILE:LINE:COLUMN: what, and what to do", one a line. */
struct config_report {
    struct buf text; /* CONFIG_REPORT_MAX bytes at most */
    int errors;
    int warnings;
};

enum { CONFIG_REPORT_MAX = 64 * 1024, CONFIG_FILE_MAX = 4 * 1024 * 1024 };

/* Where the configuration is: `given` if not NULL, else $QUERN_CONFIG, ./quern.yaml,
 * /etc/quern/quern.yaml. NULL if there is none. The result is the caller's to free. */
char *config_find(const char *given);

/* Reads and checks a file; QUERN_SECTION_KEY variables in the environment override its values.
 * Collects every mistake in `report` (config_report_free() it). NULL if there was an error. */
struct config *config_load(const char *path, struct config_report *report);
/* The same for a text in memory, which ends with a NUL; `path` is used in messages only. */
struct config *config_parse(const char *text, size_t len, const char *path,
                            struct config_report *report);
void config_free(struct config *c);
void config_report_free(struct config_report *r);

void config_print(const struct config *c, FILE *out); /* the effective values, as YAML */
void config_reference(FILE *out, bool man);           /* Markdown, or a man page */

const struct config_backend *config_backend_find(const struct config *c, const char *name);
/* Does the text fit the pattern, in which each `*` stands for any characters? */
bool config_matches(const char *pattern, const char *text);

/* A secret from the variable or the file that the configuration names (both may be NULL). *out is
 * NULL if neither is set. Fails if the file cannot be read. The caller frees (and wipes) it. */
MUST_CHECK quern_status config_secret(const char *env, const char *file, char **out,
                                      struct error *err);
#endif
