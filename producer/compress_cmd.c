/* `quern compress`: shows what the configuration's rules would make of prompts. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/compress.h"
#include "common/file.h"
#include "common/match.h"
#include "common/mem.h"
#include "verbs.h"

enum { OPT_CONFIG, OPT_DIFF, OPT_FEATURE, OPT_TENANT, OPT_MODEL, OPT_COUNT };
static const struct option_def defs[] = {
    CLI_CONFIG_OPTION,
    {'d', "diff", NULL, "show the lines that change, as diff does"},
    {0, "feature", "F", "as a task of this feature"},
    {0, "tenant", "T", "as a task of this tenant"},
    {0, "model", "M", "as a task for this model"},
    {0}};

/* A text to a file of its own, for diff. */
static bool spill(const struct buf *text, char path[32])
{
    memcpy(path, "/tmp/quern-compress-XXXXXX", sizeof "/tmp/quern-compress-XXXXXX");
    const int fd = mkstemp(path);
    if (fd < 0)
        return false;
    const bool done = write(fd, text->data ? text->data : "", text->len) == (ssize_t)text->len &&
                      write(fd, "\n", 1) == 1;
    (void)close(fd);
    return done;
}

static int diff(const struct buf *before, const struct buf *after)
{
    char a[32] = "", b[32] = "";
    int status = 2;
    if (spill(before, a) && spill(after, b)) {
        (void)fflush(stdout);
        const pid_t child = fork();
        if (child == 0) {
            execlp("diff", "diff", "-u", "--label", "before", "--label", "after", a, b,
                   (char *)NULL);
            _exit(127);
        }
        if (child > 0)
            (void)waitpid(child, &status, 0);
    }
    (void)unlink(a);
    (void)unlink(b);
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return EXIT_DONE;
    (void)fprintf(stderr, "quern: the program diff could not be run; without --diff the result is "
                          "shown whole\n");
    return EXIT_ERROR;
}

static int show(const struct config *c, const struct task_doc *d, const char *path, bool differs)
{
    struct error err;
    struct buf text, out;
    const struct config_compress_rule *r =
        match_first(&c->compress.rules, sizeof *r, d, LANE_NORMAL);
    if (!r || r->never) {
        (void)fprintf(stderr, "quern: no rule of `compress` in %s is for such a task\n", c->path);
        return EXIT_ERROR;
    }
    buf_init(&text, COMPRESS_TEXT_MAX);
    buf_init(&out, COMPRESS_TEXT_MAX);
    if (file_read(path, &text, &err) != QUERN_OK) {
        buf_free(&text);
        return cli_fail(&err);
    }
    compress_text(r, text.data ? text.data : "", text.len, &out);
    int code = EXIT_DONE;
    if (differs)
        code = diff(&text, &out);
    else
        (void)printf("%s\n", out.data ? out.data : "");
    (void)fprintf(stderr, "%zu bytes become %zu: about %zu tokens fewer (%.1f %%)\n", text.len,
                  out.len, text.len > out.len ? (text.len - out.len) / 4 : 0,
                  text.len ? 100.0 * ((double)text.len - (double)out.len) / (double)text.len : 0.0);
    buf_free(&text);
    buf_free(&out);
    return code;
}

static int run(int argc, char **argv)
{
    struct options o = {.verb = &compress_verb, .program = "quern", .argc = argc, .argv = argv};
    const char *given[OPT_COUNT] = {NULL};
    int i;
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        given[i] = o.value ? o.value : "";
    }
    if (argc - optind != 1)
        return options_usage_error(&o, "one FILE with a prompt is needed");
    struct config *c = cli_config(given[OPT_CONFIG]);
    if (!c)
        return EXIT_USAGE;
    struct task_doc d = {.model = mem_string(given[OPT_MODEL] ? given[OPT_MODEL] : ""),
                         .feature = mem_string(given[OPT_FEATURE]),
                         .tenant = mem_string(given[OPT_TENANT])};
    int code = show(c, &d, argv[optind], given[OPT_DIFF] != NULL);
    free(d.model);
    free(d.feature);
    free(d.tenant);
    config_free(c);
    return code;
}

const struct verb compress_verb = {
    "compress",
    "Show what the rules of `compress` make of a prompt",
    "FILE [OPTION…]",
    "Prints the text of FILE as a task's message would be sent, and what that saves. Code,\n"
    "quotations and JSON stay byte for byte. Short forms and max_tokens, which look at whole\n"
    "requests, are not applied here.",
    defs,
    "  quern compress prompt.txt\n  quern compress --diff page.html --feature summaries",
    run};
