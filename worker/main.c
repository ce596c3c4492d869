/* quern-worker: takes tasks from Kafka, calls models, writes results. Only this file knows all the
 * parts; pipeline.c knows the way of a task. */
#include <getopt.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/completion.h"
#include "common/log.h"
#include "common/options.h"
#include "common/pg.h"
#include "common/prices.h"
#include "common/units.h"
#include "guards/guard.h"
#include "guards/judge.h"
#include "guards/seal.h"
#include "worker.h"

/* ---- signals and reports --------------------------------------------------------------------- */

static void on_signal(struct ev_loop *loop, ev_signal *s, int events)
{
    struct worker *w = s->data;
    (void)loop;
    (void)events;
    if (w->stopping)
        _exit(EXIT_INTERRUPTED); /* asked twice: at once, what is open is redone by others */
    log_info("stopping: no more intake, calls in flight may end",
             LOG_N("grace_ms", w->config->worker.shutdown_grace));
    worker_stop(w);
}

static void on_hangup(struct ev_loop *loop, ev_signal *s, int events)
{
    struct worker *w = s->data;
    (void)loop;
    (void)events;
    router_read_keys(w->router);
}

static void on_report(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)events;
    worker_log(t->data);
}

/* From 85 % of the limit on little is taken, until memory that was freed is given back
 * and it is below 75 %. */
static void on_memory(struct ev_loop *loop, ev_timer *t, int events)
{
    struct worker *w = t->data;
    const int64_t limit = w->config->worker.memory_limit, used = worker_resident();
    bool short_of = used > limit / 100 * (w->short_of_memory ? 75 : 85);
    (void)loop;
    (void)events;
    if (short_of)
        (void)malloc_trim(0);
    if (short_of == w->short_of_memory)
        return;
    w->short_of_memory = short_of;
    log_warn(short_of ? "memory is short; taking few tasks" : "memory is free again",
             LOG_N("resident", used), LOG_N("limit", limit));
    pipeline_save_memory(w->pipeline, short_of);
}

/* Until the loop turns, nothing has been taken: there is nothing to wait for. */
static void on_early_signal(int number)
{
    (void)number;
    _exit(EXIT_DONE);
}

static void catch_early_signals(void)
{
    struct sigaction a = {.sa_handler = on_early_signal};
    (void)sigaction(SIGTERM, &a, NULL);
    (void)sigaction(SIGINT, &a, NULL);
    (void)signal(SIGHUP, SIG_IGN); /* keys are read anyway */
}

static void watch_signals(struct worker *w)
{
    ev_signal_init(&w->term, on_signal, SIGTERM);
    ev_signal_init(&w->intr, on_signal, SIGINT);
    ev_signal_init(&w->hup, on_hangup, SIGHUP);
    ev_timer_init(&w->report, on_report, 10.0, 10.0);
    ev_timer_init(&w->memory, on_memory, 0.1, 0.1);
    w->term.data = w->intr.data = w->hup.data = w->report.data = w->memory.data = w;
    ev_signal_start(w->loop, &w->term);
    ev_signal_start(w->loop, &w->intr);
    ev_signal_start(w->loop, &w->hup);
    ev_timer_start(w->loop, &w->report);
    ev_timer_start(w->loop, &w->memory);
}

/* ---- start and end --------------------------------------------------------------------------- */

/* Ratings are found by the versions that the database knows. */
static quern_status tell_judge(PGconn *db, const struct config *c, struct error *err)
{
    char version[JUDGE_VERSION + 1];
    const char *const values[] = {version, c->quality.judge.model, c->quality.judge.rubric};
    if (!c->quality.judge.model)
        return QUERN_OK;
    judge_version(c->quality.judge.model, c->quality.judge.rubric, version);
    return pg_exec(db,
                   "INSERT INTO judges (version, model, rubric) VALUES ($1, $2, $3) "
                   "ON CONFLICT DO NOTHING",
                   3, values, err);
}

/* Before the loop turns it may block: waits for PostgreSQL, and refuses a schema that is not ours.
 */
static quern_status await_database(const struct config *c, struct error *err)
{
    for (;;) {
        PGconn *db = pg_connect(c, "quern-worker", err);
        quern_status status = db ? pg_schema_check(db, err) : QUERN_FAIL;
        if (status == QUERN_OK)
            status = quota_check(db, c, err);
        if (status == QUERN_OK)
            status = tell_judge(db, c, err);
        if (status == QUERN_OK) {
            struct error ignored; /* next month's partitions: made again by the next start */
            if (pg_exec(db, "SELECT make_partitions(2)", 0, NULL, &ignored) != QUERN_OK)
                log_warn("cannot make partitions", LOG_S("error", ignored.message));
        }
        PQfinish(db);
        if (status == QUERN_OK || err->class != ERROR_RETRY)
            return status;
        log_warn("waiting for PostgreSQL", LOG_S("error", err->message));
        (void)sleep(1);
    }
}

/* The guards, and the key that what they find is sealed with where it is kept. */
static quern_status start_guards(struct worker *w, struct error *err)
{
    unsigned char key[SEAL_KEY];
    if (!(w->guards = guards_new(w->config, err)) && err->code[0])
        return QUERN_FAIL;
    PGconn *db = pg_connect(w->config, "quern-worker", err);
    PGresult *r =
        db ? pg_query(db, "SELECT encode(key, 'hex') FROM guard_keys WHERE id = 1", 0, NULL, err)
           : NULL;
    const bool found = r && PQntuples(r) == 1 && PQgetlength(r, 0, 0) == 2 * SEAL_KEY &&
                       OPENSSL_hexstr2buf_ex(key, sizeof key, NULL, PQgetvalue(r, 0, 0), '\0') == 1;
    PQclear(r);
    PQfinish(db);
    if (r && !found)
        return error_set(err, ERROR_FATAL, "schema",
                         "the table guard_keys has no key of 32 bytes; put it back from a backup");
    if (found)
        pipeline_set_guards(w->pipeline, w->guards, key);
    explicit_bzero(key, sizeof key);
    return found ? QUERN_OK : QUERN_FAIL;
}

static quern_status start(struct worker *w, struct error *err)
{
    const struct config *c = w->config;
    if (c->backends.count == 0 || c->models.count == 0)
        return error_set(err, ERROR_FATAL, "config",
                         "%s: a worker needs `backends` and `models`; see quern.yaml(5)", c->path);
    if (!(w->prices = prices_load(w->config, err)) || await_database(c, err) != QUERN_OK)
        return QUERN_FAIL;
    w->caller = caller_new(w->loop, c);
    if (!(w->router = router_new(c, w->caller, err)))
        return QUERN_FAIL;
    if (!(w->webhook = webhook_new(w->caller, c, err)) && err->code[0])
        return QUERN_FAIL;
    if (!(w->trace = trace_new(w->loop, w->caller, c, err)) && err->code[0])
        return QUERN_FAIL;
    w->pipeline = pipeline_new(w->loop, c, w->caller, w->router, w->prices, &worker_sink_ops, w,
                               &worker_source_ops, w);
    if (start_guards(w, err) != QUERN_OK)
        return QUERN_FAIL;
    w->lookup = lookup_new(w->loop, c, &worker_sink_events, w);
    w->settle = settle_new(w->loop, c, &worker_sink_events, w);
    w->watch = watch_new(w->loop, c, pipeline_volumes(w->pipeline), &worker_watch_events, w);
    w->quota = quota_link_new(w->loop, c, pipeline_meters(w->pipeline), &worker_quota_events, w);
    if (!(w->outbound = outbound_new(w->loop, c, &worker_sink_events, w, err)))
        return QUERN_FAIL;
    for (int pool = 0; pool < POOL_COUNT; pool++, w->running++)
        if (!(w->intakes[pool] = intake_new(w->loop, c, pool, &worker_intake_events, w, err)))
            return QUERN_FAIL;
    w->upkeep = upkeep_new(w->loop, c, &worker_upkeep_events, w);
    if (c->metrics.listen &&
        !(w->httpd = httpd_new(w->loop, c->metrics.listen, worker_page, w, err)))
        return QUERN_FAIL;
    watch_signals(w);
    return QUERN_OK;
}

/* Tasks that are still in the pipeline (PostgreSQL or Kafka did not answer in time) are others'
 * now; what refers to them is left to the end of the process. */
static int finish(struct worker *w)
{
    struct pipeline_counts n;
    size_t left = 0;
    pipeline_count(w->pipeline, &n);
    for (int i = 0; i < TASK_STATES; i++)
        left += n.in_state[i];
    log_info("stopped", LOG_N("finished", n.finished), LOG_N("left_to_others", left));
    if (left || w->failed)
        return w->failed ? EXIT_ERROR : EXIT_DONE;
    if (pipeline_has_limits(w->pipeline))
        quota_return_shares(w->config);
    for (int pool = 0; pool < POOL_COUNT; pool++)
        intake_free(w->intakes[pool]);
    httpd_free(w->httpd);
    upkeep_free(w->upkeep);
    outbound_free(w->outbound);
    watch_free(w->watch);
    quota_link_free(w->quota);
    settle_free(w->settle);
    lookup_free(w->lookup);
    pipeline_free(w->pipeline);
    guards_free(w->guards);
    router_free(w->router);
    webhook_free(w->webhook);
    trace_free(w->trace);
    caller_free(w->caller);
    price_table_free(w->prices);
    config_free(w->config);
    return EXIT_DONE;
}

static void harden(void)
{
    struct rlimit files, core = {0, 0};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max; /* a connection for each call in flight */
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)setrlimit(RLIMIT_CORE, &core); /* keys are in memory: no core dumps */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)signal(SIGPIPE, SIG_IGN);
}

static struct config *load_config(const char *given)
{
    struct config_report report;
    char *path = config_find(given);
    if (!path) {
        (void)fprintf(stderr, "quern-worker: no configuration: give --config FILE, set "
                              "QUERN_CONFIG, or make ./quern.yaml or /etc/quern/quern.yaml\n");
        return NULL;
    }
    struct config *c = config_load(path, &report);
    if (!c)
        (void)fputs(report.text.data, stderr);
    config_report_free(&report);
    free(path);
    return c;
}

static int run(int argc, char **argv);

enum { OPT_CONFIG, OPT_VERSION, OPT_MAN, OPT_METRICS, OPT_COMPLETION };
static const struct option_def defs[] = {
    {'c', "config", "FILE",
     "configuration (default: $QUERN_CONFIG, ./quern.yaml, "
     "/etc/quern/quern.yaml)"},
    {0, "version", NULL, "tell the version"},
    {0, "man", NULL, "print the man page"},
    {0, "metrics", NULL, "print the table of metrics"},
    {0, "completion", "SHELL", "print the completion for bash, zsh or fish"},
    {0}};
static const struct verb verb[] = {
    {"", "Work on tasks: take them from Kafka, call models, write results to PostgreSQL",
     "[OPTION…]",
     "SIGTERM or SIGINT: takes nothing more, lets calls in flight end (worker.shutdown_grace),\n"
     "leaves the rest to others and exits 0. A second one quits at once; nothing is lost, but the\n"
     "calls in flight will be made again. SIGHUP reads the keys of backends again. Run as many\n"
     "workers as you like.",
     defs, "  quern-worker --config quern.yaml\n  QUERN_WORKER_CONCURRENCY=500 quern-worker", run},
    {0}};

static int run(int argc, char **argv)
{
    struct options o = {.verb = verb, .program = "quern-worker", .argc = argc, .argv = argv};
    struct worker w = {.started_us = units_now_us()};
    struct error err;
    const char *config = NULL;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_CONFIG) {
            config = o.value;
        } else if (i == OPT_VERSION) {
            (void)puts("quern-worker " QUERN_VERSION);
            return EXIT_DONE;
        } else if (i == OPT_METRICS) {
            metrics_reference(stdout);
            return EXIT_DONE;
        } else if (i == OPT_COMPLETION) {
            return completion_print(o.value, "quern-worker", verb, stdout)
                       ? EXIT_DONE
                       : options_usage_error(&o, "--completion bash, zsh or fish");
        } else {
            options_man("quern-worker", "work on quern's tasks", verb->detail, verb, stdout);
            return EXIT_DONE;
        }
    }
    if (argc != optind)
        return options_usage_error(&o, "no operand is expected");
    catch_early_signals();
    if (!(w.config = load_config(config)))
        return EXIT_USAGE;
    harden();
    log_setup((enum log_level)w.config->log.level, (enum log_format)w.config->log.format);
    w.loop = ev_default_loop(EVFLAG_AUTO);
    if (start(&w, &err) != QUERN_OK) {
        log_error("cannot start", LOG_S("error", err.message));
        return strcmp(err.code, "unreachable") == 0 ? EXIT_UNREACHABLE : EXIT_ERROR;
    }
    log_info("started", LOG_S("version", QUERN_VERSION),
             LOG_N("concurrency", w.config->worker.concurrency));
    ev_run(w.loop, 0);
    return finish(&w);
}

int main(int argc, char **argv)
{
    return run(argc, argv);
}
