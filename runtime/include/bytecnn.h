/* ByteCNN for C, and for every language that can call C. Compiles as C89.
 *
 *     bytecnn_classifier *classifier;
 *     bytecnn_result result;
 *     if (bytecnn_load_file("model.json", NULL, &classifier) != BYTECNN_OK) {
 *       fprintf(stderr, "%s\n", bytecnn_last_error());
 *       return 1;
 *     }
 *     bytecnn_classify(classifier, text, strlen(text), &result, NULL, NULL);
 *     printf("%s %g\n", bytecnn_label(classifier, result.label), result.score);
 *     bytecnn_free(classifier);
 *
 * Conventions
 * - Functions that can fail return a status; BYTECNN_OK is 0. What they hand out through a pointer is written only
 * then. `bytecnn_last_error` tells more. No C++ exception leaves the library, which prints nothing and never aborts.
 * - Inputs are bytes with a length, never ended by a NUL; no bytes may be NULL and 0. Every other pointer must not be
 *   NULL (BYTECNN_USAGE), except where "or NULL" is said.
 * - logits and scores are arrays of `bytecnn_outputs` floats, or NULL where they are not wanted.
 * - Any number of threads may use one classifier at once. A stream belongs to one thread at a time. Strings that are
 *   handed out live as long as the classifier, `bytecnn_last_error` until the thread's next call that fails.
 * - bytecnn_classify, bytecnn_stream_push and bytecnn_stream_classify allocate nothing and take no lock, except as
 *   bytecnn/classifier.hpp says.
 * - Values of the enumerations never change; new ones may come. */
#ifndef BYTECNN_H
#define BYTECNN_H

#include <stddef.h>

#include "bytecnn/api.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bytecnn_status {
  BYTECNN_OK = 0,
  BYTECNN_INPUT_TOO_SHORT = 1, /* the model does not pad, and some layer is left without a window */
  BYTECNN_OUT_OF_MEMORY = 2,
  BYTECNN_IO = 3,          /* a file cannot be read */
  BYTECNN_SYNTAX = 4,      /* not JSON */
  BYTECNN_INVALID = 5,     /* JSON that is no valid model: shapes, ranges, contradictions */
  BYTECNN_UNSUPPORTED = 6, /* understood, but beyond what this library runs */
  BYTECNN_LIMIT = 7,       /* larger than a documented limit */
  BYTECNN_USAGE = 8,       /* a wrong argument or environment variable */
  BYTECNN_INTERNAL = 9     /* a thread could not be started, or a bug */
} bytecnn_status;

/* What becomes of an input longer than the model's max_len; see bytecnn/stream.hpp. */
typedef enum bytecnn_strategy {
  BYTECNN_TRUNCATE = 0,
  BYTECNN_AVERAGE = 1,
  BYTECNN_MAX = 2,
  BYTECNN_ATTENTION = 3
} bytecnn_strategy;

typedef struct bytecnn_result {
  bytecnn_status status; /* of this input */
  int label;             /* index for bytecnn_label, or -1: uncertain, or status is not BYTECNN_OK */
  float score;           /* one sigmoid output: its probability; otherwise the score of the best output */
} bytecnn_result;

typedef struct bytecnn_classifier bytecnn_classifier;
typedef struct bytecnn_stream bytecnn_stream;

/* The library that runs, "1.2.3", and as a number: 10000 * major + 100 * minor + patch. */
BYTECNN_API const char* bytecnn_version(void);
BYTECNN_API int bytecnn_version_number(void);

/* "ok", "input too short for this model, which does not pad", ... */
BYTECNN_API const char* bytecnn_status_text(bytecnn_status status);
/* What went wrong in this thread's last call that failed, where, what was expected and what was found; "" before any.
 */
BYTECNN_API const char* bytecnn_last_error(void);

/* Loads a model file, or a model file's content of `size` bytes, for the instruction set named `isa` ("avx512", "avx2",
 * "sse2", "neon64", "reference") or, where it is NULL, for the best one of this machine. Allocates. */
BYTECNN_API bytecnn_status bytecnn_load_file(const char* path, const char* isa, bytecnn_classifier** classifier);
BYTECNN_API bytecnn_status bytecnn_load_memory(const void* json, size_t size, const char* isa,
                                               bytecnn_classifier** classifier);
/* NULL is allowed. Streams of the classifier stay usable. */
BYTECNN_API void bytecnn_free(bytecnn_classifier* classifier);

/* What the classifier is. 0 or NULL where `classifier` is NULL. */
BYTECNN_API size_t bytecnn_outputs(const bytecnn_classifier* classifier);
BYTECNN_API size_t bytecnn_label_count(const bytecnn_classifier* classifier);
BYTECNN_API size_t bytecnn_max_len(const bytecnn_classifier* classifier);
BYTECNN_API float bytecnn_threshold(const bytecnn_classifier* classifier);
BYTECNN_API const char* bytecnn_model_name(const bytecnn_classifier* classifier);
BYTECNN_API const char* bytecnn_isa(const bytecnn_classifier* classifier);
/* The name of label `index`; "uncertain" for -1, NULL for any other number that is no label. */
BYTECNN_API const char* bytecnn_label(const bytecnn_classifier* classifier, int index);

/* Classifies one input, cut to max_len. Returns result->status. */
BYTECNN_API bytecnn_status bytecnn_classify(const bytecnn_classifier* classifier, const void* data, size_t size,
                                            bytecnn_result* result, float* logits, float* scores);

/* The same for an input of any length, under a strategy. Allocates where it is longer than max_len. */
BYTECNN_API bytecnn_status bytecnn_classify_long(const bytecnn_classifier* classifier, const void* data, size_t size,
                                                 bytecnn_strategy strategy, bytecnn_result* result, float* logits,
                                                 float* scores);

/* Classifies `count` inputs on `threads` threads (0: as many as the machine has); row i of results, logits and scores
 * belongs to data[i] of sizes[i] bytes. Inputs that cannot be classified have a status of their own in their result;
 * the function returns BYTECNN_OK nevertheless. Allocates. */
BYTECNN_API bytecnn_status bytecnn_classify_batch(const bytecnn_classifier* classifier, const void* const* data,
                                                  const size_t* sizes, size_t count, bytecnn_result* results,
                                                  float* logits, float* scores, unsigned threads);

/* How much each of the first min(size, max_len) bytes contributed to logit `output`; see bytecnn/explain.hpp.
 * logit = baseline + sum of contributions. `logit` and `baseline` may be NULL. Allocates, runs in double precision. */
BYTECNN_API bytecnn_status bytecnn_explain(const bytecnn_classifier* classifier, const void* data, size_t size,
                                           size_t output, double* contributions, double* logit, double* baseline);

/* One input that arrives in pieces. Allocates; pushing and classifying do not. */
BYTECNN_API bytecnn_status bytecnn_stream_new(const bytecnn_classifier* classifier, bytecnn_strategy strategy,
                                              bytecnn_stream** stream);
BYTECNN_API bytecnn_status bytecnn_stream_push(bytecnn_stream* stream, const void* data, size_t size);
/* All bytes so far, without disturbing the stream. Returns result->status. */
BYTECNN_API bytecnn_status bytecnn_stream_classify(const bytecnn_stream* stream, bytecnn_result* result, float* logits,
                                                   float* scores);
/* Forgets all bytes: the next one is the first of a new input. */
BYTECNN_API bytecnn_status bytecnn_stream_reset(bytecnn_stream* stream);
/* NULL is allowed. */
BYTECNN_API void bytecnn_stream_free(bytecnn_stream* stream);

#ifdef __cplusplus
}
#endif

#endif
