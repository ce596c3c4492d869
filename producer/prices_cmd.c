/* `quern prices`: the price file that everyone maintains, taken over; and what a model costs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/money.h"
#include "common/price_read.h"
#include "common/prices.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_OUTPUT, PRICE_FILE_MAX = 64 << 20 };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {'o', "output", "FILE", "import: write there (default: prices.file of the configuration)"},
    {0}};

/* ---- import --------------------------------------------------------------------------------- */

struct import {
    struct buf out;
    struct price_table *before, *after;
    size_t models, new, changed, gone;
};

static void import_model(void *arg, const char *model, struct json entry, const struct price *p)
{
    struct import *i = arg;
    const struct price *old = price_find(i->before, model);
    buf_str(&i->out, i->models++ ? ",\n  " : "\n  ");
    buf_json(&i->out, model, strlen(model));
    buf_str(&i->out, ": ");
    price_compact(entry, &i->out);
    price_table_set(i->after, model, p);
    i->new += !old;
    if (!old || memcmp(old, p, offsetof(struct price, band) + p->count * sizeof *p->band) == 0)
        return;
    i->changed++;
    (void)printf("changed: %s\n", model);
}

static void tell_gone(void *arg, const char *model, const struct price *p)
{
    struct import *i = arg;
    (void)p;
    if (price_find(i->after, model))
        return;
    i->gone++;
    (void)printf("gone: %s\n", model);
}

/* A reader sees the old file or the new one, never a part. */
static quern_status write_file(const char *path, const struct buf *text, struct error *err)
{
    char *draft = mem_format("%s.%d", path, (int)getpid());
    FILE *f = fopen(draft, "we");
    bool good = f && fwrite(text->data, 1, text->len, f) == text->len && fflush(f) == 0 &&
                fsync(fileno(f)) == 0;
    good = f && fclose(f) == 0 && good;
    good = good && rename(draft, path) == 0;
    if (!good)
        (void)error_set(err, ERROR_PERMANENT, "io", "cannot write %s: %s", path, strerror(errno));
    if (!good && f)
        (void)unlink(draft);
    free(draft);
    return good ? QUERN_OK : QUERN_FAIL;
}

static quern_status read_before(const char *path, struct price_table *t, struct error *err)
{
    struct buf text;
    quern_status status = QUERN_OK;
    if (access(path, F_OK) != 0)
        return QUERN_OK;
    buf_init(&text, PRICE_FILE_MAX);
    if (file_read(path, &text, err) != QUERN_OK ||
        price_table_read(t, text.data ? text.data : "", text.len, err) != QUERN_OK)
        status = error_prefix(err, "%s, which would be replaced", path);
    buf_free(&text);
    return status;
}

static quern_status import_text(struct import *i, const char *from, struct error *err)
{
    struct buf text;
    buf_init(&text, PRICE_FILE_MAX);
    quern_status status = file_read(strcmp(from, "-") == 0 ? "/dev/stdin" : from, &text, err);
    buf_char(&i->out, '{');
    if (status == QUERN_OK)
        status = price_read_file(text.data ? text.data : "", text.len, import_model, i, err);
    buf_str(&i->out, "\n}\n");
    buf_free(&text);
    if (status == QUERN_OK && i->models == 0)
        return error_set(err, ERROR_PERMANENT, "invalid_prices",
                         "it has no model with input_cost_per_token or output_cost_per_token");
    if (status == QUERN_OK && i->out.overflow)
        return error_set(err, ERROR_PERMANENT, "invalid_prices", "it is longer than %d bytes",
                         PRICE_FILE_MAX);
    return status;
}

static int import_file(const struct config *c, const char *from, const char *to)
{
    struct import i = {.before = price_table_new(), .after = price_table_new()};
    struct error err;
    to = to ? to : c->prices.file;
    buf_init(&i.out, PRICE_FILE_MAX);
    quern_status status =
        to ? read_before(to, i.before, &err)
           : error_set(&err, ERROR_PERMANENT, "usage",
                       "where to? Give --output FILE, or set prices.file in %s", c->path);
    if (status == QUERN_OK && (status = import_text(&i, from, &err)) != QUERN_OK)
        (void)error_prefix(&err, "%s", from);
    if (status == QUERN_OK)
        status = write_file(to, &i.out, &err);
    if (status == QUERN_OK)
        price_table_each(i.before, tell_gone, &i);
    if (status == QUERN_OK)
        (void)printf("%s: %zu models, %zu of them new, %zu changed, %zu gone; version %s\n", to,
                     i.models, i.new, i.changed, i.gone, price_table_version(i.after));
    else
        (void)fprintf(stderr, "quern prices: %s; nothing was written\n", err.message);
    price_table_free(i.before);
    price_table_free(i.after);
    buf_free(&i.out);
    return status == QUERN_OK ? EXIT_DONE : EXIT_USAGE;
}

/* ---- show ----------------------------------------------------------------------------------- */

struct show {
    char **models;
    int count, shown;
};

static void print_rates(const char *model, const struct price_band *b, enum price_tier tier)
{
    char money[MONEY_TEXT_MAX];
    bool any = false;
    for (int part = 0; part < PART_COUNT; part++)
        any = any || b->rate[tier][part] >= 0;
    if (!any)
        return;
    (void)printf("%-40s %-9s %9lld", model, price_tier_names[tier], (long long)b->above);
    for (int part = 0; part < PART_COUNT; part++)
        (void)printf(" %11s",
                     b->rate[tier][part] < 0 ? "-" : money_format(b->rate[tier][part], money));
    (void)putchar('\n');
}

static void show_model(void *arg, const char *model, const struct price *p)
{
    struct show *s = arg;
    bool wanted = s->count == 0;
    for (int i = 0; i < s->count; i++)
        wanted = wanted || config_matches(s->models[i], model);
    if (!wanted)
        return;
    s->shown++;
    for (int tier = 0; tier < TIER_COUNT; tier++)
        for (size_t i = 0; i < p->count; i++)
            print_rates(model, &p->band[i], (enum price_tier)tier);
}

static int show(struct config *c, char **models, int count)
{
    struct error err;
    struct show s = {.models = models, .count = count};
    struct price_table *t = prices_load(c, &err);
    if (!t) {
        (void)fprintf(stderr, "quern prices: %s\n", err.message);
        return EXIT_USAGE;
    }
    (void)printf(
        "version %s; USD per million tokens\n%-40s %-9s %9s %11s %11s %11s %11s %11s %11s\n",
        price_table_version(t), "model", "tier", "above", "input", "output", "cached",
        "cache write", "write 1h", "reasoning");
    price_table_each(t, show_model, &s);
    price_table_free(t);
    if (s.shown)
        return EXIT_DONE;
    (void)fprintf(stderr, "quern prices: no model of that name has a price; give it one with "
                          "prices.models, or import a newer price file\n");
    return EXIT_ERROR;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &prices_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *config = NULL, *output = NULL;
    int i, code;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        *(i == OPT_OUTPUT ? &output : &config) = o.value;
    }
    const char *what = optind < argc ? argv[optind] : "";
    int rest = argc - optind - 1;
    bool import = strcmp(what, "import") == 0;
    if (!import && strcmp(what, "show") != 0)
        return options_usage_error(&o, "import or show is needed");
    if (import && rest != 1)
        return options_usage_error(&o, "import needs one price file, or -");
    struct config *c = cli_config(config);
    if (!c)
        return EXIT_USAGE;
    code = import ? import_file(c, argv[optind + 1], output) : show(c, argv + optind + 1, rest);
    config_free(c);
    return code;
}

const struct verb prices_verb = {
    "prices",
    "Take over a price file, or show what models cost",
    "import FILE | show [MODEL…] [OPTION…]",
    "import reads LiteLLM's model_prices_and_context_window.json (- for standard input), refuses "
    "it\n"
    "whole if a price is malformed, keeps what quern computes with, and names what has changed or "
    "is gone.\n"
    "Workers use it from their next start on. show lists the rates in force; * in a MODEL stands\n"
    "for any characters.",
    defs,
    "  quern prices import model_prices_and_context_window.json\n"
    "  quern prices show 'gpt-4o*'",
    run};
