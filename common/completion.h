/* Shell completions from the tables of options: what `--help` knows, the shells know. */
#ifndef QUERN_COMPLETION_H
#define QUERN_COMPLETION_H
#include "common/options.h"

/* Prints the completion of a program for bash, zsh or fish. `verbs` ends with a NULL name; one verb
 * with an empty name: the program has none. False: there is no such shell. */
bool completion_print(const char *shell, const char *program, const struct verb *verbs, FILE *out);
#endif
