/* Tells that a budget has reached a percentage: by log and, if there is one, by webhook. */
#ifndef QUERN_NOTIFY_H
#define QUERN_NOTIFY_H
#include "quota.h"
#include "webhook.h"

/* It need not be told again. */
typedef void notify_told(void *arg, int64_t id);

/* `w` NULL: the log is enough. `told` is called at once then, else when the message was taken. */
void notify_budget(struct webhook *w, const struct quota_warning *q, notify_told *told, void *arg);
#endif
