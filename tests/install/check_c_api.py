"""The C API from Python by ctypes, every function of it. Usage: check_c_api.py LIBRARY MODEL"""
import ctypes
import math
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int, c_size_t, c_uint, c_void_p

OK, INPUT_TOO_SHORT, IO, SYNTAX, INVALID, USAGE = 0, 1, 3, 4, 5, 8
AVERAGE = 1


class Result(ctypes.Structure):
    _fields_ = [("status", c_int), ("label", c_int), ("score", c_float)]


def load_library(path):
    library = ctypes.CDLL(path)
    for name, result, arguments in [
        ("version", c_char_p, []),
        ("version_number", c_int, []),
        ("status_text", c_char_p, [c_int]),
        ("last_error", c_char_p, []),
        ("load_file", c_int, [c_char_p, c_char_p, POINTER(c_void_p)]),
        ("load_memory", c_int, [c_char_p, c_size_t, c_char_p, POINTER(c_void_p)]),
        ("free", None, [c_void_p]),
        ("outputs", c_size_t, [c_void_p]),
        ("label_count", c_size_t, [c_void_p]),
        ("max_len", c_size_t, [c_void_p]),
        ("threshold", c_float, [c_void_p]),
        ("model_name", c_char_p, [c_void_p]),
        ("isa", c_char_p, [c_void_p]),
        ("label", c_char_p, [c_void_p, c_int]),
        ("classify", c_int, [c_void_p, c_char_p, c_size_t, POINTER(Result), POINTER(c_float), POINTER(c_float)]),
        ("classify_long", c_int,
         [c_void_p, c_char_p, c_size_t, c_int, POINTER(Result), POINTER(c_float), POINTER(c_float)]),
        ("classify_batch", c_int, [c_void_p, POINTER(c_char_p), POINTER(c_size_t), c_size_t, POINTER(Result),
                                   POINTER(c_float), POINTER(c_float), c_uint]),
        ("explain", c_int,
         [c_void_p, c_char_p, c_size_t, c_size_t, POINTER(c_double), POINTER(c_double), POINTER(c_double)]),
        ("stream_new", c_int, [c_void_p, c_int, POINTER(c_void_p)]),
        ("stream_push", c_int, [c_void_p, c_char_p, c_size_t]),
        ("stream_classify", c_int, [c_void_p, POINTER(Result), POINTER(c_float), POINTER(c_float)]),
        ("stream_reset", c_int, [c_void_p]),
        ("stream_free", None, [c_void_p]),
    ]:
        function = getattr(library, "bytecnn_" + name)
        function.restype, function.argtypes = result, arguments
    return library


def check_errors(lib, model):
    handle = c_void_p()
    assert lib.bytecnn_load_file(b"/no/such/file.json", None, byref(handle)) == IO
    assert b"/no/such/file.json" in lib.bytecnn_last_error() and not handle
    assert lib.bytecnn_load_memory(b"{", 1, None, byref(handle)) == SYNTAX
    assert lib.bytecnn_load_memory(b"{}", 2, None, byref(handle)) == INVALID
    assert lib.bytecnn_load_file(model, b"mmx", byref(handle)) == USAGE
    assert b"avx2" in lib.bytecnn_last_error()
    assert lib.bytecnn_load_file(None, None, byref(handle)) == USAGE
    assert lib.bytecnn_classify(None, b"", 0, byref(Result()), None, None) == USAGE
    assert lib.bytecnn_outputs(None) == 0 and lib.bytecnn_label(None, 0) is None
    lib.bytecnn_free(None)
    lib.bytecnn_stream_free(None)
    assert lib.bytecnn_status_text(OK) == b"ok" and lib.bytecnn_status_text(99) == b"unknown status"


def check_classification(lib, classifier):
    result, logit, score = Result(), c_float(), c_float()
    assert lib.bytecnn_classify(classifier, b"a\0b", 3, byref(result), byref(logit), byref(score)) == OK
    assert logit.value == 1 and math.isclose(score.value, 1 / (1 + math.exp(-1)), rel_tol=1e-6)
    assert (result.status, result.label, result.score) == (OK, 1, score.value)
    assert lib.bytecnn_label(classifier, result.label) == b"yes"
    assert lib.bytecnn_label(classifier, -1) == b"uncertain" and lib.bytecnn_label(classifier, 2) is None
    assert lib.bytecnn_classify(classifier, None, 0, byref(result), byref(logit), None) == OK and logit.value == 0

    long = b"-" * 20 + b"a"  # behind max_len
    assert lib.bytecnn_classify(classifier, long, len(long), byref(result), byref(logit), None) == OK
    assert logit.value == 0
    assert lib.bytecnn_classify_long(classifier, long, len(long), 2, byref(result), byref(logit), None) == OK
    assert logit.value == 1
    assert lib.bytecnn_classify_long(classifier, long, len(long), 7, byref(result), None, None) == USAGE

    count = 200
    texts = [b"a" if i % 3 == 0 else b"b" for i in range(count)]
    results, logits = (Result * count)(), (c_float * count)()
    sizes = (c_size_t * count)(*map(len, texts))
    assert lib.bytecnn_classify_batch(classifier, (c_char_p * count)(*texts), sizes, count, results, logits, None,
                                      2) == OK
    assert list(logits) == [1 if i % 3 == 0 else 0 for i in range(count)]
    assert [r.label for r in results] == [1 for _ in texts]  # a logit of 0 is a score of 0.5, which is the threshold


def check_explanation(lib, classifier):
    contributions, logit, baseline = (c_double * 3)(), c_double(), c_double()
    assert lib.bytecnn_explain(classifier, b"xay", 3, 0, contributions, byref(logit), byref(baseline)) == OK
    assert list(contributions) == [0, 1, 0] and (logit.value, baseline.value) == (1, 0)
    assert lib.bytecnn_explain(classifier, b"xay", 3, 5, contributions, None, None) == USAGE


def check_stream(lib, classifier):
    stream, result, logit = c_void_p(), Result(), c_float()
    assert lib.bytecnn_stream_new(classifier, AVERAGE, byref(stream)) == OK
    for piece in (b"bb", b"a", b"bbb"):
        assert lib.bytecnn_stream_push(stream, piece, len(piece)) == OK
    lib.bytecnn_free(classifier)  # the stream keeps the model
    assert lib.bytecnn_stream_classify(stream, byref(result), byref(logit), None) == OK and logit.value == 1
    assert lib.bytecnn_stream_reset(stream) == OK
    assert lib.bytecnn_stream_classify(stream, byref(result), byref(logit), None) == OK and logit.value == 0
    lib.bytecnn_stream_free(stream)


def main():
    lib, model = load_library(sys.argv[1]), sys.argv[2].encode()
    major, minor, patch = map(int, lib.bytecnn_version().split(b"."))
    assert lib.bytecnn_version_number() == 10000 * major + 100 * minor + patch
    check_errors(lib, model)
    with open(sys.argv[2], "rb") as file:
        content = file.read()
    for load in (lambda handle: lib.bytecnn_load_file(model, None, handle),
                 lambda handle: lib.bytecnn_load_memory(content, len(content), b"reference", handle)):
        classifier = c_void_p()
        assert load(byref(classifier)) == OK, lib.bytecnn_last_error()
        assert lib.bytecnn_outputs(classifier) == 1 and lib.bytecnn_label_count(classifier) == 2
        assert lib.bytecnn_max_len(classifier) == 8 and lib.bytecnn_threshold(classifier) == 0.5
        assert lib.bytecnn_model_name(classifier) == b"finds the letter a" and lib.bytecnn_isa(classifier)
        check_classification(lib, classifier)
        check_explanation(lib, classifier)
        check_stream(lib, classifier)
    print("ok", lib.bytecnn_version().decode())


if __name__ == "__main__":
    main()
