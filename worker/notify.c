#include "notify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/money.h"

enum { MESSAGE_MAX = 8192 };

struct told {
    notify_told *call;
    void *arg;
};

static void on_sent(void *arg, int64_t id, bool taken)
{
    struct told *t = arg;
    if (taken)
        t->call(t->arg, id);
    free(t);
}

void notify_budget(struct webhook *w, const struct quota_warning *q, notify_told *told, void *arg)
{
    char spent[MONEY_TEXT_MAX], amount[MONEY_TEXT_MAX];
    struct buf data;
    (void)money_format(q->spent, spent);
    (void)money_format(q->amount, amount);
    log_warn("a budget is used up to a percentage that it warns at", LOG_S("limit", q->name),
             LOG_S("subject", q->subject), LOG_N("percent", q->percent), LOG_S("spent_usd", spent),
             LOG_S("limit_usd", amount));
    if (!w) {
        told(arg, q->id);
        return;
    }
    struct told *t = mem_alloc(sizeof *t);
    *t = (struct told){told, arg};
    buf_init(&data, MESSAGE_MAX);
    buf_char(&data, '{');
    buf_json_member(&data, "limit", q->name);
    buf_char(&data, ',');
    buf_json_member(&data, "subject", q->subject);
    buf_char(&data, ',');
    buf_json_member(&data, "period", q->period);
    buf_printf(&data, ",\"percent\":%" PRId64 ",\"spent_usd\":\"%s\",\"limit_usd\":\"%s\"}",
               q->percent, spent, amount);
    webhook_send(w, q->id, "quern.budget.warning", data.data, on_sent, t);
    buf_free(&data);
}
