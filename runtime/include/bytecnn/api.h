/* Which names the shared library shows: what its public headers declare, and nothing else. Plain C. */
#ifndef BYTECNN_API_H
#define BYTECNN_API_H

#if defined(__GNUC__)
#define BYTECNN_API __attribute__((visibility("default")))
#define BYTECNN_PRIVATE __attribute__((visibility("hidden")))
#else
#define BYTECNN_API
#define BYTECNN_PRIVATE
#endif

#endif
