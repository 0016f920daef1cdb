/* The input of a recurrence: a tensor, or rows of a table. */
#include "ops/ops_recurrent.h"

SequenceInput sequence_of(Tensor *z)
{
    return (SequenceInput){.rows = z, .T = z->shape.d[0], .B = z->shape.d[1]};
}

SequenceInput sequence_of_ids(Tensor *table, const int *ids, int T, int B)
{
    return (SequenceInput){.rows = table, .ids = ids, .T = T, .B = B};
}

Tensor *sequence_tensor(Tape *tp, SequenceInput z)
{
    return z.ids ? op_embed(tp, z.rows, z.ids, SHAPE(z.T, z.B)) : z.rows;
}

Shape sequence_check(const char *op, const char *name, const char *want, const SequenceInput *z)
{
    const Shape s = z->rows->shape;
    if (!z->ids) {
        CHECK(s.n == 3, "%s: %s %s; must be %s", op, name, shape_text(s).text, want);
        return s;
    }
    CHECK(s.n == 2, "%s: table %s; must be (V,N)", op, shape_text(s).text);
    for (int i = 0; i < z->T * z->B; i++)
        CHECK(z->ids[i] >= 0 && z->ids[i] < s.d[0], "%s: id %d at %d; the table has %d rows", op,
              z->ids[i], i, s.d[0]);
    return SHAPE(z->T, z->B, s.d[1]);
}

SequenceInput sequence_keep(Tape *tp, const SequenceInput *z)
{
    SequenceInput kept = *z;
    if (!z->ids) return kept;
    const size_t bytes = (size_t)z->T * z->B * sizeof *z->ids;
    kept.ids = memcpy(tape_save(tp, bytes), z->ids, bytes);
    return kept;
}
