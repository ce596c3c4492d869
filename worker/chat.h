/* Reading a chat completion request in OpenAI's shape, for dialects that say it otherwise. Pure.
 * Source of the fields: OpenAI's API reference, "Create chat completion". */
#ifndef QUERN_CHAT_H
#define QUERN_CHAT_H
#include "dialect.h"

/* The members that a dialect can be asked to translate. */
enum chat_member {
    CHAT_MODEL,
    CHAT_MESSAGES,
    CHAT_MAX_TOKENS,
    CHAT_TEMPERATURE,
    CHAT_TOP_P,
    CHAT_TOP_K,
    CHAT_STOP,
    CHAT_N,
    CHAT_SEED,
    CHAT_FREQUENCY_PENALTY,
    CHAT_PRESENCE_PENALTY,
    CHAT_TOOLS,
    CHAT_TOOL_CHOICE,
    CHAT_PARALLEL_TOOL_CALLS,
    CHAT_RESPONSE_FORMAT,
    CHAT_REASONING_EFFORT,
    CHAT_USER,
    CHAT_MEMBERS
};

/* One message; `name`, `refusal` and the like are refused, for they would be lost. */
struct chat_message {
    size_t number; /* from 0, for messages of errors */
    struct json role, content, tool_calls, tool_call_id;
};

/* One call of a function, its arguments decoded and checked: a JSON object. */
struct chat_call {
    struct json id, name;
    struct buf arguments;
};

/* Refuses the request, naming the field. Returns QUERN_FAIL. */
quern_status chat_refuse(struct error *err, const char *field, const char *why);

/* Reads the members of a request; null and members that ask for nothing (n: 1, logprobs: false …)
 * are absent. Refuses what is not in `enum chat_member`, and what the dialect lists in `refused`
 * (ends with CHAT_MEMBERS), and other urls than that of chat completions. */
MUST_CHECK quern_status chat_read(const struct request *r, const enum chat_member refused[],
                                  const char *dialect, struct json m[CHAT_MEMBERS],
                                  struct error *err);
/* Reads the next message. 1: there is one, 0: no more, -1: refused. */
MUST_CHECK int chat_next(struct json messages, size_t *pos, struct chat_message *m,
                         struct error *err);
/* Reads the next of a message's tool_calls, as chat_next() does; the arguments are the caller's to
 * free, also if it was refused. */
MUST_CHECK int chat_next_call(const struct chat_message *m, size_t *pos, struct chat_call *call,
                              struct error *err);

/* Appends the text of a content: a string, or parts of text only; each part goes through `put` with
 * its raw string. Other parts go to `image` (their url, decoded), or are refused if it is NULL. */
struct chat_content {
    void (*text)(void *arg, struct json text);
    quern_status (*image)(void *arg, const char *url, size_t len, const char *field,
                          struct error *err);
    void *arg;
};
MUST_CHECK quern_status chat_content(const struct chat_message *m, const struct chat_content *to,
                                     struct error *err);

/* Messages being written in another API's shape. Those in a row of one role stand in one: the
 * results of all calls of a turn belong together. */
struct chat_writer {
    struct buf *out;
    const struct chat_shape *shape;
    struct json messages;
    const char *role; /* of the message that is open; NULL: none is */
    bool first;       /* the next part is its first */
};
/* What differs: the words, and how a part is written (after chat_next_part()). */
struct chat_shape {
    const char *assistant, *parts; /* its name for the role, and for a message's list of parts */
    void (*text)(void *writer, struct json text);
    quern_status (*image)(void *writer, const char *url, size_t len, const char *field,
                          struct error *err);
    void (*call)(struct chat_writer *w, const struct chat_call *call);
    quern_status (*result)(struct chat_writer *w, const struct chat_message *m, struct error *err);
};
/* Separates the parts of a message. */
void chat_next_part(struct chat_writer *w);
/* Appends the inside of the list of messages, without the system ones at the beginning; refuses
 * later ones. */
MUST_CHECK quern_status chat_put_messages(struct buf *out, struct json messages,
                                          const struct chat_shape *shape, struct error *err);
/* Is it an instruction: of the role system, or developer? */
bool chat_is_system(const struct chat_message *m);

/* One function that the model may call. */
struct chat_tool {
    size_t number; /* from 0 */
    struct json name, description, parameters, strict;
};
MUST_CHECK int chat_next_tool(struct json tools, size_t *pos, struct chat_tool *t,
                              struct error *err);
/* tool_choice: one of "auto", "none", "required", or the raw name of a function in *name. */
MUST_CHECK quern_status chat_tool_choice(struct json v, const char **mode, struct json *name,
                                         struct error *err);
/* response_format: absent for text, *any for json_object, else the schema. */
MUST_CHECK quern_status chat_format(struct json v, struct json *schema, bool *any,
                                    struct error *err);
/* "data:image/png;base64,AAAA" to its type and data. False if it is no such url. */
bool chat_data_url(const char *url, size_t len, const char **type, size_t *type_len,
                   const char **data, size_t *data_len);
/* Is the message of this role? */
bool chat_is(const struct chat_message *m, const char *role);

/* Appends `,"key":` and the raw value, if it is there. */
void chat_copy(struct buf *out, const char *key, struct json v);
/* Appends the stop sequences as a list. */
void chat_copy_stop(struct buf *out, const char *key, struct json v);

/* What an answer's one choice holds; its parts are collected while a reply is read. */
struct chat_answer {
    struct buf text, reasoning, calls; /* raw inner texts of JSON strings; calls: a list's inside */
    size_t call_count;
};
void chat_answer_init(struct chat_answer *a, size_t max);
void chat_answer_free(struct chat_answer *a);
/* Appends a raw JSON string's inside. */
void chat_append(struct buf *out, struct json string);
/* Appends a tool call; `id` may be absent: one is made from its position. `arguments`: raw. */
void chat_answer_call(struct chat_answer *a, struct json id, struct json name,
                      struct json arguments);
/* Begins an answer, up to and with the `[` of its choices. `id` and `model` may be absent. */
void chat_write_head(struct buf *out, struct json id, struct json model);
void chat_write_choice(struct buf *out, const struct chat_answer *a, int64_t index,
                       const char *finish_reason);
void chat_write_usage(struct buf *out, const struct usage *u);
/* An error in OpenAI's shape. */
void chat_write_error(struct buf *out, struct json message, const char *type, struct json code);
#endif
