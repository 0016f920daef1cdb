#include "lessons/merge_tree.h"

#include <stdlib.h>
#include <string.h>

#include "system/plot.h"
#include "tokens/detokenizer.h"

typedef struct {
    double x; /* the middle of its children */
    int height;
} Node;

typedef struct {
    const Tokenizer *t;
    Detokenizer script; /* a text that grows */
    int byte;           /* the next byte of the word */
    int highest;
} Tree;

static void add(Tree *tree, char *text)
{
    detokenizer_add(&tree->script, text, strlen(text));
    free(text);
}

/* Returns the merge that made a token; -1 for a byte. */
static int merge_of(const Tokenizer *t, int id)
{
    for (int i = 0; i < t->bpe->n_merges; i++)
        if (t->bpe->merge[i].id == id) return i;
    return -1;
}

/* Returns the token's text in quotes, with a visible space. The caller frees it. */
static char *label_of(const Tokenizer *t, int id)
{
    const char *spelling = t->symbols.string[id];
    char *text = xcalloc(strlen(spelling) + 1, 1);
    bytes_read(spelling, strlen(spelling), text, NULL);
    char *visible = *text == ' ' ? xformat("\u2423%s", text + 1) : xstrdup(text);
    char *quoted = plot_quote(visible);
    free(text), free(visible);
    return quoted;
}

static Node draw(Tree *tree, int id)
{
    const int rank = merge_of(tree->t, id);
    Node node = {.x = tree->byte};
    if (rank >= 0) {
        const Merge *m = &tree->t->bpe->merge[rank];
        const Node left = draw(tree, m->left), right = draw(tree, m->right);
        node.x = (left.x + right.x) / 2;
        node.height = 1 + (left.height > right.height ? left.height : right.height);
        const Node child[] = {left, right};
        for (int i = 0; i < LEN(child); i++)
            add(tree,
                xformat("set arrow from %g,%g to %g,%g nohead linewidth 1.5 linecolor rgb '%s'\n",
                        child[i].x, child[i].height + 0.25, node.x, node.height - 0.25,
                        plot_color[0]));
        add(tree, xformat("set label '%d' at %g,%g center font ',9' textcolor rgb '#777777'\n",
                          rank, node.x, node.height - 0.6));
    } else {
        tree->byte++;
    }
    char *label = label_of(tree->t, id);
    add(tree, xformat("set label %s at %g,%d center font ',13'\n", label, node.x, node.height));
    free(label);
    if (node.height > tree->highest) tree->highest = node.height;
    return node;
}

char *merge_tree(const Tokenizer *t, const char *word)
{
    Tree tree = {.t = t};
    const Encoding e = tokenizer_encode(t, word, strlen(word));
    add(&tree, xstrdup("set encoding utf8\nunset key\nunset border\nunset tics\n"
                       "set title 'The merges that build a word; in grey their ranks'\n"));
    for (int i = 0; i < e.n; i++) draw(&tree, e.ids[i]);
    add(&tree,
        xformat("set xrange [-1:%d]\nset yrange [-0.6:%d.6]\nplot NaN\n", tree.byte, tree.highest));
    detokenizer_add(&tree.script, "", 1);
    free(e.ids);
    return tree.script.text;
}
