#include "common/completion.h"

#include <ctype.h>
#include <string.h>

/* Options whose value is a file are completed with files. */
static bool takes_file(const struct option_def *d)
{
    return d->arg && (strcmp(d->arg, "FILE") == 0 || strcmp(d->arg, "DIR") == 0);
}

/* Arguments that are files. */
static bool has_files(const struct verb *v)
{
    return strstr(v->usage, "FILE") != NULL;
}

/* Where the words begin that may be written first, of "up|down|status" and of "[list | set NAME |
 * usage [NAME]]"; NULL: the usage begins otherwise. */
static const char *actions_of(const struct verb *v)
{
    const char *p = v->usage + strspn(v->usage, "[ ");
    return islower((unsigned char)*p) && strchr(p, '|') ? p : NULL;
}

static void print_actions(const struct verb *v, FILE *out)
{
    const char *p = actions_of(v);
    while (p && islower((unsigned char)*p)) {
        const size_t len = strcspn(p, " |[]");
        (void)fprintf(out, " %.*s", (int)len, p);
        p += strcspn(p, "|");
        p += strspn(p, "| ");
    }
}

/* In single quotes, for bash, zsh and fish alike; `also` is escaped with a backslash. */
static void print_quoted(const char *text, const char *also, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else if (strchr(also, *text))
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

/* ---- bash ----------------------------------------------------------------------------------- */

static void bash_options(const struct verb *v, FILE *out)
{
    for (const struct option_def *d = v->options; d && d->name; d++) {
        (void)fprintf(out, " --%s", d->name);
        if (d->letter)
            (void)fprintf(out, " -%c", d->letter);
    }
    (void)fputs(" --help", out);
}

/* What follows an option that takes a value: files, or what only the user knows. */
static void bash_values(const struct verb *v, FILE *out)
{
    for (const struct option_def *d = v->options; d && d->name; d++) {
        if (!d->arg)
            continue;
        (void)fprintf(out, "    --%s", d->name);
        if (d->letter)
            (void)fprintf(out, "|-%c", d->letter);
        (void)fputs(takes_file(d)
                        ? ") local IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
                        : ") return ;;\n",
                    out);
    }
}

static void bash_verb(const struct verb *v, FILE *out)
{
    (void)fprintf(out, "  %s)\n    case $before in\n", v->name[0] ? v->name : "*");
    bash_values(v, out);
    (void)fputs("    esac\n    words='", out);
    print_actions(v, out);
    bash_options(v, out);
    (void)fputs("'\n", out);
    if (has_files(v))
        (void)fputs(
            "    [[ $word == -* ]] || { local IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"$word\")); "
            "return; }\n",
            out);
    (void)fputs("    ;;\n", out);
}

static void print_bash(const char *program, const char *function, const struct verb *verbs,
                       FILE *out)
{
    (void)fprintf(out,
                  "# bash completion of %s; made by `%s --completion bash`\n_%s() {\n"
                  "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
                  "words=''\n  COMPREPLY=()\n",
                  program, program, function);
    if (verbs[0].name[0]) {
        (void)fputs("  if ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W '", out);
        for (const struct verb *v = verbs; v->name; v++)
            (void)fprintf(out, "%s ", v->name);
        (void)fputs("--help --version' -- \"$word\"))\n    return\n  fi\n", out);
    }
    (void)fputs("  case ${COMP_WORDS[1]} in\n", out);
    for (const struct verb *v = verbs; v->name; v++)
        bash_verb(v, out);
    (void)fprintf(out,
                  "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
                  "complete -o filenames -F _%s %s\n",
                  function, program);
}

/* ---- zsh ------------------------------------------------------------------------------------ */

static void zsh_verb(const struct verb *v, FILE *out)
{
    (void)fputs("_arguments -s", out);
    for (const struct option_def *d = v->options; d && d->name; d++) {
        if (d->letter)
            (void)fprintf(out, " \\\n      '(-%c --%s)'{-%c,--%s}'[", d->letter, d->name, d->letter,
                          d->name);
        else
            (void)fprintf(out, " \\\n      '--%s[", d->name);
        print_quoted(d->doc, "[]:", out);
        (void)fprintf(out, "]%s%s%s'", d->arg ? ":" : "", d->arg ? d->arg : "",
                      takes_file(d) ? ":_files"
                      : d->arg      ? ": "
                                    : "");
    }
    (void)fputs(" \\\n      '--help[show help]'", out);
    if (actions_of(v)) {
        (void)fputs(" \\\n      '1:what:(", out);
        print_actions(v, out);
        (void)fputs(")'", out);
    } else if (has_files(v)) {
        (void)fputs(" \\\n      '*:file:_files'", out);
    }
    (void)fputc('\n', out);
}

static void print_zsh(const char *program, const char *function, const struct verb *verbs,
                      FILE *out)
{
    (void)fprintf(out, "#compdef %s\n# made by `%s --completion zsh`\n_%s() {\n", program, program,
                  function);
    if (!verbs[0].name[0]) {
        (void)fputs("  ", out);
        zsh_verb(verbs, out);
        (void)fprintf(out, "}\n_%s \"$@\"\n", function);
        return;
    }
    (void)fputs("  local -a verbs=(\n", out);
    for (const struct verb *v = verbs; v->name; v++) {
        (void)fprintf(out, "    '%s:", v->name);
        print_quoted(v->summary, ":", out);
        (void)fputs("'\n", out);
    }
    (void)fputs("  )\n  if ((CURRENT == 2)); then\n    _describe verb verbs\n    return\n  fi\n"
                "  local verb=$words[2]\n  shift words\n  ((CURRENT--))\n  case $verb in\n",
                out);
    for (const struct verb *v = verbs; v->name; v++) {
        (void)fprintf(out, "  %s)\n    ", v->name);
        zsh_verb(v, out);
        (void)fputs("    ;;\n", out);
    }
    (void)fprintf(out, "  esac\n}\n_%s \"$@\"\n", function);
}

/* ---- fish ----------------------------------------------------------------------------------- */

static void fish_verb(const char *program, const struct verb *v, FILE *out)
{
    char when[128] = "";
    if (v->name[0])
        (void)snprintf(when, sizeof when, " -n '__fish_seen_subcommand_from %s'", v->name);
    for (const struct option_def *d = v->options; d && d->name; d++) {
        (void)fprintf(out, "complete -c %s%s -l %s", program, when, d->name);
        if (d->letter)
            (void)fprintf(out, " -s %c", d->letter);
        (void)fprintf(out, "%s -d '", takes_file(d) ? " -r -F" : d->arg ? " -x" : "");
        print_quoted(d->doc, "", out);
        (void)fputs("'\n", out);
    }
    if (actions_of(v)) {
        (void)fprintf(out, "complete -c %s%s -a '", program, when);
        print_actions(v, out);
        (void)fputs("'\n", out);
    }
    if (has_files(v))
        (void)fprintf(out, "complete -c %s%s -F\n", program, when);
}

static void print_fish(const char *program, const struct verb *verbs, FILE *out)
{
    (void)fprintf(out,
                  "# fish completion of %s; made by `%s --completion fish`\ncomplete -c %s -f\n",
                  program, program, program);
    for (const struct verb *v = verbs; v->name && v->name[0]; v++) {
        (void)fprintf(out, "complete -c %s -n __fish_use_subcommand -a %s -d '", program, v->name);
        print_quoted(v->summary, "", out);
        (void)fputs("'\n", out);
    }
    for (const struct verb *v = verbs; v->name; v++)
        fish_verb(program, v, out);
    (void)fprintf(out, "complete -c %s -l help -d 'show help'\n", program);
}

bool completion_print(const char *shell, const char *program, const struct verb *verbs, FILE *out)
{
    char function[64]; /* a name that every shell takes */
    (void)snprintf(function, sizeof function, "%s", program);
    for (char *p = function; *p; p++)
        *p = *p == '-' ? '_' : *p;
    if (strcmp(shell, "bash") == 0)
        print_bash(program, function, verbs, out);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(program, function, verbs, out);
    else if (strcmp(shell, "fish") == 0)
        print_fish(program, verbs, out);
    else
        return false;
    return true;
}
