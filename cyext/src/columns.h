/* Blocks of an element-wise kernel's arguments: a column is any strided array of doubles, stride 0 repeats one value. */
#ifndef SKW_COLUMNS_H
#define SKW_COLUMNS_H
#include <stddef.h>
#include <string.h>

enum { SKW_BLOCK = 64, SKW_STEP = 8 };

typedef struct {
    const char *data;
    ptrdiff_t stride; /* bytes */
} skw_column;

/* What a block leaves to the scalar code: arguments outside the range in which the vector code needs no special case. */
typedef struct {
    int any;
    unsigned char lane[SKW_BLOCK];
} skw_rare;

/* A whole number of vectors: the lanes after the last element repeat it, so that no element meets other code. */
static inline int skw_padded(int count) { return (count + SKW_STEP - 1) / SKW_STEP * SKW_STEP; }

static inline void skw_load(skw_column column, ptrdiff_t start, int count, double *restrict out)
{
    const char *from = column.data + start * column.stride;
    int i, padded = skw_padded(count);
    if (column.stride == (ptrdiff_t)sizeof(double))
        memcpy(out, from, (size_t)count * sizeof(double));
    else if (column.stride == 0) {
        double value = *(const double *)from;
        for (i = 0; i < count; i++) out[i] = value;
    } else
        for (i = 0; i < count; i++) out[i] = *(const double *)(from + i * column.stride);
    for (i = count; i < padded; i++) out[i] = out[count - 1];
}

/* +1 where the byte is set, -1 elsewhere. */
static inline void skw_load_sign(skw_column column, ptrdiff_t start, int count, double *restrict out)
{
    const unsigned char *from = (const unsigned char *)column.data + start * column.stride;
    int i, padded = skw_padded(count);
    if (column.stride == 1)
        for (i = 0; i < count; i++) out[i] = from[i] ? 1.0 : -1.0;
    else
        for (i = 0; i < count; i++) out[i] = from[i * column.stride] ? 1.0 : -1.0;
    for (i = count; i < padded; i++) out[i] = out[count - 1];
}

#endif
