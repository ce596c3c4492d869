#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/options.h"
#include "suites.h"

static const struct option_def defs[] = {{'j', "job", "NAME", "its name"},
                                         {'w', "wait", NULL, "wait for it"},
                                         {0, "system", "TEXT", "a message"},
                                         {0}};
static const struct verb verb = {"grind", "Grind.", "FILE", NULL, defs, NULL, NULL};

enum { ARGS_MAX = 16 };

/* Splits `line` at spaces; getopt moves operands behind the options. */
static struct options options_of(char *line, char **argv)
{
    struct options o = {.verb = &verb, .program = "quern", .argv = argv};
    for (char *p = strtok(line, " "); p && o.argc < ARGS_MAX; p = strtok(NULL, " "))
        argv[o.argc++] = p;
    argv[o.argc] = NULL;
    optind = 0; /* from the start again */
    return o;
}

static int quiet(struct options *o, int fd, char *said, size_t size)
{
    FILE *f = tmpfile();
    int saved = dup(fd);
    (void)fflush(NULL);
    ck_assert(f && dup2(fileno(f), fd) == fd);
    int r = options_next(o);
    (void)fflush(NULL);
    ck_assert(dup2(saved, fd) == fd && close(saved) == 0);
    rewind(f);
    said[fread(said, 1, size - 1, f)] = '\0';
    (void)fclose(f);
    return r;
}

START_TEST(options_come_in_any_form_and_among_operands)
{
    char line[] = "grind a -j one --wait b --job=two --system three -- -w", *argv[ARGS_MAX + 1];
    struct options o = options_of(line, argv);
    ck_assert_int_eq(options_next(&o), 0);
    ck_assert_str_eq(o.value, "one");
    ck_assert_int_eq(options_next(&o), 1);
    ck_assert_int_eq(options_next(&o), 0);
    ck_assert_str_eq(o.value, "two");
    ck_assert_int_eq(options_next(&o), 2);
    ck_assert_str_eq(o.value, "three");
    ck_assert_int_eq(options_next(&o), OPTION_END);
    ck_assert_int_eq(o.argc - optind, 3);
    ck_assert_str_eq(argv[optind], "a");
    ck_assert_str_eq(argv[optind + 2], "-w"); /* behind "--" it is no option */
}
END_TEST

static void expect_bad(const char *text, const char *says)
{
    char line[64], said[512], *argv[ARGS_MAX + 1];
    (void)snprintf(line, sizeof line, "%s", text);
    struct options o = options_of(line, argv);
    ck_assert_int_eq(quiet(&o, STDERR_FILENO, said, sizeof said), OPTION_BAD);
    ck_assert_msg(strstr(said, says), "%s: %s", text, said);
    ck_assert_msg(strstr(said, "quern grind --help"), "%s", said);
}

START_TEST(a_mistake_names_the_option)
{
    expect_bad("grind --jab x", "unknown option --jab");
    expect_bad("grind -x", "unknown option -x");
    expect_bad("grind --job", "--job needs a value");
    expect_bad("grind -j", "-j needs a value");
    expect_bad("grind --wait=yes", "--wait=yes");
}
END_TEST

START_TEST(a_mistake_inside_joined_letters_names_them)
{
    expect_bad("grind -xw", "-x");
}
END_TEST

START_TEST(help_lists_every_option)
{
    static const char *const forms[] = {"grind --help", "grind -h"};
    for (size_t i = 0; i < 2; i++) {
        char line[64], said[2048], *argv[ARGS_MAX + 1];
        (void)snprintf(line, sizeof line, "%s", forms[i]);
        struct options o = options_of(line, argv);
        ck_assert_int_eq(quiet(&o, STDOUT_FILENO, said, sizeof said), OPTION_HELP);
        ck_assert(strstr(said, "Usage: quern grind FILE") && strstr(said, "-j, --job NAME"));
        ck_assert(strstr(said, "--system TEXT") && strstr(said, "--help"));
    }
}
END_TEST

START_TEST(the_man_page_escapes_what_roff_takes_for_its_own)
{
    static const struct verb verbs[] = {
        {"v", ".first \\ line\n'second", "", NULL, NULL, NULL, NULL}, {0}};
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    options_man("quern", "s", "about", verbs, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_ptr_nonnull(strstr(text, "\n\\&.first \\e line\n\\&'second"));
    free(text);
}
END_TEST

Suite *suite_options(void)
{
    const TTest *const tests[] = {
        options_come_in_any_form_and_among_operands,      a_mistake_names_the_option,
        a_mistake_inside_joined_letters_names_them,       help_lists_every_option,
        the_man_page_escapes_what_roff_takes_for_its_own, NULL};
    return suite_of("options", tests);
}
