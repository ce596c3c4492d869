#include "dialect.h"

const struct dialect *const dialects[] = {&dialect_openai};
