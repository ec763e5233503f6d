/* The C way in, compiled as C89: prints what the C++ consumer prints. */
#include <bytecnn.h>

#include <stdio.h>
#include <string.h>

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, bytecnn_last_error());
  return 1;
}

int main(int argc, char **argv) {
  bytecnn_classifier *classifier;
  bytecnn_stream *stream;
  bytecnn_result result;
  bytecnn_result streamed;
  float logit;

  if (argc != 3) return 2;
  if (bytecnn_load_file("missing.json", NULL, &classifier) != BYTECNN_IO || strlen(bytecnn_last_error()) == 0) return 1;
  if (bytecnn_load_file(argv[1], NULL, &classifier) != BYTECNN_OK) return fail("load");
  if (bytecnn_classify(classifier, argv[2], strlen(argv[2]), &result, &logit, NULL) != BYTECNN_OK) {
    return fail("classify");
  }
  if (bytecnn_stream_new(classifier, BYTECNN_TRUNCATE, &stream) != BYTECNN_OK) return fail("stream");
  bytecnn_stream_push(stream, argv[2], strlen(argv[2]));
  if (bytecnn_stream_classify(stream, &streamed, NULL, NULL) != BYTECNN_OK) return fail("stream");
  if (streamed.label != result.label) return 1;
  printf("%s %.6f\n", bytecnn_label(classifier, result.label), (double)result.score);
  bytecnn_stream_free(stream);
  bytecnn_free(classifier);
  return 0;
}
