#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/kafka.h"
#include "common/units.h"
#include "verbs.h"

enum {
    ADMIN_TIMEOUT_MS = 8000,
    OPT_CONFIG = 0,
    RETRY_PARTITIONS_MAX = 4,
    COMMIT_PATIENCE_US = 15000000,
    COMMIT_PAUSE_US = 200000
};
static const struct option_def defs[] = {CLI_CONFIG_OPTION, {0}};

static quern_status unreachable(const struct config *c, const char *doing, const char *why,
                                struct error *err)
{
    return error_set(err, ERROR_RETRY, "unreachable",
                     "cannot %s at Kafka %s: %s; check kafka.brokers, and that it runs", doing,
                     c->kafka.brokers, why);
}

/* The lanes need a partition for each worker that shares them; the others carry less. */
static int partitions_of(const struct config *c, int index)
{
    int64_t n = c->kafka.partitions;
    return (int)(index < LANE_COUNT || n < RETRY_PARTITIONS_MAX ? n : RETRY_PARTITIONS_MAX);
}

static rd_kafka_NewTopic_t *new_topic(const struct config *c, int index)
{
    char name[KAFKA_TOPIC_MAX], retention[32], text[512];
    rd_kafka_NewTopic_t *t =
        rd_kafka_NewTopic_new(kafka_topic(c, index, name), partitions_of(c, index),
                              (int)c->kafka.replication, text, sizeof text);
    (void)snprintf(retention, sizeof retention, "%" PRId64, c->kafka.retention);
    if (t && rd_kafka_NewTopic_set_config(t, "retention.ms", retention) != 0)
        return NULL; /* names and values of ours are never NULL */
    return t;
}

static quern_status read_created(rd_kafka_event_t *e, struct error *err)
{
    size_t count = 0;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(e);
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t r = rd_kafka_topic_result_error(topics[i]);
        const char *name = rd_kafka_topic_result_name(topics[i]);
        if (r == RD_KAFKA_RESP_ERR_NO_ERROR)
            (void)fprintf(stderr, "created %s\n", name);
        else if (r == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            (void)fprintf(stderr, "%s is there\n", name);
        else
            return error_set(err, ERROR_PERMANENT, "topics", "cannot create topic %s: %s", name,
                             rd_kafka_topic_result_error_string(topics[i]));
    }
    return QUERN_OK;
}

static quern_status create_topics(const struct config *c, rd_kafka_t *rk, struct error *err)
{
    rd_kafka_NewTopic_t *topics[KAFKA_TOPICS];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char text[256];
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_TIMEOUT_MS, text, sizeof text);
    for (int i = 0; i < KAFKA_TOPICS; i++)
        topics[i] = new_topic(c, i);
    rd_kafka_CreateTopics(rk, topics, KAFKA_TOPICS, options, queue);
    rd_kafka_event_t *e = rd_kafka_queue_poll(queue, ADMIN_TIMEOUT_MS + 2000);
    quern_status status;
    if (!e || rd_kafka_event_error(e))
        status = unreachable(c, "create topics",
                             e ? rd_kafka_event_error_string(e) : "no answer in time", err);
    else
        status = read_created(e, err);
    if (e)
        rd_kafka_event_destroy(e);
    rd_kafka_NewTopic_destroy_array(topics, KAFKA_TOPICS);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return status;
}

/* Appends the beginnings of the partitions for which the group has no offset. */
static rd_kafka_resp_err_t find_missing(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *all,
                                        rd_kafka_topic_partition_list_t *missing)
{
    rd_kafka_resp_err_t r = rd_kafka_committed(rk, all, ADMIN_TIMEOUT_MS);
    for (int i = 0; r == RD_KAFKA_RESP_ERR_NO_ERROR && i < all->cnt; i++) {
        int64_t low, high;
        rd_kafka_topic_partition_t *p = &all->elems[i];
        if (p->offset >= 0)
            continue;
        r = rd_kafka_query_watermark_offsets(rk, p->topic, p->partition, &low, &high,
                                             ADMIN_TIMEOUT_MS);
        rd_kafka_topic_partition_list_add(missing, p->topic, p->partition)->offset = low;
    }
    return r;
}

static rd_kafka_resp_err_t try_commit(const struct config *c, rd_kafka_t *rk, int group)
{
    char name[KAFKA_TOPIC_MAX];
    int first, end;
    kafka_group_topics(group, &first, &end);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(64);
    rd_kafka_topic_partition_list_t *missing = rd_kafka_topic_partition_list_new(64);
    for (int i = first; i < end; i++)
        for (int p = 0; p < partitions_of(c, i); p++)
            (void)rd_kafka_topic_partition_list_add(all, kafka_topic(c, i, name), p);
    rd_kafka_resp_err_t r = find_missing(rk, all, missing);
    if (r == RD_KAFKA_RESP_ERR_NO_ERROR && missing->cnt)
        r = rd_kafka_commit(rk, missing, 0);
    rd_kafka_topic_partition_list_destroy(missing);
    rd_kafka_topic_partition_list_destroy(all);
    return r;
}

/* Workers that run commit themselves. */
static bool workers_run(rd_kafka_resp_err_t r)
{
    return r == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           r == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
           r == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
}

/* Where the group has no offset for a partition, commits its beginning: a lag exists from the
 * first task on, so that autoscaling can start at zero workers. A topic just created may have no
 * leader for a moment, and a group no coordinator: tried again for a while. */
static quern_status commit_initial(const struct config *c, rd_kafka_t *rk, int group,
                                   struct error *err)
{
    rd_kafka_resp_err_t r = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int64_t end = units_now_us() + COMMIT_PATIENCE_US; units_now_us() < end;) {
        r = try_commit(c, rk, group);
        if (r == RD_KAFKA_RESP_ERR_NO_ERROR || workers_run(r))
            return QUERN_OK;
        (void)usleep(COMMIT_PAUSE_US);
    }
    return unreachable(c, "commit initial offsets", rd_kafka_err2str(r), err);
}

static rd_kafka_t *client(const struct config *c, int group, struct error *err)
{
    char text[512], id[KAFKA_TOPIC_MAX];
    rd_kafka_conf_t *conf = kafka_conf(c, "quern", err);
    if (!conf)
        return NULL;
    rd_kafka_t *rk = NULL;
    if (kafka_set(conf, "group.id", kafka_group(c, group, id), err) == QUERN_OK &&
        kafka_set_properties(conf, c, err) == QUERN_OK) {
        rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
        if (!rk)
            (void)error_set(err, ERROR_FATAL, "config", "cannot make a Kafka client: %s", text);
    }
    if (!rk)
        rd_kafka_conf_destroy(conf);
    return rk;
}

static quern_status topics_create(const struct config *c, rd_kafka_t *rk, struct error *err)
{
    quern_status status = create_topics(c, rk, err);
    for (int group = 0; status == QUERN_OK && group < KAFKA_GROUPS; group++) {
        rd_kafka_t *member = client(c, group, err);
        status = member ? commit_initial(c, member, group, err) : QUERN_FAIL;
        if (member)
            rd_kafka_destroy(member);
    }
    return status;
}

static quern_status topics_list(const struct config *c, rd_kafka_t *rk, struct error *err)
{
    const struct rd_kafka_metadata *m;
    char name[KAFKA_TOPIC_MAX];
    rd_kafka_resp_err_t r = rd_kafka_metadata(rk, 1, NULL, &m, ADMIN_TIMEOUT_MS);
    if (r != RD_KAFKA_RESP_ERR_NO_ERROR)
        return unreachable(c, "list topics", rd_kafka_err2str(r), err);
    int missing = 0;
    for (int i = 0; i < KAFKA_TOPICS; i++) {
        int partitions = 0;
        (void)kafka_topic(c, i, name);
        for (int t = 0; t < m->topic_cnt; t++)
            if (strcmp(m->topics[t].topic, name) == 0)
                partitions = m->topics[t].partition_cnt;
        if (partitions)
            (void)printf("%-40s %d partitions\n", name, partitions);
        else
            (void)printf("%-40s missing\n", name);
        missing += partitions == 0;
    }
    rd_kafka_metadata_destroy(m);
    if (missing == 0)
        return QUERN_OK;
    return error_set(err, ERROR_FATAL, "topics", "%d topics are missing: run `quern topics create`",
                     missing);
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &topics_verb, .program = "quern", .argc = argc, .argv = argv};
    struct error err;
    const char *config = NULL;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        config = o.value;
    }
    const char *what = argc - optind == 1 ? argv[optind] : "";
    bool create = strcmp(what, "create") == 0;
    if (!create && strcmp(what, "list") != 0)
        return options_usage_error(&o, "create or list is needed");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    rd_kafka_t *rk = client(c, 0, &err);
    quern_status status = rk ? (create ? topics_create : topics_list)(c, rk, &err) : QUERN_FAIL;
    if (rk)
        rd_kafka_destroy(rk);
    config_free(c);
    return status == QUERN_OK ? EXIT_DONE : cli_fail(&err);
}

const struct verb topics_verb = {
    "topics",
    "Create or list the Kafka topics",
    "create|list [OPTION…]",
    "create makes what is missing (partitions, replication and retention from the configuration)\n"
    "and commits the groups' first offsets. It may be run at any time, any number of times.\n"
    "list fails if one is missing.",
    defs,
    "  quern topics create\n  quern topics list",
    run};
