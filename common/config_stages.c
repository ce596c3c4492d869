/* Keys of the stages that are off unless configured. */
#include "common/config.h"
#include "common/config_schema.h"

/* For every struct that begins with a config_rule. */
static const struct config_key match_keys[] = {
    {"model", CONFIG_TEXT, KEY(config_rule, when.model), NULL,
     .doc = "Only tasks that ask for this name; `*` stands for any characters."},
    {"feature", CONFIG_TEXT, KEY(config_rule, when.feature), NULL, .doc = "Likewise."},
    {"tenant", CONFIG_TEXT, KEY(config_rule, when.tenant), NULL, .doc = "Likewise."},
    {"user", CONFIG_TEXT, KEY(config_rule, when.user), NULL, .doc = "Likewise."},
    {"job", CONFIG_TEXT, KEY(config_rule, when.job), NULL,
     .doc = "The job's name, as `quern submit` writes it into each task, or its id."},
    {"lane", CONFIG_CHOICE, KEY(config_rule, when.lane), "any", .words = "any|high|normal|low",
     .doc = "Only tasks of this lane."},
    {0}};
#define WHEN_KEY                                                                                   \
    {                                                                                              \
        "when", CONFIG_GROUP, .sub = match_keys, .doc = "What tasks it is for; nothing: all."      \
    }

static const struct config_key cache_rule_keys[] = {
    WHEN_KEY,
    {"ttl", CONFIG_DURATION, KEY(config_cache_rule, ttl), "0", 0, 8760 * HOUR,
     .doc = "How long an answer is kept for the same request. 0: it is not."},
    {"scope", CONFIG_CHOICE, KEY(config_cache_rule, scope), "tenant", .words = "tenant|shared",
     .doc = "Whose tasks may have it: those of the same tenant, or all that a rule with shared is "
            "for."},
    {"max_temperature", CONFIG_DECIMAL, KEY(config_cache_rule, max_temperature), "1",
     .doc = "Requests with a higher temperature are called each; one that gives none has 1."},
    {"coalesce", CONFIG_BOOL, KEY(config_cache_rule, coalesce), "true",
     .doc = "The same request in flight is called once, and its answer shared."},
    {"never", CONFIG_BOOL, KEY(config_cache_rule, never), "false",
     .doc = "Each is called: for what is about one person, or the moment."},
    {0}};

const struct config_key config_cache_keys[] = {
    {"max_size", CONFIG_SIZE, KEY(config, cache.max_size), "1GiB", MIB, 1024 * GIB,
     .doc = "Answers kept, in bytes of text; beyond that the oldest go."},
    {"entry_max", CONFIG_SIZE, KEY(config, cache.entry_max), "256KiB", KIB, 8 * MIB,
     .doc = "A longer answer is not kept."},
    {"lease", CONFIG_DURATION, KEY(config, cache.lease), "30s", 0, HOUR,
     .doc = "While one worker is about to call, others wait for its answer to the same request, "
            "this long at most. 0: workers do not wait for each other."},
    {"rules", CONFIG_LIST, KEY(config, cache.rules), .max = 1024, .sub = cache_rule_keys,
     .size = sizeof(struct config_cache_rule),
     .doc = "First match wins; a task that none fits, or that says cache: false, or that is "
            "sensitive, is called."},
    {0}};

static const struct config_key pack_rule_keys[] = {
    WHEN_KEY,
    {"never", CONFIG_BOOL, KEY(config_pack_rule, never), "false",
     .doc = "Each task has a call of its own."},
    {"max_items", CONFIG_INT, KEY(config_pack_rule, max_items), "20", 2, 200,
     .doc = "Tasks of one call."},
    {"max_tokens", CONFIG_INT, KEY(config_pack_rule, max_tokens), "8000", 1, 10000000,
     .doc = "Of all their texts together, four bytes each."},
    {"max_wait", CONFIG_DURATION, KEY(config_pack_rule, max_wait), "200ms", 1, 60 * SECOND,
     .doc = "How long the first waits for others."},
    {0}};

const struct config_key config_packing_keys[] = {
    {"rules", CONFIG_LIST, KEY(config, packing.rules), .max = 1024, .sub = pack_rule_keys,
     .size = sizeof(struct config_pack_rule),
     .doc =
         "First match wins. Chat tasks of one tenant and lane that differ in the last message of "
         "the user alone, without tools, response formats or several answers, share a call."},
    {0}};

static const struct config_key compress_rule_keys[] = {
    WHEN_KEY,
    {"never", CONFIG_BOOL, KEY(config_compress_rule, never), "false",
     .doc = "Prompts stay as they are."},
    {"whitespace", CONFIG_BOOL, KEY(config_compress_rule, whitespace), "true",
     .doc = "Runs of spaces, blank lines and ruled lines become short."},
    {"html", CONFIG_BOOL, KEY(config_compress_rule, html), "false",
     .doc = "HTML becomes text; scripts, styles and comments go."},
    {"repeats", CONFIG_BOOL, KEY(config_compress_rule, repeats), "true",
     .doc = "A paragraph of 80 bytes or more that stood there before goes."},
    {"verbose", CONFIG_BOOL, KEY(config_compress_rule, verbose), "false",
     .doc = "Wordy English phrases (in order to) become short (to)."},
    {"max_tokens", CONFIG_INT, KEY(config_compress_rule, max_tokens), "0", 0, 100000000,
     .doc = "Of a longer request (four bytes a token) whole sentences of its longest text go. 0: "
            "none."},
    {"cut", CONFIG_CHOICE, KEY(config_compress_rule, cut), "middle", .words = "middle|tail|head",
     .doc = "Where they go."},
    {0}};

static const struct config_key short_form_keys[] = {
    {"name", CONFIG_TEXT, KEY(config_short_form, name), NULL, .required = true,
     .doc = "What it is called."},
    {"text", CONFIG_TEXT, KEY(config_short_form, text), NULL, .required = true,
     .doc = "A whole system prompt; white space does not matter."},
    {"short", CONFIG_TEXT, KEY(config_short_form, brief), NULL, .required = true,
     .doc = "What is sent for it."},
    {0}};

const struct config_key config_compress_keys[] = {
    {"rules", CONFIG_LIST, KEY(config, compress.rules), .max = 1024, .sub = compress_rule_keys,
     .size = sizeof(struct config_compress_rule),
     .doc = "First match wins. Code, quotations and JSON always stay as they are."},
    {"short_forms", CONFIG_LIST, KEY(config, compress.short_forms), .max = 1024,
     .sub = short_form_keys, .size = sizeof(struct config_short_form),
     .doc = "System prompts that a rule's tasks send in short."},
    {0}};

const struct config_key config_savings_keys[] = {
    {"baseline", CONFIG_TEXT, KEY(config, savings.baseline), NULL,
     .doc = "The model that everything would be answered by if nothing were saved; `quern cost "
            "--savings` reckons against its price."},
    {0}};

static const struct config_key guard_rule_keys[] = {
    WHEN_KEY,
    {"guard", CONFIG_CHOICE, KEY(config_guard_rule, guard), NULL,
     .words = "injection|sensitive|terms|leak|size|moderation", .required = true,
     .doc = "What it looks for: orders to the model in data; data about persons and secrets; terms "
            "of a list; parts of the instructions in the answer; requests that are too large; "
            "answers that "
            "a service takes for harmful."},
    {"name", CONFIG_TEXT, KEY(config_guard_rule, name), NULL,
     .doc = "What verdicts of a list of terms call it."},
    {"direction", CONFIG_CHOICE, KEY(config_guard_rule, direction), "both", .words = "both|in|out",
     .doc = "In requests, in answers; injection and size: in, leak: out, whatever it says."},
    {"action", CONFIG_CHOICE, KEY(config_guard_rule, action), "flag",
     .words = "none|flag|strip|mask|wrap|route_private|block",
     .doc = "none: nothing is looked for. flag: a verdict is kept. strip: it is cut out. mask: a "
            "placeholder stands for it, and the answer has it again. wrap: the text is put between "
            "marks, as data. route_private: only backends with `private`. block: no call is made, "
            "or the answer is withheld."},
    {"threshold", CONFIG_DECIMAL, KEY(config_guard_rule, threshold), "0.6", 0, ONE,
     .doc = "Of the score, 0 to 1, from which on the action is taken; 0: always (wrap)."},
    {"kinds", CONFIG_TEXT, KEY(config_guard_rule, kinds), "all",
     .doc = "Of sensitive data, with commas: email, phone, card, iban, national_id, ip, api_key, "
            "private_key."},
    {"backend", CONFIG_TEXT, KEY(config_guard_rule, backend), NULL,
     .doc = "Of `moderation`: whose /v1/moderations is asked. If it does not answer, the answer is "
            "withheld."},
    {"model", CONFIG_TEXT, KEY(config_guard_rule, model), "omni-moderation-latest",
     .doc = "Of `moderation`: the model there."},
    {"categories", CONFIG_TEXT, KEY(config_guard_rule, categories), NULL,
     .doc = "Of `moderation`: categories that count, each with the score from which on, e.g. "
            "hate:0.4,violence:0.8. None: what the service flags, or any from `threshold` on."},
    {"terms_file", CONFIG_TEXT, KEY(config_guard_rule, terms_file), NULL,
     .doc = "Of `terms`: a file with a term a line."},
    {"canary", CONFIG_TEXT, KEY(config_guard_rule, canary), NULL,
     .doc = "Of `leak`: a text in the instructions that no answer may have. random: one is drawn "
            "for each task, and put behind its instructions."},
    {"leak_words", CONFIG_INT, KEY(config_guard_rule, leak_words), "12", 4, 1000,
     .doc = "Of `leak`: so many words of the instructions in a row."},
    {"max_messages", CONFIG_INT, KEY(config_guard_rule, max_messages), "0", 0, 100000,
     .doc = "Of `size`. 0: any number."},
    {"max_tokens", CONFIG_INT, KEY(config_guard_rule, max_tokens), "0", 0, 100000000,
     .doc = "Of `size`: of the request, four bytes each. 0: any number."},
    {"max_images", CONFIG_INT, KEY(config_guard_rule, max_images), "0", 0, 100000,
     .doc = "Of `size`: pictures and files. 0: any number."},
    {0}};

const struct config_key config_guards_keys[] = {
    {"profile", CONFIG_CHOICE, KEY(config, guards.profile), "none", .words = "none|standard",
     .doc = "standard, behind the rules: sensitive data is masked, injections are flagged, answers "
            "with parts of the instructions are withheld."},
    {"refusal", CONFIG_TEXT, KEY(config, guards.refusal), "I cannot provide that information.",
     .doc = "The answer that stands for one that is withheld, or for a call that is not made."},
    {"rules", CONFIG_LIST, KEY(config, guards.rules), .max = 256, .sub = guard_rule_keys,
     .size = sizeof(struct config_guard_rule),
     .doc = "Of each guard, the first rule that fits the task and the direction holds."},
    {0}};

static const struct config_key quality_rule_keys[] = {
    WHEN_KEY,
    {"never", CONFIG_BOOL, KEY(config_quality_rule, never), "false", .doc = "Not measured."},
    {"source", CONFIG_BOOL, KEY(config_quality_rule, source), "true",
     .doc = "What users and tools say is the source: relevance, coverage and groundedness are "
            "measured against it (summaries, extraction)."},
    {"shape", CONFIG_CHOICE, KEY(config_quality_rule, shape), "flag", .words = "off|flag|retry",
     .doc = "Chat answers that should be JSON (response_format) are held against their schema, and "
            "mended where that is cheap (fences, commas). retry: what is no such JSON is asked for "
            "again, with the reason, and then of the next candidate."},
    {"shape_retries", CONFIG_INT, KEY(config_quality_rule, shape_retries), "2", 0, 10,
     .doc = "How often a candidate is asked again for its shape."},
    {"retry_below", CONFIG_DECIMAL, KEY(config_quality_rule, retry_below), "0", 0, ONE,
     .doc = "An answer whose groundedness is below goes to the next candidate, if there is one. 0: "
            "none does."},
    {"judge", CONFIG_DECIMAL, KEY(config_quality_rule, judge), "0", 0, ONE,
     .doc = "The share of answers, 0 to 1, that quality.judge rates; by the custom_id, so that the "
            "same tasks of other jobs are rated too."},
    {0}};

static const struct config_key judge_keys[] = {
    {"model", CONFIG_TEXT, KEY(config, quality.judge.model), NULL,
     .doc = "The model that rates answers, as `models` has it."},
    {"rubric", CONFIG_TEXT, KEY(config, quality.judge.rubric),
     "How well does the answer do what the request asks for? Consider whether it is right, whole, "
     "and to the point.",
     .doc = "What it rates by, from 1 (bad) to 5 (good). Another rubric or model is another "
            "version of the ratings."},
    {"max_tokens", CONFIG_INT, KEY(config, quality.judge.max_tokens), "300", 0, 100000,
     .doc = "Of a rating and its reason. 0: none is asked for, as some models want it."},
    {0}};

const struct config_key config_quality_keys[] = {
    {"judge", CONFIG_GROUP, .sub = judge_keys,
     .doc = "Ratings of a sample of answers by a model: tasks of the lane `low` with the feature "
            "`judge`, by which limits and costs know them."},
    {"rules", CONFIG_LIST, KEY(config, quality.rules), .max = 256, .sub = quality_rule_keys,
     .size = sizeof(struct config_quality_rule), .doc = "First match wins."},
    {0}};

static const struct config_key webhook_keys[] = {
    {"url", CONFIG_TEXT, KEY(config, limits.webhook.url), NULL,
     .doc = "Where a warning is posted, once: {\"type\": \"quern.budget.warning\", …}."},
    {"secret_env", CONFIG_TEXT, KEY(config, limits.webhook.secret_env), NULL,
     .doc = "Environment variable with the key that signs it (Standard Webhooks: whsec_ and "
            "base64)."},
    {"secret_file", CONFIG_TEXT, KEY(config, limits.webhook.secret_file), NULL,
     .doc = "Or a file with it."},
    {0}};

const struct config_key config_limits_keys[] = {
    {"time_zone", CONFIG_TEXT, KEY(config, limits.time_zone), "UTC",
     .doc = "Whose days and months budgets follow, e.g. Europe/Berlin, or <X>-02:00 for two hours "
            "east of "
            "UTC."},
    {"webhook", CONFIG_GROUP, .sub = webhook_keys,
     .doc = "Told when a budget reaches a percentage that it warns at."},
    {0}};
