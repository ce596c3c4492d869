/* The shape of the configuration as data; used by the loader, the printer and the reference. */
#ifndef QUERN_CONFIG_SCHEMA_H
#define QUERN_CONFIG_SCHEMA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
    CONFIG_TEXT,     /* char * */
    CONFIG_INT,      /* int64_t */
    CONFIG_BOOL,     /* bool */
    CONFIG_DURATION, /* int64_t, ms */
    CONFIG_SIZE,     /* int64_t, bytes */
    CONFIG_CHOICE,   /* int64_t, index into the words of `words` */
    CONFIG_MONEY,    /* int64_t, USD times 10^12: an amount in pico-dollars, or a rate per million
                        tokens in atto-dollars a token */
    CONFIG_DECIMAL,  /* int64_t, times 10^12; it has a default */
    CONFIG_PAIRS,    /* struct config_pairs, any keys */
    CONFIG_GROUP,    /* the keys of `sub`, in the same struct */
    CONFIG_LIST,     /* struct config_list of structs described by `sub` */
};

struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;
    const char *initial; /* default, as written in the file; NULL: none */
    int64_t min, max;
    const char *words; /* CONFIG_CHOICE: "a|b|c" */
    const struct config_key *sub;
    size_t size; /* CONFIG_LIST: of one item */
    bool required;
    const char *doc;
};

/* For tables of keys: where a field is, and units. */
#define KEY(strct, field) .offset = offsetof(struct strct, field)
#define KIB (1LL << 10)
#define MIB (1LL << 20)
#define GIB (1LL << 30)
#define ONE 1000000000000LL /* of a decimal */
#define SECOND 1000LL
#define HOUR (3600 * SECOND)

extern const struct config_key config_schema[]; /* ends with name == NULL */
/* Groups of config_schema, of the stages that a task's call passes and that are off unless
 * configured. */
extern const struct config_key config_guards_keys[];
extern const struct config_key config_quality_keys[];
extern const struct config_key config_packing_keys[];
extern const struct config_key config_compress_keys[];
extern const struct config_key config_savings_keys[];
extern const struct config_key config_limits_keys[];
extern const struct config_key config_cache_keys[];
#endif
