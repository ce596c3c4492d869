#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/mem.h"
#include "common/money.h"
#include "common/task_doc.h"
#include "common/units.h"
#include "common/utf8.h"
#include "input.h"
#include "progress.h"
#include "publish.h"
#include "reserve.h"
#include "verbs.h"

struct arguments {
    const char *config, *job, *format;
    struct submission submission;
    struct input_prompt prompt;
    bool wait, dry_run;
    char *const *files;
    int file_count;
};

enum {
    OPT_CONFIG,
    OPT_JOB,
    OPT_PRIORITY,
    OPT_PROMPT,
    OPT_UNTRUSTED,
    OPT_SYSTEM,
    OPT_MODEL,
    OPT_FORMAT,
    OPT_TENANT,
    OPT_USER,
    OPT_FEATURE,
    OPT_DEADLINE,
    OPT_TIMEOUT,
    OPT_COMPLEXITY,
    OPT_SENSITIVE,
    OPT_WAIT,
    OPT_DRY_RUN
};

static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {'j', "job", "NAME", "name of the job (default: from the file's name and the time)"},
    {'p', "priority", "LANE", "high, normal (default) or low"},
    {0, "prompt", "TEXT", "make each row or file a request; {{name}} is a field of the row"},
    {0, "untrusted", NULL,
     "the fields are strangers' texts: put them between marks, and tell the model that they are "
     "data"},
    {0, "system", "TEXT", "system message of those requests"},
    {'m', "model", "NAME", "model of those requests"},
    {0, "format", "FORMAT", "batch, csv, jsonl or text (default: by --prompt and file name)"},
    {0, "tenant", "NAME", "who pays"},
    {0, "user", "NAME", "who asks"},
    {0, "feature", "NAME", "what it is for"},
    {0, "deadline", "WHEN",
     "a time (2026-01-31T10:00:00Z) or a duration from now (8h): a task "
     "not begun by then expires"},
    {0, "timeout", "DURATION", "how long one call may take, e.g. 30s (default: as configured)"},
    {0, "complexity", "WORD", "simple, moderate or complex, for rules that route by it"},
    {0, "sensitive", NULL, "only backends marked private may see the tasks"},
    {'w', "wait", NULL, "wait until the job is done; exit 3 if a task failed"},
    {'n', "dry-run", NULL, "check the input, count, estimate the cost; send nothing"},
    {0}};

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcasecmp(s + n - m, suffix) == 0;
}

/* What kind of input this is, if --format does not say. */
static const char *guess_format(const struct arguments *a)
{
    const char *first = a->files[0];
    if (a->format)
        return a->format;
    if (!a->prompt.prompt)
        return "batch";
    if (ends_with(first, ".csv"))
        return "csv";
    if (ends_with(first, ".jsonl") || ends_with(first, ".ndjson") || strcmp(first, "-") == 0)
        return "jsonl";
    return "text";
}

static struct input *open_input(const struct arguments *a, const struct config *c,
                                struct error *err)
{
    const char *format = guess_format(a);
    size_t max = (size_t)c->submit.record_max;
    bool batch = strcmp(format, "batch") == 0, text = strcmp(format, "text") == 0;
    if (!batch && !(a->prompt.prompt && a->prompt.model)) {
        (void)error_set(err, ERROR_PERMANENT, "usage", "%s input needs --prompt and --model",
                        format);
        return NULL;
    }
    if (batch && (a->prompt.prompt || a->prompt.system || a->prompt.model || a->prompt.untrusted)) {
        (void)error_set(err, ERROR_PERMANENT, "usage",
                        "OpenAI Batch lines hold whole requests: --prompt, --untrusted, --system "
                        "and --model do not go with them");
        return NULL;
    }
    if (!text && a->file_count > 1) {
        (void)error_set(err, ERROR_PERMANENT, "usage",
                        "one %s file at a time; `cat` several to standard input (-)", format);
        return NULL;
    }
    if (batch)
        return input_batch_open(a->files[0], max, err);
    if (text)
        return input_files_open(a->files, a->file_count, &a->prompt, max, err);
    return (strcmp(format, "csv") == 0 ? input_csv_open : input_jsonl_open)(a->files[0], &a->prompt,
                                                                            max, err);
}

/* "batch-20261124-101500" for examples/batch.jsonl. */
static void default_name(const char *path, char *out, size_t size)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char now[UNITS_TEXT_MAX];
    time_t t = time(NULL);
    struct tm tm;
    if (strcmp(path, "-") == 0)
        base = "stdin";
    if (!gmtime_r(&t, &tm) || strftime(now, sizeof now, "%Y%m%d-%H%M%S", &tm) == 0)
        now[0] = '\0';
    (void)snprintf(out, size, "%.*s-%s", (int)strcspn(base, "."), base, now);
}

static void print_plan(const struct plan *p)
{
    char money[MONEY_TEXT_MAX], size[UNITS_TEXT_MAX];
    (void)printf("tasks                 %" PRId64 "\nsize                  %s\n"
                 "input tokens, about   %" PRId64 "\noutput tokens, about  %" PRId64 "\n"
                 "cost, about           $%s\n",
                 p->tasks, units_format_size(p->bytes, size), p->input_tokens, p->output_tokens,
                 money_format(p->cost, money));
    if (p->unpriced)
        (void)printf("without a price       %" PRId64 " tasks (see prices.models)\n", p->unpriced);
}

static void on_progress(void *arg, int64_t sent, int64_t total)
{
    progress_show(arg, sent, total, "submitted");
}

static quern_status send(const struct arguments *a, const struct config *c, PGconn *db,
                         struct input *in, const struct plan *plan, const char *name,
                         struct job *job, struct error *err)
{
    struct progress bar;
    if (job_open(db, name, &a->submission, plan, job, err) != QUERN_OK)
        return QUERN_FAIL;
    if (job->closed) {
        (void)fprintf(stderr, "job \"%s\" (%s): all %" PRId64 " tasks were submitted before\n",
                      job->name, job->id_text, job->total);
        return QUERN_OK;
    }
    if (reserve(db, c, in, &a->submission, job, err) != QUERN_OK)
        return QUERN_FAIL;
    progress_start(&bar, job->name);
    struct submission named = a->submission;
    named.job = job->name;
    quern_status status = publish(c, db, in, &named, job, on_progress, &bar, err);
    progress_end(&bar);
    if (status == QUERN_OK)
        (void)fprintf(stderr, "job \"%s\" (%s): %" PRId64 " tasks submitted\n", job->name,
                      job->id_text, job->total);
    return status;
}

static int submit_input(const struct arguments *a, struct config *c, struct input *in)
{
    struct error err;
    struct plan plan;
    struct job job;
    char name[JOB_NAME_MAX + 1];
    if (plan_read(in, &a->submission, c, &plan, &err) != QUERN_OK)
        return cli_fail(&err);
    if (a->dry_run) {
        print_plan(&plan);
        return EXIT_DONE;
    }
    if (a->job)
        (void)snprintf(name, sizeof name, "%s", a->job);
    else
        default_name(a->files[0], name, sizeof name);
    PGconn *db = cli_database(c, &err);
    if (!db)
        return cli_fail(&err);
    int code = send(a, c, db, in, &plan, name, &job, &err) == QUERN_OK ? EXIT_DONE : cli_fail(&err);
    if (code == EXIT_DONE && a->wait)
        code = status_wait(db, &job);
    if (code == EXIT_DONE && !a->wait)
        (void)puts(job.name);
    PQfinish(db);
    return code;
}

static bool parse_deadline(const char *s, int64_t *us)
{
    int64_t ms;
    if (units_parse_duration(s, &ms) && ms > 0) {
        *us = units_now_us() + ms * 1000;
        return true;
    }
    return units_parse_time(s, us);
}

static int set_option(struct options *o, int i, struct arguments *a)
{
    const char **const texts[] = {[OPT_CONFIG] = &a->config,
                                  [OPT_JOB] = &a->job,
                                  [OPT_PROMPT] = &a->prompt.prompt,
                                  [OPT_SYSTEM] = &a->prompt.system,
                                  [OPT_MODEL] = &a->prompt.model,
                                  [OPT_FORMAT] = &a->format,
                                  [OPT_TENANT] = &a->submission.tenant,
                                  [OPT_USER] = &a->submission.user,
                                  [OPT_FEATURE] = &a->submission.feature};
    struct wishes *wishes = &a->submission.wishes;
    bool *const flags[] = {[OPT_UNTRUSTED] = &a->prompt.untrusted,
                           [OPT_SENSITIVE] = &wishes->sensitive,
                           [OPT_WAIT] = &a->wait,
                           [OPT_DRY_RUN] = &a->dry_run};
    if (!defs[i].arg) {
        *flags[i] = true;
    } else if (i == OPT_TIMEOUT) {
        if (!units_parse_duration(o->value, &wishes->timeout_ms) || wishes->timeout_ms < 1 ||
            wishes->timeout_ms > WISH_TIMEOUT_MAX)
            return options_usage_error(o, "--timeout \"%s\" is no duration up to 24h", o->value);
    } else if (i == OPT_COMPLEXITY) {
        wishes->complexity = complexity_parse(o->value);
        if (!wishes->complexity)
            return options_usage_error(o, "--complexity \"%s\": simple, moderate or complex",
                                       o->value);
    } else if (i == OPT_PRIORITY) {
        a->submission.lane = lane_parse(o->value);
        if (a->submission.lane < 0)
            return options_usage_error(o, "unknown priority \"%s\": high, normal or low", o->value);
    } else if (i == OPT_DEADLINE) {
        if (!parse_deadline(o->value, &a->submission.deadline_us))
            return options_usage_error(o, "--deadline \"%s\" is neither a time nor a duration",
                                       o->value);
    } else {
        if (!utf8_valid(o->value, strlen(o->value), NULL))
            return options_usage_error(o, "--%s is not valid UTF-8", defs[i].name);
        *texts[i] = o->value;
    }
    return EXIT_DONE;
}

/* The names that go into every record and row must fit them. */
static int check_names(struct options *o, const struct arguments *a)
{
    const char *const names[] = {a->submission.tenant, a->submission.user, a->submission.feature};
    static const char *const formats[] = {"batch", "csv", "jsonl", "text"};
    for (size_t i = 0; i < 3; i++)
        if (names[i] && (!*names[i] || strlen(names[i]) > TASK_NAME_MAX))
            return options_usage_error(o, "tenant, user and feature have 1 to %d bytes",
                                       TASK_NAME_MAX);
    if (a->job && (!*a->job || strlen(a->job) > JOB_NAME_MAX))
        return options_usage_error(o, "a job's name has 1 to %d bytes", JOB_NAME_MAX);
    for (size_t i = 0; a->format && i < 4; i++)
        if (strcmp(formats[i], a->format) == 0)
            return EXIT_DONE;
    return a->format ? options_usage_error(o, "unknown format \"%s\"", a->format) : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &submit_verb, .program = "quern", .argc = argc, .argv = argv};
    struct arguments a = {.submission = {.lane = LANE_NORMAL}};
    struct error err;
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (set_option(&o, i, &a) != EXIT_DONE)
            return EXIT_USAGE;
    }
    if (argc == optind)
        return options_usage_error(&o, "a FILE is needed, or - for standard input");
    a.files = argv + optind;
    a.file_count = argc - optind;
    if (check_names(&o, &a) != EXIT_DONE)
        return EXIT_USAGE;
    struct config *c = cli_config(a.config);
    if (!c)
        return EXIT_USAGE;
    cli_catch_interrupts();
    struct input *in = open_input(&a, c, &err);
    int code = in ? submit_input(&a, c, in) : cli_fail(&err);
    if (in)
        in->ops->close(in);
    config_free(c);
    return code;
}

const struct verb submit_verb = {
    "submit",
    "Submit a job: a file of requests, rows with a prompt, or plain files",
    "FILE… [OPTION…]",
    "FILE is OpenAI Batch JSONL as it is; or, with --prompt, a CSV or JSONL file of rows, or any\n"
    "number of plain files ({{text}} is the content, {{file}} the path). - is standard input.\n"
    "The whole input is checked before anything is sent. Run again after an interruption, the\n"
    "same command completes the same job.",
    defs,
    "  quern submit batch.jsonl --job nightly-2026-11-24 --wait\n"
    "  quern submit reviews.csv --prompt 'Summarize: {{text}}' --model summarizer -p low\n"
    "  quern submit reviews.csv --untrusted --prompt 'Is it friendly? {{text}}' -m summarizer\n"
    "  quern submit docs/*.txt --prompt 'Summarize in one sentence: {{text}}' -m summarizer\n"
    "  quern submit batch.jsonl --dry-run",
    run};
