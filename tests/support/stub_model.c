#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/options.h"
#include "stub.h"

enum {
    OPT_PORT,
    OPT_LATENCY,
    OPT_JITTER,
    OPT_GAP,
    OPT_CAPACITY,
    OPT_FAULT,
    OPT_RETRY_AFTER,
    OPT_SEED,
    OPT_LOG
};

static const struct option_def defs[] = {
    {'p', "port", "N", "listen on 127.0.0.1:N (default: any free port, printed)"},
    {'l', "latency", "SECONDS", "answer after this long (default 0)"},
    {'j', "jitter", "SECONDS", "plus a random part of this"},
    {'g', "gap", "SECONDS", "between the events of a streamed answer (default 0)"},
    {'c', "capacity", "N", "answer 429 at once to more than N calls at a time (default: any)"},
    {'f', "fault", "KIND=RATE", "fail this share of the calls, e.g. 429=0.1; may be repeated"},
    {0, "retry-after", "SECONDS", "in the header of a 429 (default 1)"},
    {0, "seed", "N", "of the random choices (default 1)"},
    {0, "log", "FILE", "append a line of JSON for each call that ended"},
    {0}};

static const struct verb stub = {
    "",
    "stub-model: an OpenAI-compatible service for tests",
    "[OPTION…]",
    "Kinds of faults: 429 quota 400 401 500 503 hang slow reset truncated malformed length huge\n"
    "empty stall midway nousage. A prompt can ask for one itself: [[stub:500:2]] fails its first "
    "two calls.\n"
    "GET /stub/calls tells the calls by prompt; GET /stub/reset forgets them; "
    "GET\n/stub/fault/503=0.5 changes a rate.",
    defs,
    "  stub-model --port 8080 --latency 1 --fault 429=0.05",
    NULL};

static void on_signal(struct ev_loop *loop, ev_signal *w, int events)
{
    (void)w;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

int main(int argc, char **argv)
{
    struct stub_options so = {.retry_after = 1};
    struct options o = {.verb = &stub, .program = "stub-model", .argc = argc, .argv = argv};
    int port = 0, i;
    srand48(1);
    while ((i = options_next(&o)) != OPTION_END) {
        if (i < 0)
            return i == OPTION_HELP ? EXIT_DONE : EXIT_USAGE;
        if (i == OPT_PORT)
            port = atoi(o.value);
        else if (i == OPT_LATENCY)
            so.latency = atof(o.value);
        else if (i == OPT_JITTER)
            so.jitter = atof(o.value);
        else if (i == OPT_GAP)
            so.gap = atof(o.value);
        else if (i == OPT_CAPACITY)
            so.capacity = atoi(o.value);
        else if (i == OPT_RETRY_AFTER)
            so.retry_after = atoi(o.value);
        else if (i == OPT_SEED)
            srand48(atol(o.value));
        else if (i == OPT_LOG && !(so.log = fopen(o.value, "ae")))
            return options_usage_error(&o, "cannot write %s", o.value);
        else if (i == OPT_FAULT && !stub_set_fault(&so, o.value))
            return options_usage_error(&o, "unknown fault \"%s\"", o.value);
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    ev_signal term, intr;
    ev_signal_init(&term, on_signal, SIGTERM);
    ev_signal_init(&intr, on_signal, SIGINT);
    ev_signal_start(loop, &term);
    ev_signal_start(loop, &intr);
    port = stub_listen(loop, &so, port);
    if (port < 0)
        return EXIT_ERROR;
    (void)printf("listening on http://127.0.0.1:%d/v1\n", port);
    (void)fflush(stdout);
    ev_run(loop, 0);
    return EXIT_DONE;
}
