/* Reads ONNX's test vectors. A file holds one TensorProto in the wire format of protocol buffers: a
 * list of (key, value) with key = field number * 8 + wire type. Wire type 0 is a varint (7 bits a
 * byte, lowest first; the top bit says that more bytes follow), 2 a length and that many bytes, 5
 * four bytes, 1 eight bytes. These fields of a TensorProto are read, all others are skipped:
 *
 *   1 dims    2 data_type (1 float, 6 int32)    4 float_data    5 int32_data    9 raw_data
 *
 * Repeated numbers may come one by one or packed. */
#ifndef ONNX_H
#define ONNX_H

#include "base/base.h"
#include "suite.h"

#include <stdint.h>

enum { ONNX_MOST_AXES = 4, ONNX_MOST_VALUES = 4096 };

typedef struct {
    int axes, d[ONNX_MOST_AXES];
    int n; /* values */
    float value[ONNX_MOST_VALUES];
} OnnxTensor;

typedef struct {
    const unsigned char *at, *end;
    bool ok; /* no fault was found so far */
} OnnxBytes;

static inline uint64_t onnx_varint(OnnxBytes *b)
{
    uint64_t x = 0;
    for (int shift = 0; shift < 64 && b->at < b->end; shift += 7) {
        const unsigned char byte = *b->at++;
        x |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return x;
    }
    b->ok = false; /* truncated, or too long */
    return 0;
}

/* Returns the next `len` bytes; an empty piece if there are fewer. */
static inline OnnxBytes onnx_take(OnnxBytes *b, uint64_t len)
{
    if (len > (uint64_t)(b->end - b->at)) b->ok = false;
    if (!b->ok) len = 0;
    const OnnxBytes piece = {b->at, b->at + len, b->ok};
    b->at += len;
    return piece;
}

static inline void onnx_axis(OnnxTensor *t, OnnxBytes *b)
{
    const uint64_t d = onnx_varint(b);
    if (t->axes == ONNX_MOST_AXES || d > ONNX_MOST_VALUES) b->ok = false;
    if (b->ok) t->d[t->axes++] = (int)d;
}

/* Reads one value: four bytes, or a varint. */
static inline void onnx_value(OnnxTensor *t, OnnxBytes *b, bool is_float, bool is_varint)
{
    const OnnxBytes four = is_varint ? *b : onnx_take(b, 4);
    const uint64_t v = is_varint ? onnx_varint(b) : 0;
    if (t->n == ONNX_MOST_VALUES) b->ok = false;
    if (!b->ok) return;
    float f = 0;
    int32_t i = (int32_t)(uint32_t)v;
    if (is_float)
        memcpy(&f, four.at, sizeof f);
    else if (!is_varint)
        memcpy(&i, four.at, sizeof i);
    t->value[t->n++] = is_float ? f : (float)i;
}

/* Stores one field in the tensor. Its value is at the beginning of *b; for wire type 2 it is all of *b. */
static inline void onnx_field(OnnxTensor *t, int field, OnnxBytes *b, bool is_float)
{
    if (field == 1) onnx_axis(t, b);
    if (field == 4) onnx_value(t, b, true, false);
    if (field == 5) onnx_value(t, b, false, true);
    if (field == 9) onnx_value(t, b, is_float, false);
}

/* Returns false unless the bytes are a tensor of floats or int32 with as many values as its shape. */
static inline bool onnx_parse(OnnxTensor *t, const void *bytes, size_t size)
{
    *t = (OnnxTensor){0};
    uint64_t type = 0;
    OnnxBytes b = {bytes, (const unsigned char *)bytes + size, true};
    while (b.ok && b.at < b.end) {
        const uint64_t key = onnx_varint(&b), field = key / 8;
        const bool known = field == 1 || field == 4 || field == 5 || field == 9;
        switch (key % 8) {
        case 0:
            if (field == 1)
                onnx_axis(t, &b);
            else if (field == 5)
                onnx_value(t, &b, false, true);
            else {
                const uint64_t v = onnx_varint(&b);
                if (field == 2) type = v;
            }
            break;
        case 1: onnx_take(&b, 8); break;
        case 5:
            if (field == 4)
                onnx_value(t, &b, true, false);
            else
                onnx_take(&b, 4);
            break;
        case 2: {
            OnnxBytes piece = onnx_take(&b, onnx_varint(&b));
            while (known && piece.ok && piece.at < piece.end)
                onnx_field(t, (int)field, &piece, type == 1);
            b.ok = b.ok && piece.ok;
            break;
        }
        default: b.ok = false;
        }
    }
    int n = 1;
    for (int i = 0; i < t->axes && n <= ONNX_MOST_VALUES; i++) n *= t->d[i];
    return b.ok && (type == 1 || type == 6) && n == t->n;
}

#endif
