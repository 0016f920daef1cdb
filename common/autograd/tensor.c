#include "autograd/tensor.h"

#include <stdio.h>

Shape shape_make(int n, const int *d)
{
    CHECK(n >= 1 && n <= 4, "shape: %d axes; must be 1 to 4", n);
    Shape s = {.n = n};
    for (int i = 0; i < n; i++) s.d[i] = d[i];
    shape_len(s);
    return s;
}

int shape_len(Shape s)
{
    int len = 1;
    for (int i = 0; i < s.n; i++) {
        CHECK(s.d[i] >= 1, "shape %s: axis %d has size %d; must be at least 1", shape_text(s).text,
              i, s.d[i]);
        if (__builtin_mul_overflow(len, s.d[i], &len))
            too_large("shape %s has more numbers than fit in one tensor", shape_text(s).text);
    }
    return len;
}

bool shape_equal(Shape a, Shape b)
{
    if (a.n != b.n) return false;
    for (int i = 0; i < a.n; i++)
        if (a.d[i] != b.d[i]) return false;
    return true;
}

Shape shape_append(Shape s, int d)
{
    CHECK(s.n < 4, "shape %s: no room for one more axis; a tensor has at most 4",
          shape_text(s).text);
    s.d[s.n++] = d;
    shape_len(s);
    return s;
}

Shape shape_with_last(Shape s, int d)
{
    s.d[s.n - 1] = d;
    shape_len(s);
    return s;
}

int shape_last(Shape s)
{
    return s.d[s.n - 1];
}

Tensor *tensor_whole(Tensor *t)
{
    return t->view_of ? t->view_of : t;
}

ShapeText shape_text(Shape s)
{
    ShapeText t;
    int at = 0;
    for (int i = 0; i < s.n && i < 4; i++)
        at += snprintf(t.text + at, sizeof t.text - (size_t)at, "%c%d", i ? ',' : '(', s.d[i]);
    snprintf(t.text + at, sizeof t.text - (size_t)at, "%s", s.n > 0 ? ")" : "()");
    return t;
}
