#include <stdbool.h>

#include "common/config.h"
#include "common/config_schema.h"

const char *const lane_names[LANE_COUNT] = {"high", "normal", "low"};
const char *const retry_tier_names[RETRY_TIERS] = {"10s", "1m", "10m", "1h"};
const int64_t retry_tier_ms[RETRY_TIERS] = {10 * SECOND, 60 * SECOND, 600 * SECOND, HOUR};

static const struct config_key kafka_keys[] = {
    {"brokers", CONFIG_TEXT, KEY(config, kafka.brokers), "127.0.0.1:9092",
     .doc = "Comma-separated host:port list to find the cluster by."},
    {"topic_prefix", CONFIG_TEXT, KEY(config, kafka.topic_prefix), "quern.",
     .doc = "Put before the name of every topic."},
    {"group", CONFIG_TEXT, KEY(config, kafka.group), "quern",
     .doc = "Consumer groups of the workers: with .high, .normal and .low behind it those of the "
            "lanes, "
            "with .retry that of the retry topics."},
    {"instance_id", CONFIG_TEXT, KEY(config, kafka.instance_id), NULL,
     .doc = "Static membership: a name of its own for each worker (in Kubernetes the pod's), so "
            "that a restart within the session time-out moves no partition."},
    {"session_timeout", CONFIG_DURATION, KEY(config, kafka.session_timeout), "6s", SECOND,
     300 * SECOND, .doc = "A worker that is silent this long loses its partitions to others."},
    {"partitions", CONFIG_INT, KEY(config, kafka.partitions), "8", 1, 1000,
     .doc = "Partitions of each lane when `quern topics create` makes it; the most workers that "
            "can share a lane."},
    {"replication", CONFIG_INT, KEY(config, kafka.replication), "-1", -1, 9,
     .doc = "Copies of each topic; -1 is the broker's own default. Use 3 in production."},
    {"retention", CONFIG_DURATION, KEY(config, kafka.retention), "7d", HOUR, 8760 * HOUR,
     .doc = "How long Kafka keeps records; longer than any backlog may take."},
    {"security_protocol", CONFIG_TEXT, KEY(config, kafka.security_protocol), NULL,
     .doc = "plaintext, ssl, sasl_plaintext or sasl_ssl."},
    {"sasl_mechanism", CONFIG_TEXT, KEY(config, kafka.sasl_mechanism), NULL,
     .doc = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER."},
    {"sasl_username", CONFIG_TEXT, KEY(config, kafka.sasl_username), NULL, .doc = "SASL user."},
    {"sasl_password_env", CONFIG_TEXT, KEY(config, kafka.sasl_password_env), NULL,
     .doc = "Environment variable that holds the SASL password."},
    {"sasl_password_file", CONFIG_TEXT, KEY(config, kafka.sasl_password_file), NULL,
     .doc = "File that holds the SASL password."},
    {"ssl_ca_file", CONFIG_TEXT, KEY(config, kafka.ssl_ca_file), NULL,
     .doc = "Certificates to trust for TLS to Kafka."},
    {"properties", CONFIG_PAIRS, KEY(config, kafka.properties), NULL,
     .doc = "Any other librdkafka property, by its own name. Those that the promises rest on "
            "(commits, idempotence, group) are refused."},
    {0}};

static const struct config_key database_keys[] = {
    {"url", CONFIG_TEXT, KEY(config, database.url), "postgresql://127.0.0.1:5432/quern",
     .doc = "PostgreSQL connection URI; TLS by its own parameters (sslmode, sslrootcert …)."},
    {"password_env", CONFIG_TEXT, KEY(config, database.password_env), NULL,
     .doc = "Environment variable that holds the password."},
    {"password_file", CONFIG_TEXT, KEY(config, database.password_file), NULL,
     .doc = "File that holds the password."},
    {"connect_timeout", CONFIG_DURATION, KEY(config, database.connect_timeout), "5s", SECOND,
     600 * SECOND, .doc = "Give up connecting after this long (and try again)."},
    {0}};

static const struct config_key worker_keys[] = {
    {"concurrency", CONFIG_INT, KEY(config, worker.concurrency), "256", 1, 100000,
     .doc = "Calls in flight in one worker process."},
    {"queue_tasks", CONFIG_INT, KEY(config, worker.queue_tasks), "0", 0, 10000000,
     .doc =
         "Tasks of one lane held in memory. 0: one and a half times the concurrency plus 1,000."},
    {"memory_limit", CONFIG_SIZE, KEY(config, worker.memory_limit), "1GiB", 64 * MIB, 1024 * GIB,
     .doc = "The process stays below it: at 85 % it takes few tasks until memory is free again. "
            "queue_memory, response_memory and what is prefetched are shares of it."},
    {"queue_memory", CONFIG_SIZE, KEY(config, worker.queue_memory), "0", 0, 1024 * GIB,
     .doc = "Bytes of tasks held in memory, for each lane and for the retry topics; intake pauses "
            "there. 0: a sixteenth of memory_limit."},
    {"response_max", CONFIG_SIZE, KEY(config, worker.response_max), "8MiB", KIB, GIB,
     .doc = "A longer answer is cut off and counts as malformed."},
    {"response_memory", CONFIG_SIZE, KEY(config, worker.response_memory), "0", 0, 1024 * GIB,
     .doc = "Bytes of all answers in memory; above it a call whose answer is over 64 KiB is "
            "ended. 0: an eighth of memory_limit."},
    {"settle_rows", CONFIG_INT, KEY(config, worker.settle_rows), "500", 1, 10000,
     .doc = "Results written in one transaction at most."},
    {"settle_delay", CONFIG_DURATION, KEY(config, worker.settle_delay), "5ms", 0, SECOND,
     .doc = "How long a result waits for others to be written with it."},
    {"shutdown_grace", CONFIG_DURATION, KEY(config, worker.shutdown_grace), "25s", 0, 24 * HOUR,
     .doc = "After SIGTERM, how long calls in flight may take to end."},
    {"revoke_grace", CONFIG_DURATION, KEY(config, worker.revoke_grace), "5s", 0, HOUR,
     .doc = "When a partition moves to another worker, how long its calls may take to end."},
    {"head_timeout", CONFIG_DURATION, KEY(config, worker.head_timeout), "10m", SECOND, 24 * HOUR,
     .doc = "A task that is the oldest open one of its partition for this long, with finished ones "
            "behind it, moves to a retry topic, so that it holds up no offset. A call that ran so "
            "long is aborted: choose it longer than timeout.total."},
    {0}};

static const struct config_key retry_keys[] = {
    {"attempts", CONFIG_INT, KEY(config, retry.attempts), "3", 0, 20,
     .doc = "Short retries of a call with one candidate, after the first attempt."},
    {"base_delay", CONFIG_DURATION, KEY(config, retry.base_delay), "1s", 1, HOUR,
     .doc = "Wait before the first retry; doubles each time, with jitter of a quarter."},
    {"max_delay", CONFIG_DURATION, KEY(config, retry.max_delay), "30s", 1, HOUR,
     .doc = "The longest wait of that kind."},
    {"retry_after_max", CONFIG_DURATION, KEY(config, retry.retry_after_max), "60s", 0, HOUR,
     .doc = "A longer Retry-After of a backend goes to the next candidate; without one the task "
            "is parked in a retry topic (for an hour at most)."},
    {"rounds", CONFIG_INT, KEY(config, retry.rounds), "0", 0, 100,
     .doc =
         "When all attempts have failed, how often the task is parked in a retry topic (10s, 1m, "
         "10m, 1h in turn) and tried anew, before it goes to the dead letters."},
    {"waiting_tasks", CONFIG_INT, KEY(config, retry.waiting_tasks), "0", 0, 10000000,
     .doc =
         "Tasks that wait in memory for a short retry, or for a backend that is out, while others "
         "could be called; more are parked in a retry topic. 0: half of worker.queue_tasks."},
    {"give_up_after", CONFIG_DURATION, KEY(config, retry.give_up_after), "24h", SECOND, 720 * HOUR,
     .doc = "A task whose backends are out for so long goes to the dead letters."},
    {0}};

#define LANE_KEY(i, n, d)                                                                          \
    {                                                                                              \
        n, CONFIG_INT, offsetof(struct config, lanes.weight) + (i) * sizeof(int64_t), d, 1, 1000,  \
            .doc = "Share of the calls while other lanes have tasks too."                          \
    }
static const struct config_key lanes_keys[] = {LANE_KEY(LANE_HIGH, "high", "16"),
                                               LANE_KEY(LANE_NORMAL, "normal", "4"),
                                               LANE_KEY(LANE_LOW, "low", "1"),
                                               {0}};

static const struct config_key weight_keys[] = {
    {"tenant", CONFIG_TEXT, KEY(config_weight, tenant), NULL, .required = true,
     .doc = "Its name; `*` stands for any characters. First match wins."},
    {"weight", CONFIG_INT, KEY(config_weight, weight), "1", 1, 1000,
     .doc = "Its share of the tokens of a lane while others have tasks there too."},
    {0}};

static const struct config_key fairness_keys[] = {
    {"lookahead", CONFIG_INT, KEY(config, fairness.lookahead), "0", 0, 131072,
     .doc = "Tenants take turns in each lane, whoever came first. A tenant is found behind at most "
            "so many records of others, in each partition; 100000 is a good figure, at 16 bytes "
            "each. 0: first come, first served."},
    {"weights", CONFIG_LIST, KEY(config, fairness.weights), .max = 1024, .sub = weight_keys,
     .size = sizeof(struct config_weight), .doc = "Tenants whose share is not 1."},
    {0}};

static const struct config_key submit_keys[] = {
    {"record_max", CONFIG_SIZE, KEY(config, submit.record_max), "512KiB", KIB, 900 * KIB,
     .doc = "The longest task, as a Kafka record; a longer input line is refused."},
    {"errors_max", CONFIG_INT, KEY(config, submit.errors_max), "50", 1, 100000,
     .doc = "Mistakes of an input that are listed before the reading stops."},
    {0}};

static const struct config_key log_keys[] = {
    {"level", CONFIG_CHOICE, KEY(config, log.level), "info", .words = "debug|info|warn|error",
     .doc = "Least severe event that is written."},
    {"format", CONFIG_CHOICE, KEY(config, log.format), "auto", .words = "auto|text|json",
     .doc = "auto: text on a terminal, JSON otherwise."},
    {0}};

static const struct config_key metrics_keys[] = {
    {"listen", CONFIG_TEXT, KEY(config, metrics.listen), NULL,
     .doc = "HOST:PORT where a worker answers /metrics, /healthz and /readyz over HTTP, e.g. "
            "127.0.0.1:9464; each worker of a machine needs its own. Without it: nowhere."},
    {0}};

static const struct config_key tracing_keys[] = {
    {"endpoint", CONFIG_TEXT, KEY(config, tracing.endpoint), NULL,
     .doc = "Where spans of tasks and calls are sent, by OTLP over HTTP in JSON, e.g. "
            "http://127.0.0.1:4318/v1/traces. Without it: nowhere."},
    {"ratio", CONFIG_DECIMAL, KEY(config, tracing.ratio), "1", 0, ONE,
     .doc = "Share of the tasks, 0 to 1. Of a task whose record has a W3C traceparent, that says "
            "whether it is sampled."},
    {"authorization_env", CONFIG_TEXT, KEY(config, tracing.authorization_env), NULL,
     .doc = "Environment variable with the value of the Authorization header, if one is needed."},
    {"authorization_file", CONFIG_TEXT, KEY(config, tracing.authorization_file), NULL,
     .doc = "File with it."},
    {0}};

static const struct config_key retention_keys[] = {
    {"results", CONFIG_DURATION, KEY(config, retention.results), "0", 0, 87600 * HOUR,
     .doc = "`quern maintain` deletes results, and what goes with them (verdicts, quality, "
            "savings), so "
            "long after the end of their job. At least kafka.retention: a record that is read "
            "again must find its result. 0: never."},
    {"attempts", CONFIG_DURATION, KEY(config, retention.attempts), "0", 0, 87600 * HOUR,
     .doc = "Likewise attempts; costs by day stay. 0: never."},
    {"dead_letters", CONFIG_DURATION, KEY(config, retention.dead_letters), "0", 0, 87600 * HOUR,
     .doc = "Likewise dead letters, so long after they were written, and with the results of their "
            "job at the latest. 0: with them."},
    {0}};

static const struct config_key price_keys[] = {
    {"model", CONFIG_TEXT, KEY(config_price, model), NULL, .required = true,
     .doc = "The model's name, as the backend knows it."},
    {"input", CONFIG_MONEY, KEY(config_price, input), NULL, .required = true,
     .doc = "USD per million input tokens."},
    {"output", CONFIG_MONEY, KEY(config_price, output), NULL,
     .doc = "USD per million output tokens."},
    {"cached_input", CONFIG_MONEY, KEY(config_price, cached), NULL,
     .doc = "USD per million input tokens that the backend had cached."},
    {"cache_write", CONFIG_MONEY, KEY(config_price, cache_write), NULL,
     .doc = "USD per million input tokens that were written to its cache."},
    {"cache_write_1h", CONFIG_MONEY, KEY(config_price, cache_write_1h), NULL,
     .doc = "The same for those that it keeps for an hour."},
    {"reasoning", CONFIG_MONEY, KEY(config_price, reasoning), NULL,
     .doc = "USD per million output tokens of reasoning. What is not given costs as input or "
            "output."},
    {0}};

static const struct config_key prices_keys[] = {
    {"file", CONFIG_TEXT, KEY(config, prices.file), NULL,
     .doc = "A price file in LiteLLM's format, over the built-in one; `quern prices import` makes "
            "it."},
    {"models", CONFIG_LIST, KEY(config, prices.models), .max = CONFIG_MODELS_MAX, .sub = price_keys,
     .size = sizeof(struct config_price), .doc = "Prices of single models, over everything else."},
    {0}};

static const struct config_key concurrency_keys[] = {
    {"max", CONFIG_INT, KEY(config_backend, concurrency.max), "100000", 1, 100000,
     .doc = "Calls in flight to this backend from one worker."},
    {"min", CONFIG_INT, KEY(config_backend, concurrency.min), "0", 0, 100000,
     .doc = "Adapt to what the backend bears: for each lane the limit falls by a tenth, once a "
            "flight, when it answers 429 or that it is overloaded, or a call takes too long, and "
            "grows by one a flight; never below this nor above max. 0: always max."},
    {"start", CONFIG_INT, KEY(config_backend, concurrency.start), "0", 0, 100000,
     .doc = "Begin with so many, and double each flight until the backend first complains. 0: "
            "begin with max."},
    {"latency", CONFIG_DURATION, KEY(config_backend, concurrency.latency), "0", 0, HOUR,
     .doc = "A call that took longer counts as a complaint. 0: none does."},
    {0}};

static const struct config_key limit_keys[] = {
    {"model", CONFIG_TEXT, KEY(config_limit, model), NULL,
     .doc = "The model's name there; `*` stands for any characters. All that fit share the limit; "
            "first match wins. Without it: all models."},
    {"requests_per_minute", CONFIG_INT, KEY(config_limit, requests), "0", 0, 100000000,
     .doc = "Calls begun in any minute, by all workers together. 0: no limit."},
    {"tokens_per_minute", CONFIG_INT, KEY(config_limit, tokens), "0", 0, 100000000000,
     .doc = "Tokens of input and output; estimated before a call, and set right after it."},
    {0}};

static const struct config_key timeout_keys[] = {
    {"connect", CONFIG_DURATION, KEY(config_backend, timeout.connect), "5s", 1, HOUR,
     .doc = "To a connection, TLS included."},
    {"first", CONFIG_DURATION, KEY(config_backend, timeout.first), "0", 0, 24 * HOUR,
     .doc = "To the first byte of the answer, or, if it is streamed, the first token. 0: no limit "
            "but total."},
    {"stall", CONFIG_DURATION, KEY(config_backend, timeout.stall), "0", 0, 24 * HOUR,
     .doc = "Between two pieces of an answer that has begun. 0: no limit but total."},
    {"total", CONFIG_DURATION, KEY(config_backend, timeout.total), "120s", 1, 24 * HOUR,
     .doc = "To the end of the answer."},
    {0}};

/* 0: as the backend says. */
static const struct config_key model_timeout_keys[] = {
    {"connect", CONFIG_DURATION, KEY(config_model, timeout.connect), "0", 0, HOUR,
     .doc = "As the backend's, and in its place."},
    {"first", CONFIG_DURATION, KEY(config_model, timeout.first), "0", 0, 24 * HOUR,
     .doc = "Likewise."},
    {"stall", CONFIG_DURATION, KEY(config_model, timeout.stall), "0", 0, 24 * HOUR,
     .doc = "Likewise."},
    {"total", CONFIG_DURATION, KEY(config_model, timeout.total), "0", 0, 24 * HOUR,
     .doc = "Likewise. A task's own timeout goes before it."},
    {0}};

static const struct config_key breaker_keys[] = {
    {"failures", CONFIG_INT, KEY(config_backend, breaker.failures), "3", 0, 1000,
     .doc = "Failed calls in a row, with no success since they were sent, that stop the calls. 0: "
            "never."},
    {"wait", CONFIG_DURATION, KEY(config_backend, breaker.wait), "1s", 1, HOUR,
     .doc = "How long nothing is sent then; doubles while the probes fail."},
    {"wait_max", CONFIG_DURATION, KEY(config_backend, breaker.wait_max), "5s", 1, HOUR,
     .doc = "The longest wait of that kind."},
    {"probes", CONFIG_INT, KEY(config_backend, breaker.probes), "3", 1, 1000,
     .doc = "Calls that are tried at once after the wait; one success is enough."},
    {0}};

static const struct config_key backend_prices_keys[] = {
    {"prefix", CONFIG_TEXT, KEY(config_backend, prices.prefix), NULL,
     .doc = "Prices are looked up under this and the model's name first, e.g. groq/ or azure/."},
    {"tier", CONFIG_CHOICE, KEY(config_backend, prices.tier), "standard",
     .words = "standard|batch|priority|flex",
     .doc = "The rates that it bills by, unless an answer names another service tier."},
    {0}};

static const struct config_key backend_keys[] = {
    {"name", CONFIG_TEXT, KEY(config_backend, name), NULL, .required = true,
     .doc = "The name that candidates and results use."},
    {"dialect", CONFIG_CHOICE, KEY(config_backend, dialect), "openai",
     .words = "openai|anthropic|gemini", .doc = "The API that it speaks."},
    {"base_url", CONFIG_TEXT, KEY(config_backend, base_url), NULL, .required = true,
     .doc = "What stands before /chat/completions, /messages or /models, e.g. "
            "https://api.openai.com/v1, https://api.anthropic.com/v1, "
            "https://generativelanguage.googleapis.com/v1beta."},
    {"path", CONFIG_TEXT, KEY(config_backend, url_path), "{path}",
     .doc = "What follows base_url. {path} is the dialect's own, {model} the model's name. Azure: "
            "/openai/deployments/{model}{path}?api-version=2024-10-21."},
    {"api_key_env", CONFIG_TEXT, KEY(config_backend, api_key_env), NULL,
     .doc =
         "Environment variable that holds the key, or several, between commas or spaces: when one "
         "is refused, or its quota spent, the next is used. Unset: calls carry none."},
    {"api_key_file", CONFIG_TEXT, KEY(config_backend, api_key_file), NULL,
     .doc = "File that holds the key, or one a line. SIGHUP makes workers read it again."},
    {"key_header", CONFIG_TEXT, KEY(config_backend, key_header), NULL,
     .doc = "Header that carries the key, e.g. api-key for Azure; without it the dialect's own."},
    {"max_output_tokens", CONFIG_INT, KEY(config_backend, max_output_tokens), "4096", 1, 10000000,
     .doc = "For a task that gives no max_tokens, where the API wants it (Anthropic)."},
    {"concurrency", CONFIG_GROUP, .sub = concurrency_keys, .doc = "Calls at once."},
    {"limits", CONFIG_LIST, KEY(config_backend, limits), .max = 32, .sub = limit_keys,
     .size = sizeof(struct config_limit),
     .doc = "What the service allows a minute. Kept exactly over all workers, without bursts."},
    {"timeout", CONFIG_GROUP, .sub = timeout_keys, .doc = "How long a call may take."},
    {"breaker", CONFIG_GROUP, .sub = breaker_keys,
     .doc = "An outage: no calls, no attempts spent, no dead letters until it is over."},
    {"stream", CONFIG_BOOL, KEY(config_backend, stream), "false",
     .doc =
         "Answers come in pieces, and end as the same results: the time to the first token is "
         "known, and a stalled answer is noticed early. A task's own stream: true does the same."},
    {"private", CONFIG_BOOL, KEY(config_backend, is_private), "false",
     .doc = "It may see sensitive tasks. No other backend ever does, as a fallback neither."},
    {"prices", CONFIG_GROUP, .sub = backend_prices_keys, .doc = "What it costs."},
    {"verify_tls", CONFIG_BOOL, KEY(config_backend, verify_tls), "true",
     .doc = "false trusts any certificate: for tests only."},
    {"headers", CONFIG_PAIRS, KEY(config_backend, headers), NULL,
     .doc = "Further HTTP headers of each call; no secrets here."},
    {0}};

static const struct config_key candidate_keys[] = {
    {"backend", CONFIG_TEXT, KEY(config_candidate, backend), NULL, .required = true,
     .doc = "A backend's name."},
    {"model", CONFIG_TEXT, KEY(config_candidate, model), NULL,
     .doc = "The model's name there; without it the name that the task asked for."},
    {0}};

static const struct config_key when_keys[] = {
    {"tenant", CONFIG_TEXT, KEY(config_model, when.tenant), NULL,
     .doc = "Only its tasks; `*` stands for any characters."},
    {"feature", CONFIG_TEXT, KEY(config_model, when.feature), NULL, .doc = "Likewise."},
    {"lane", CONFIG_CHOICE, KEY(config_model, when.lane), "any", .words = "any|high|normal|low",
     .doc = "Only tasks of this lane."},
    {"complexity", CONFIG_CHOICE, KEY(config_model, when.complexity), "any",
     .words = "any|simple|moderate|complex",
     .doc = "As the task says, or estimated: simple is under 500 input tokens with at most two "
            "messages, no tools and no schema; complex above 4,000 tokens, or tools with a schema, "
            "or more than eight messages."},
    {"input_min", CONFIG_INT, KEY(config_model, when.input_min), "0", 0, 1000000000,
     .doc = "Only tasks of at least so many input tokens (four bytes of the body each)."},
    {"input_max", CONFIG_INT, KEY(config_model, when.input_max), "0", 0, 1000000000,
     .doc = "And at most so many. 0: no limit."},
    {"percent", CONFIG_INT, KEY(config_model, when.percent), "100", 0, 100,
     .doc =
         "Only this share of the tasks, always the same ones; the others go on to the next "
         "rules. Rules share one draw: 10 and then 30 take the first 10 and the next 20 percent."},
    {"day_requests", CONFIG_INT, KEY(config_model, when.day_requests), "0", 0, 1000000000000,
     .doc = "Only once the calls for this model's name have come to so many today (UTC), by all "
            "workers; known within seconds."},
    {"day_tokens", CONFIG_INT, KEY(config_model, when.day_tokens), "0", 0, 1000000000000000,
     .doc = "Likewise, for tokens of input and output."},
    {"day_cost", CONFIG_MONEY, KEY(config_model, when.day_cost), "0", .doc = "Likewise, for USD."},
    {0}};

static const struct config_key fallback_keys[] = {
    {"text", CONFIG_TEXT, KEY(config_model, fallback.text), NULL, .doc = "Always this."},
    {"template", CONFIG_TEXT, KEY(config_model, fallback.template), NULL,
     .doc = "This, with {{custom_id}}, {{model}}, {{tenant}}, {{user}}, {{feature}} and {{prompt}} "
            "(the last message of the user) filled in."},
    {"extract", CONFIG_INT, KEY(config_model, fallback.extract), "0", 0, 100,
     .doc = "The first so many sentences of the last message of the user."},
    {0}};

static const struct config_key model_keys[] = {
    {"name", CONFIG_TEXT, KEY(config_model, name), NULL, .required = true,
     .doc = "The name that tasks ask for; `*` stands for any characters. First match wins."},
    {"when", CONFIG_GROUP, .sub = when_keys, .doc = "What else a task must be."},
    {"timeout", CONFIG_GROUP, .sub = model_timeout_keys, .doc = "How long its calls may take."},
    {"fallback", CONFIG_GROUP, .sub = fallback_keys,
     .doc = "The last answer of a chat task, without a model, when every candidate has failed; the "
            "result is degraded then, not failed. One of the three; a task's own goes before it."},
    {"candidates", CONFIG_LIST, KEY(config_model, candidates), .max = 16, .required = true,
     .sub = candidate_keys, .size = sizeof(struct config_candidate), .doc = "Tried in order."},
    {"order", CONFIG_CHOICE, KEY(config_model, order), "listed", .words = "listed|cheapest",
     .doc =
         "cheapest: the candidates are equals, and the one with the lowest price for three parts "
         "input and one part output comes first; those without a price come last."},
    {0}};

const struct config_key config_schema[] = {
    {"kafka", CONFIG_GROUP, .sub = kafka_keys, .doc = "The queue."},
    {"database", CONFIG_GROUP, .sub = database_keys, .doc = "Where results and costs are kept."},
    {"worker", CONFIG_GROUP, .sub = worker_keys, .doc = "One quern-worker process."},
    {"retry", CONFIG_GROUP, .sub = retry_keys, .doc = "Calls that failed and may succeed."},
    {"lanes", CONFIG_GROUP, .sub = lanes_keys,
     .doc = "Weights of the priorities. For 30 s after a lane's last task, lower lanes leave it "
            "some places (one more than it used, up to an eighth), so that its next task need not "
            "wait for a call to end."},
    {"fairness", CONFIG_GROUP, .sub = fairness_keys, .doc = "Between tenants."},
    {"submit", CONFIG_GROUP, .sub = submit_keys, .doc = "Limits on inputs."},
    {"log", CONFIG_GROUP, .sub = log_keys, .doc = "Standard error."},
    {"metrics", CONFIG_GROUP, .sub = metrics_keys, .doc = "For Prometheus and for Kubernetes."},
    {"tracing", CONFIG_GROUP, .sub = tracing_keys, .doc = "Spans for OpenTelemetry."},
    {"retention", CONFIG_GROUP, .sub = retention_keys,
     .doc = "How long things are kept; see `quern maintain`."},
    {"prices", CONFIG_GROUP, .sub = prices_keys, .doc = "What tokens cost."},
    {"guards", CONFIG_GROUP, .sub = config_guards_keys,
     .doc = "What texts are checked for, before a call and in its answer. Off without rules or a "
            "profile."},
    {"quality", CONFIG_GROUP, .sub = config_quality_keys,
     .doc = "Answers measured without a model. Off without rules."},
    {"packing", CONFIG_GROUP, .sub = config_packing_keys,
     .doc = "Several small tasks with the same instructions in one call. Off without rules."},
    {"compress", CONFIG_GROUP, .sub = config_compress_keys,
     .doc = "Shorter prompts, by fixed rules; `quern compress` shows what they do. Off without "
            "rules."},
    {"savings", CONFIG_GROUP, .sub = config_savings_keys, .doc = "What savings are measured by."},
    {"limits", CONFIG_GROUP, .sub = config_limits_keys,
     .doc = "Rates and budgets themselves are in the database: `quern limits`."},
    {"cache", CONFIG_GROUP, .sub = config_cache_keys,
     .doc = "Answers of the same request, used again. Off without rules."},
    {"backends", CONFIG_LIST, KEY(config, backends), .max = CONFIG_BACKENDS_MAX,
     .sub = backend_keys, .size = sizeof(struct config_backend), .doc = "Model services."},
    {"models", CONFIG_LIST, KEY(config, models), .max = CONFIG_MODELS_MAX, .sub = model_keys,
     .size = sizeof(struct config_model), .doc = "What a model's name resolves to."},
    {0}};
