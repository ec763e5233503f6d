/* A ring buffer of bytes for one reader and one writer. */
#include <stddef.h>
#include <string.h>

#define RING_SIZE 4096u

struct ring {
    unsigned char data[RING_SIZE];
    size_t head;
    size_t tail;
};

static size_t ring_used(const struct ring *ring)
{
    return ring->head - ring->tail;
}

int ring_push(struct ring *ring, unsigned char byte)
{
    if (ring_used(ring) == RING_SIZE)
        return -1;
    ring->data[ring->head++ % RING_SIZE] = byte;
    return 0;
}

int ring_pop(struct ring *ring)
{
    if (ring_used(ring) == 0)
        return -1;
    return ring->data[ring->tail++ % RING_SIZE];
}
