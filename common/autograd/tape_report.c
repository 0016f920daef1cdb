/* Prints the tape: a line per node, or a Graphviz graph. */
#include "autograd/tape.h"

/* Returns the node that made t, or the tensor that t is a view of; -1 for a parameter or
 * constant. */
static int maker(const Tape *tp, Tensor *t, int before)
{
    for (int i = before - 1; i >= 0; i--)
        if (tp->node[i]->out == tensor_whole(t)) return i;
    return -1;
}

void tape_print(const Tape *tp, FILE *f)
{
    fprintf(f, "%4s  %-14s %-14s %s\n", "node", "op", "output", "inputs");
    for (int i = 0; i < tp->n; i++) {
        const Node *nd = tp->node[i];
        fprintf(f, "%4d  %-14s %-14s", i, nd->name, shape_text(nd->out->shape).text);
        for (int j = 0; j < nd->inputs; j++) {
            const int from = maker(tp, nd->in[j], i);
            if (tensor_whole(nd->in[j])->name)
                fprintf(f, " %s", tensor_whole(nd->in[j])->name);
            else if (from >= 0)
                fprintf(f, " #%d", from);
            else
                fprintf(f, " const%s", shape_text(nd->in[j]->shape).text);
        }
        fputc('\n', f);
    }
}

static void dot_leaf(const Tensor *t, int node, int input, FILE *f)
{
    if (t->name)
        fprintf(f, "  \"%s\" [label=\"%s\\n%s\",shape=ellipse];\n  \"%s\" -> n%d;\n", t->name,
                t->name, shape_text(t->shape).text, t->name, node);
    else
        fprintf(f, "  c%d_%d [label=\"const\\n%s\",shape=plaintext];\n  c%d_%d -> n%d;\n", node,
                input, shape_text(t->shape).text, node, input, node);
}

void tape_dot(const Tape *tp, FILE *f)
{
    fputs("digraph tape {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n", f);
    for (int i = 0; i < tp->n; i++) {
        const Node *nd = tp->node[i];
        fprintf(f, "  n%d [label=\"%s\\n%s\",shape=box];\n", i, nd->name,
                shape_text(nd->out->shape).text);
        for (int j = 0; j < nd->inputs; j++) {
            const int from = maker(tp, nd->in[j], i);
            if (from >= 0)
                fprintf(f, "  n%d -> n%d;\n", from, i);
            else
                dot_leaf(tensor_whole(nd->in[j]), i, j, f);
        }
    }
    fputs("}\n", f);
}
