#include "dialect.h"

const struct dialect *const dialects[] = {&dialect_openai, &dialect_anthropic, &dialect_gemini};
