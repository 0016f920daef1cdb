/* Checks that the values of a tensor are possible ones. */
#include "formats/safetensors.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Defines a function that counts the values in [least, most]. A NaN is in no range. */
#define COUNTER(name, type)                                                                        \
    static int64_t name(const type *x, int64_t n, type least, type most)                           \
    {                                                                                              \
        int64_t in = 0;                                                                            \
        for (int64_t i = 0; i < n; i++) in += x[i] >= least && x[i] <= most;                       \
        return in;                                                                                 \
    }
COUNTER(floats_in, float)
COUNTER(doubles_in, double)

bool safetensors_check_values(const StTensor *t, const void *data, size_t size, Error *err)
{
    const bool single = strcmp(t->dtype, "F32") == 0, above = t->values == ST_NOT_NEGATIVE;
    if (t->values == ST_ANY || (!single && strcmp(t->dtype, "F64") != 0)) return true;
    const int64_t n = (int64_t)(size / (single ? sizeof(float) : sizeof(double)));
    const float *f = data;
    const double *d = data;
    if (single && floats_in(f, n, above ? 0 : -FLT_MAX, FLT_MAX) == n) return true;
    if (!single && doubles_in(d, n, above ? 0 : -DBL_MAX, DBL_MAX) == n) return true;
    for (int64_t i = 0; i < n; i++) {
        const double x = single ? (double)f[i] : d[i];
        if (!isfinite(x) || (above && x < 0))
            return safetensors_refuse(err, t->name, "a value is %g; all must be finite%s", x,
                                      above ? " and at least 0" : "");
    }
    return true;
}
