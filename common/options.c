#include "common/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

enum { OPTION_FIRST = 1000, HELP_CODE = 999 }; /* codes of long options, above any letter */

static size_t fill(const struct option_def *defs, struct option *longs, char *letters)
{
    size_t n = 0;
    *letters++ = ':'; /* tell a missing value from an unknown option */
    *letters++ = 'h';
    for (; defs && defs[n].name && n < OPTIONS_MAX; n++) {
        longs[n] = (struct option){defs[n].name, defs[n].arg ? required_argument : no_argument,
                                   NULL, OPTION_FIRST + (int)n};
        if (defs[n].letter) {
            *letters++ = defs[n].letter;
            if (defs[n].arg)
                *letters++ = ':';
        }
    }
    *letters = '\0';
    longs[n] = (struct option){"help", no_argument, NULL, HELP_CODE};
    longs[n + 1] = (struct option){0};
    return n;
}

static int by_letter(const struct option_def *defs, int letter)
{
    for (int i = 0; defs && defs[i].name; i++)
        if (defs[i].letter == letter)
            return i;
    return OPTION_BAD;
}

int options_next(struct options *o)
{
    struct option longs[OPTIONS_MAX + 2];
    char letters[2 * OPTIONS_MAX + 4];
    (void)fill(o->verb->options, longs, letters);
    int c = getopt_long(o->argc, o->argv, letters, longs, NULL);
    o->value = optarg;
    if (c == -1)
        return OPTION_END;
    if (c == HELP_CODE || c == 'h') {
        options_help(o->program, o->verb, stdout);
        return OPTION_HELP;
    }
    if (c == '?' || c == ':') {
        char letter[3] = {'-', (char)optopt, '\0'}; /* a long option's code is no letter */
        bool is_letter = optopt > 0 && optopt < HELP_CODE;
        (void)options_usage_error(o, c == ':' ? "%s needs a value" : "unknown option %s",
                                  is_letter ? letter : o->argv[optind - 1]);
        return OPTION_BAD;
    }
    return c >= OPTION_FIRST ? c - OPTION_FIRST : by_letter(o->verb->options, c);
}

int options_usage_error(const struct options *o, const char *fmt, ...)
{
    va_list args;
    const char *gap = *o->verb->name ? " " : "";
    (void)fprintf(stderr, "%s%s%s: ", o->program, gap, o->verb->name);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "; see `%s%s%s --help`\n", o->program, gap, o->verb->name);
    return EXIT_USAGE;
}

static void option_line(const struct option_def *d, char *out, size_t size)
{
    (void)snprintf(out, size, "%c%c%s --%s%s%s", d->letter ? '-' : ' ', d->letter ? d->letter : ' ',
                   d->letter ? "," : " ", d->name, d->arg ? " " : "", d->arg ? d->arg : "");
}

void options_help(const char *program, const struct verb *verb, FILE *out)
{
    const char *gap = *verb->name ? " " : "";
    (void)fprintf(out, "%s\n\nUsage: %s%s%s %s\n", verb->summary, program, gap, verb->name,
                  verb->usage);
    if (verb->detail)
        (void)fprintf(out, "\n%s\n", verb->detail);
    (void)fprintf(out, "\nOptions:\n");
    for (const struct option_def *d = verb->options; d && d->name; d++) {
        char line[64];
        option_line(d, line, sizeof line);
        (void)fprintf(out, "  %-30s %s\n", line, d->doc);
    }
    (void)fprintf(out, "  %-30s %s\n", "-h,  --help", "show this help");
    if (verb->examples)
        (void)fprintf(out, "\nExamples:\n%s\n", verb->examples);
}

/* roff takes a leading dot or quote, and any backslash, as its own. */
static void man_text(const char *s, FILE *out)
{
    bool line_start = true;
    for (; s && *s; s++) {
        if (line_start && (*s == '.' || *s == '\''))
            (void)fputs("\\&", out);
        if (*s == '\\')
            (void)fputs("\\e", out);
        else if (*s == '-')
            (void)fputs("\\-", out);
        else
            (void)fputc(*s, out);
        line_start = *s == '\n';
    }
}

static void man_verb(const char *program, const struct verb *v, FILE *out)
{
    (void)fprintf(out, ".SS %s %s %s\n", program, v->name, v->usage);
    man_text(v->summary, out);
    (void)fputs(".\n", out);
    if (v->detail) {
        (void)fputs(".PP\n", out);
        man_text(v->detail, out);
        (void)fputc('\n', out);
    }
    for (const struct option_def *d = v->options; d && d->name; d++) {
        char line[64];
        option_line(d, line, sizeof line);
        (void)fputs(".TP\n.B ", out);
        man_text(line + strspn(line, " "), out);
        (void)fputc('\n', out);
        man_text(d->doc, out);
        (void)fputc('\n', out);
    }
    if (v->examples) {
        (void)fputs(".PP\n.nf\n", out);
        man_text(v->examples, out);
        (void)fputs("\n.fi\n", out);
    }
}

void options_man(const char *program, const char *summary, const char *about,
                 const struct verb *verbs, FILE *out)
{
    (void)fprintf(out, ".TH %s 1 \"\" \"quern %s\"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n",
                  program, QUERN_VERSION, program, summary);
    man_text(about, out);
    (void)fputs("\n.SH COMMANDS\n", out);
    for (; verbs->name; verbs++)
        man_verb(program, verbs, out);
    (void)fputs(
        ".SH EXIT STATUS\n0 done, 1 error, 2 usage, 3 finished with failed tasks, "
        "4 a service was unreachable, 5 a limit refused the job, 130 interrupted.\n.SH SEE ALSO\n"
        "quern(1), quern\\-worker(1), quern.yaml(5)\n",
        out);
}
